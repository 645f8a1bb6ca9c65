/*
 * The conninfo checks what the settings say of hosts, and adds pipit's own defaults to what libpq
 * connects with. See conninfo.h.
 */
#include "connect/conninfo.h"

#include <ctype.h>
#include <pipit/error.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connect/address.h"
#include "connect/host_order.h"
#include "connect/passfile.h"
#include "connect/resolver.h"
#include "pq/pq_connect.h"
#include "pq/pq_url.h"
#include "value/codec.h"

/* Returns the value of a setting, borrowed; NULL if it is not set. */
static const char *
conninfo_find(const struct pq_settings *settings, const char *key)
{
        for (int i = 0; i < settings->n; i++) {
                if (strcmp(settings->keys[i], key) == 0)
                        return settings->values[i];
        }
        return NULL;
}

/* Returns the value of a setting, borrowed; "" if it is not set. */
static const char *
conninfo_setting(const struct pq_settings *settings, const char *key)
{
        const char *value = conninfo_find(settings, key);

        return value != NULL ? value : "";
}

/* Reads an integer where libpq would: it may have a plus, and blanks around it. 0, or -1. */
static int
conninfo_read_int(const char *text, int32_t *ret)
{
        size_t length = strlen(text);

        while (length > 0 && isspace((unsigned char)text[length - 1]))
                length--;
        for (; length > 0 && isspace((unsigned char)*text); length--)
                text++;
        if (length > 1 && text[0] == '+' && isdigit((unsigned char)text[1])) {
                text++;
                length--;
        }
        return pipit__codec_read_int32(text, length, ret) == 0 ? 0 : -1;
}

/* Returns a copy, which the caller frees, of the i-th item of a list with commas. A single item
 * stands for every i; behind the last of several all are "". NULL if memory ran out. */
static char *
conninfo_item_copy(const char *list, int i)
{
        bool alone = strchr(list, ',') == NULL;

        for (; i > 0 && !alone; i--) {
                const char *comma = strchr(list, ',');
                if (comma == NULL)
                        return strdup("");
                list = comma + 1;
        }
        return strndup(list, strcspn(list, ","));
}

static int
conninfo_items_count(const char *list)
{
        int n = 1;

        for (; *list != '\0'; list++)
                n += *list == ',';
        return n;
}

/* Copies the i-th host of the settings. 0 or PIPIT_ENOMEM. */
static int
host_init(struct conninfo_host *host, const struct pq_settings *settings, int i)
{
        host->host = conninfo_item_copy(conninfo_setting(settings, "host"), i);
        host->hostaddr = conninfo_item_copy(conninfo_setting(settings, "hostaddr"), i);
        host->port = conninfo_item_copy(conninfo_setting(settings, "port"), i);
        if (host->port != NULL && host->port[0] == '\0') {
                free(host->port);
                host->port = strdup("5432");
        }
        return host->host != NULL && host->hostaddr != NULL && host->port != NULL ? 0
                                                                                  : PIPIT_ENOMEM;
}

/* Returns PIPIT_EINVAL with a text that the caller frees, or PIPIT_ENOMEM and NULL. */
static int conninfo_problem(char **ret_problem, const char *format, ...) PIPIT_PRINTF(2, 3);

static int
conninfo_problem(char **ret_problem, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        int length = vasprintf(ret_problem, format, args);
        va_end(args);
        if (length >= 0)
                return PIPIT_EINVAL;
        *ret_problem = NULL;
        return PIPIT_ENOMEM;
}

/* Checks a host. In a URI what stands for the port can be the password, with a / in it that was not
 * written %2F, and so is not quoted. */
static int
host_check(const struct conninfo_host *host, bool in_uri, char **ret_problem)
{
        int32_t port;

        if (conninfo_read_int(host->port, &port) == 0 && port >= 1 && port <= 65535)
                return 0;
        if (in_uri && host->port[strspn(host->port, "0123456789")] != '\0')
                return conninfo_problem(ret_problem,
                                        "a port is not a number from 1 to 65535 (a / in a user or "
                                        "a password is written %%2F, and a : %%3A)");
        return conninfo_problem(ret_problem, "the port \"%.40s\" is not a number from 1 to 65535",
                                host->port);
}

/* Counts the hosts. The lists of hosts, addresses and ports must be equally long, but a single port
 * is every host's. */
static int
conninfo_count_hosts(struct conninfo *info, char **ret_problem)
{
        const struct pq_settings *settings = &info->settings;
        int hosts = conninfo_items_count(conninfo_setting(settings, "host"));
        int ports = conninfo_items_count(conninfo_setting(settings, "port"));
        const char *addresses = conninfo_setting(settings, "hostaddr");

        if (addresses[0] != '\0' && conninfo_setting(settings, "host")[0] == '\0')
                hosts = conninfo_items_count(addresses);
        if (addresses[0] != '\0' && conninfo_items_count(addresses) != hosts)
                return conninfo_problem(ret_problem, "hostaddr: %d hosts, but %d addresses", hosts,
                                        conninfo_items_count(addresses));
        if (ports != 1 && ports != hosts)
                return conninfo_problem(ret_problem, "port: %d hosts, but %d ports", hosts, ports);
        info->n_hosts = hosts;
        return 0;
}

static int
conninfo_init_hosts(struct conninfo *info, bool in_uri, char **ret_problem)
{
        int code = conninfo_count_hosts(info, ret_problem);

        if (code != 0)
                return code;
        info->hosts = calloc((size_t)info->n_hosts, sizeof *info->hosts);
        info->order = pipit__host_order_new(
                info->n_hosts,
                strcmp(conninfo_setting(&info->settings, "load_balance_hosts"), "random") == 0);
        if (info->hosts == NULL || info->order == NULL)
                return PIPIT_ENOMEM;
        for (int i = 0; i < info->n_hosts && code == 0; i++) {
                code = host_init(&info->hosts[i], &info->settings, i);
                if (code == 0)
                        code = host_check(&info->hosts[i], in_uri, ret_problem);
        }
        return code;
}

/* Checks the settings that libpq reads too late: when it has a socket, or, as connect_timeout, only
 * in a connect that blocks. */
static int
conninfo_check_ints(const struct pq_settings *settings, char **ret_problem)
{
        static const char *const keys[] = {"connect_timeout",  "keepalives",
                                           "keepalives_idle",  "keepalives_interval",
                                           "keepalives_count", "tcp_user_timeout"};
        int32_t value;

        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
                const char *text = conninfo_find(settings, keys[i]);
                if (text != NULL && conninfo_read_int(text, &value) != 0)
                        return conninfo_problem(ret_problem, "%s is \"%.40s\", not an integer",
                                                keys[i], text);
        }
        return 0;
}

/* Finds the user's own files. 0 or PIPIT_ENOMEM. */
static int
conninfo_init_files(struct conninfo *info, const struct pipit_options *options)
{
        char home[1000];
        char path[1024];

        info->passfile =
                pipit__passfile_new(conninfo_setting(&info->settings, "passfile"), options);
        if (info->passfile == NULL)
                return PIPIT_ENOMEM;
        if (pipit__pq_home(home, sizeof home) != 0)
                return 0;
        snprintf(path, sizeof path, "%s/.postgresql/root.crt", home);
        info->own_roots = strdup(path);
        return info->own_roots != NULL ? 0 : PIPIT_ENOMEM;
}

static enum conninfo_role
conninfo_role_of(const char *attrs)
{
        static const char *const names[] = {[ROLE_READ_WRITE] = "read-write",
                                            [ROLE_PRIMARY] = "primary",
                                            [ROLE_STANDBY] = "standby",
                                            [ROLE_READ_ONLY] = "read-only"};

        for (int role = ROLE_READ_WRITE; role <= ROLE_READ_ONLY; role++) {
                if (strcmp(attrs, names[role]) == 0)
                        return (enum conninfo_role)role;
        }
        return ROLE_ANY;
}

int
pipit__conninfo_init(struct conninfo *info, const char *url, const struct pipit_options *options,
                     char **ret_problem)
{
        *info = (struct conninfo){.files = &pipit__resolver_system_files,
                                  .password = options->password,
                                  .password_arg = options->password_arg};
        *ret_problem = NULL;
        int code = pipit__pq_settings_read(url, &info->settings, ret_problem);
        if (code == 0)
                code = conninfo_check_ints(&info->settings, ret_problem);
        if (code == 0)
                code = conninfo_init_files(info, options);
        if (code != 0)
                return code;
        if (options->sslmode != NULL) {
                info->sslmode = strdup(options->sslmode);
                if (info->sslmode == NULL)
                        return PIPIT_ENOMEM;
        }
        const char *attrs = conninfo_setting(&info->settings, "target_session_attrs");
        info->prefer_standby = strcmp(attrs, "prefer-standby") == 0;
        info->role = conninfo_role_of(attrs);
        return conninfo_init_hosts(info, url != NULL && pipit__pq_url_is_uri(url), ret_problem);
}

void
pipit__conninfo_fini(struct conninfo *info)
{
        for (int i = 0; info->hosts != NULL && i < info->n_hosts; i++) {
                free(info->hosts[i].host);
                free(info->hosts[i].hostaddr);
                free(info->hosts[i].port);
        }
        free(info->hosts);
        pipit__host_order_free(info->order);
        free(info->sslmode);
        free(info->own_roots);
        pipit__passfile_free(info->passfile);
        pipit__pq_settings_free(&info->settings);
        *info = (struct conninfo){0};
}

int64_t
pipit__conninfo_connect_timeout(const struct conninfo *info)
{
        const char *text = conninfo_setting(&info->settings, "connect_timeout");
        int32_t seconds;

        if (conninfo_read_int(text, &seconds) != 0 || seconds <= 0)
                return 0;
        return (int64_t)seconds * 1000;
}

/* Sets a parameter, in place of a value that it has already. A parameter for which there is no room
 * is left out. */
static void
parameters_set(struct conninfo_parameters *parameters, const char *key, const char *value)
{
        int i = 0;

        while (i < parameters->n && strcmp(parameters->keys[i], key) != 0)
                i++;
        if (i >= CONNINFO_MAX_PARAMETERS - 1)
                return;
        parameters->keys[i] = key;
        parameters->values[i] = value;
        if (i == parameters->n)
                parameters->n++;
}

/* Returns a parameter's value, borrowed; NULL if it has none. */
static const char *
parameters_find(const struct conninfo_parameters *parameters, const char *key)
{
        for (int i = 0; i < parameters->n; i++) {
                if (strcmp(parameters->keys[i], key) == 0)
                        return parameters->values[i];
        }
        return NULL;
}

static bool
parameters_have(const struct conninfo_parameters *parameters, const char *key, const char *value)
{
        const char *found = parameters_find(parameters, key);

        return found != NULL && strcmp(found, value) == 0;
}

/* Whether a parameter says nothing; libpq takes "" for that where it is not an error. */
static bool
parameters_lack(const struct conninfo_parameters *parameters, const char *key)
{
        const char *found = parameters_find(parameters, key);

        return found == NULL || found[0] == '\0';
}

/* Sets a parameter that has no value yet. */
static void
parameters_default(struct conninfo_parameters *parameters, const char *key, const char *value)
{
        if (parameters_find(parameters, key) == NULL)
                parameters_set(parameters, key, value);
}

/* Whether the user has root certificates of his own where libpq looks for them. Those that cannot
 * be read are no reason to trust others. */
static bool
conninfo_own_roots_exist(const struct conninfo *info)
{
        struct stat found;

        return info->own_roots != NULL && stat(info->own_roots, &found) == 0;
}

/* Returns a sslrootcert that stands for the system's root certificates: "system" where libpq knows
 * that word, else a file where systems keep them, else NULL. */
static const char *
conninfo_system_roots(void)
{
        static const char *const bundles[] = {"/etc/ssl/certs/ca-certificates.crt",
                                              "/etc/pki/tls/certs/ca-bundle.crt",
                                              "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

        if (pipit__pq_has_system_roots())
                return "system";
        for (size_t i = 0; i < sizeof bundles / sizeof bundles[0]; i++) {
                if (access(bundles[i], R_OK) == 0)
                        return bundles[i];
        }
        return NULL;
}

/* Makes the connect safe where nobody said otherwise. libpq's defaults let in anybody who sits in
 * the middle, so a host that is not this machine must prove who it is. */
static void
parameters_secure(const struct conninfo *info, const struct endpoint *endpoint,
                  struct conninfo_parameters *parameters)
{
        bool local = endpoint->address[0] == '\0' || pipit__address_is_local(endpoint->address);

        if (!info->settings.sslmode_given && info->sslmode != NULL)
                parameters_set(parameters, "sslmode", info->sslmode);
        else if (!info->settings.sslmode_given && !local)
                parameters_set(parameters, "sslmode", "verify-full");
        if (parameters_have(parameters, "sslmode", "verify-full") &&
            parameters_lack(parameters, "sslrootcert") && !conninfo_own_roots_exist(info) &&
            conninfo_system_roots() != NULL)
                parameters_set(parameters, "sslrootcert", conninfo_system_roots());
}

/* Keeps Kerberos out, whose libraries block: the server must not ask for it, and encryption by it
 * is used only if somebody requires it. */
static void
parameters_keep_off_gss(struct conninfo_parameters *parameters)
{
        if (parameters_have(parameters, "gssencmode", "prefer"))
                parameters_set(parameters, "gssencmode", "disable");
        if (pipit__pq_has_require_auth() && parameters_lack(parameters, "require_auth"))
                parameters_set(parameters, "require_auth", "!gss,!sspi");
}

/* Keeps a password file from libpq of which it would complain on stderr. With a password it does
 * not look at one. */
static void
parameters_guard_passfile(const struct conninfo *info, struct conninfo_parameters *parameters)
{
        if (parameters_lack(parameters, "password"))
                parameters_set(parameters, "passfile", pipit__passfile_path(info->passfile));
}

void
pipit__conninfo_parameters(const struct conninfo *info, const struct endpoint *endpoint,
                           struct conninfo_parameters *ret_parameters)
{
        struct conninfo_parameters *parameters = ret_parameters;
        const char *password = info->password != NULL ? info->password(info->password_arg) : NULL;

        parameters->n = 0;
        for (int i = 0; i < info->settings.n; i++)
                parameters_set(parameters, info->settings.keys[i], info->settings.values[i]);
        parameters_set(parameters, "host", endpoint->host->host);
        parameters_set(parameters, "hostaddr", endpoint->address);
        parameters_set(parameters, "port", endpoint->host->port);
        parameters_set(parameters, "client_encoding", "UTF8");
        if (password != NULL)
                parameters_set(parameters, "password", password);
        if (info->prefer_standby)
                parameters_set(parameters, "target_session_attrs",
                               endpoint->standby ? "standby" : "any");
        parameters_default(parameters, "fallback_application_name", "pipit");
        /* With these defaults a link that died without a word is noticed in seconds while nothing
         * is on its way to the server. There is no tcp_user_timeout: a server that waits for a lock
         * does not read, and Linux takes its closed window for a silence. */
        parameters_default(parameters, "keepalives_idle", "10");
        parameters_default(parameters, "keepalives_interval", "5");
        parameters_default(parameters, "keepalives_count", "3");
        parameters_secure(info, endpoint, parameters);
        parameters_keep_off_gss(parameters);
        parameters_guard_passfile(info, parameters);
        parameters->keys[parameters->n] = NULL;
        parameters->values[parameters->n] = NULL;
}
