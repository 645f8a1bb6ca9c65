/*
 * The files of name look-ups. See dns_files.h.
 */
#include "connect/dns_files.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define DNS_PORT  53
#define DNS_BLANK " \t\r\n"

/* Opens a file. NULL if there is none; *ret_short: no descriptor was free for it. */
static FILE *
dns_file_open(const char *path, bool *ret_short)
{
        FILE *file = fopen(path, "re");

        *ret_short = file == NULL && (errno == EMFILE || errno == ENFILE || errno == ENOMEM);
        return file;
}

/* Reads an address with or without a port. 0, or -1. */
static int
dns_server_read(struct sockaddr_storage *out, const char *text)
{
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)out;
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)out;
        char address[INET6_ADDRSTRLEN + IF_NAMESIZE];
        bool bracket = text[0] == '[';
        const char *last = strrchr(text, ':');
        bool has_port = last != NULL && (bracket ? last[-1] == ']' : strchr(text, ':') == last);
        size_t length = has_port ? (size_t)(last - text) : strlen(text);
        unsigned long port = has_port ? strtoul(last + 1, NULL, 10) : DNS_PORT;

        if (length >= sizeof address || length < 2 || port == 0 || port > 65535)
                return -1;
        snprintf(address, sizeof address, "%.*s", (int)(length - (bracket ? 2 : 0)),
                 text + bracket);
        *out = (struct sockaddr_storage){0};
        if (inet_pton(AF_INET, address, &in->sin_addr) == 1) {
                in->sin_family = AF_INET;
                in->sin_port = htons((uint16_t)port);
                return 0;
        }
        char *scope = strchr(address, '%');
        if (scope != NULL)
                *scope++ = '\0';
        if (inet_pton(AF_INET6, address, &in6->sin6_addr) != 1)
                return -1;
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)port);
        in6->sin6_scope_id = scope != NULL ? if_nametoindex(scope) : 0;
        return 0;
}

/* Reads the number after an option's name; what is out of bounds is taken to them. */
static int
dns_option_number(const char *text, int most)
{
        long number = strtol(text, NULL, 10);

        return number < 0 ? 0 : number > most ? most : (int)number;
}

static void
dns_option_read(struct dns_config *config, const char *option)
{
        if (strncmp(option, "ndots:", 6) == 0)
                config->ndots = dns_option_number(option + 6, 15);
        else if (strncmp(option, "timeout:", 8) == 0)
                config->timeout_ms = 1000 * dns_option_number(option + 8, 30);
        else if (strncmp(option, "attempts:", 9) == 0)
                config->attempts = dns_option_number(option + 9, 5);
}

static void
dns_search_add(struct dns_config *config, const char *domain)
{
        if (config->n_search < DNS_MAX_SEARCH && strlen(domain) < DNS_NAME_SIZE)
                strcpy(config->search[config->n_search++], domain);
}

/* Reads one line. The last search list counts. */
static void
dns_config_read_line(struct dns_config *config, char *line)
{
        char *rest = line;
        const char *word = strtok_r(rest, DNS_BLANK, &rest);

        if (word == NULL || word[0] == '#' || word[0] == ';')
                return;
        bool is_search = strcmp(word, "search") == 0 || strcmp(word, "domain") == 0;
        bool is_options = strcmp(word, "options") == 0;
        bool is_server = strcmp(word, "nameserver") == 0;
        if (is_search)
                config->n_search = 0;
        while ((is_search || is_options || is_server) &&
               (word = strtok_r(NULL, DNS_BLANK, &rest)) != NULL) {
                if (is_search)
                        dns_search_add(config, word);
                else if (is_options)
                        dns_option_read(config, word);
                else if (config->n_servers < DNS_MAX_SERVERS &&
                         dns_server_read(&config->servers[config->n_servers], word) == 0)
                        config->n_servers++;
        }
}

/* Searches the domain that this machine is in. */
static void
dns_search_own(struct dns_config *config)
{
        char name[DNS_NAME_SIZE] = "";

        gethostname(name, sizeof name - 1);
        const char *dot = strchr(name, '.');
        if (dot != NULL && dot[1] != '\0')
                dns_search_add(config, dot + 1);
}

int
pipit__dns_config_read(struct dns_config *config, const char *path)
{
        bool is_short;
        FILE *file = dns_file_open(path, &is_short);
        char line[1024];

        *config = (struct dns_config){.ndots = 1, .timeout_ms = 5000, .attempts = 2};
        if (is_short)
                return -1;
        dns_search_own(config);
        while (file != NULL && fgets(line, sizeof line, file) != NULL)
                dns_config_read_line(config, line);
        if (file != NULL)
                fclose(file);
        if (config->n_servers == 0 && dns_server_read(&config->servers[0], "127.0.0.1") == 0)
                config->n_servers = 1;
        if (config->attempts == 0)
                config->attempts = 1;
        return 0;
}

bool
pipit__dns_config_name(const struct dns_config *config, const char *host, int number, char *out,
                       size_t size)
{
        size_t length = strlen(host);
        bool is_whole = length > 0 && host[length - 1] == '.';
        int n_dots = 0;

        for (const char *at = host; *at != '\0'; at++)
                n_dots += *at == '.';
        int own = n_dots >= config->ndots ? 0 : config->n_search;
        if (is_whole ? number > 0 : number > config->n_search)
                return false;
        int domain = number < own ? number : number - 1;
        if (is_whole || number == own)
                snprintf(out, size, "%s", host);
        else
                snprintf(out, size, "%s.%s", host, config->search[domain]);
        return true;
}

/* Adds the address of a line if the line has the name. */
static void
dns_hosts_read_line(char *line, const char *name, struct dns_addresses *addresses)
{
        char *rest;
        struct in6_addr any;

        line[strcspn(line, "#")] = '\0';
        const char *address = strtok_r(line, DNS_BLANK, &rest);
        const char *word;
        if (address == NULL ||
            (inet_pton(AF_INET, address, &any) != 1 && inet_pton(AF_INET6, address, &any) != 1))
                return;
        while ((word = strtok_r(NULL, DNS_BLANK, &rest)) != NULL) {
                if (strcasecmp(word, name) == 0) {
                        pipit__dns_addresses_add(addresses, address);
                        return;
                }
        }
}

int
pipit__dns_hosts_find(const char *path, const char *name, struct dns_addresses *ret_addresses)
{
        bool is_short;
        FILE *file = dns_file_open(path, &is_short);
        char line[1024];

        *ret_addresses = (struct dns_addresses){0};
        if (is_short)
                return -1;
        while (file != NULL && fgets(line, sizeof line, file) != NULL)
                dns_hosts_read_line(line, name, ret_addresses);
        if (file != NULL)
                fclose(file);
        if (ret_addresses->n == 0 && strcasecmp(name, "localhost") == 0) {
                pipit__dns_addresses_add(ret_addresses, "127.0.0.1");
                pipit__dns_addresses_add(ret_addresses, "::1");
        }
        return 0;
}
