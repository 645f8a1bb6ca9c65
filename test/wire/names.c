/*
 * The scripted name server. See names.h.
 */
#include "names.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TYPE_A    1
#define TYPE_AAAA 28

#define RCODE_SERVFAIL 2
#define RCODE_NXDOMAIN 3

struct dns dns;
/* A name server that is asked first and never answers. */
static int silent_server = -1;

static char folder[64];
char resolv_conf[100];
char hosts[100];
const struct resolver_files own_files = {resolv_conf, hosts};

static struct reactor *reactor;

void
file_write(const char *path, const char *text)
{
        FILE *file = fopen(path, "w");

        ck_assert_ptr_nonnull(file);
        fputs(text, file);
        ck_assert_int_eq(fclose(file), 0);
}

/* Puts the record that was asked for behind the question; its length. */
static size_t
dns_put_record(unsigned char *out, int type)
{
        static const unsigned char a[] = {0xc0, 12, 0, TYPE_A, 0,   1, 0, 0,
                                          0,    60, 0, 4,      127, 0, 0, 1};
        static const unsigned char aaaa[] = {0xc0, 12, 0, TYPE_AAAA, 0, 1, 0, 0, 0, 60,
                                             0,    16, 0, 0,         0, 0, 0, 0, 0, 0,
                                             0,    0,  0, 0,         0, 0, 0, 1};

        if (type == TYPE_A)
                memcpy(out, a, sizeof a);
        else
                memcpy(out, aaaa, sizeof aaaa);
        return type == TYPE_A ? sizeof a : sizeof aaaa;
}

/* Makes an answer of a question in place; its length. */
static size_t
dns_answer(unsigned char *packet, size_t n)
{
        size_t end = 12;

        while (end < n && packet[end] != 0)
                end += packet[end] + 1u;
        int type = packet[end + 2];
        bool known = dns.mode == DNS_ANSWERS || dns.mode == DNS_CUT_SOME ||
                     (dns.mode == DNS_IPV4_ONLY && type == TYPE_A);
        end += 5;
        packet[2] = 0x81;
        packet[3] = 0x80;
        if (dns.mode == DNS_CUT || dns.mode == DNS_CUT_SOME)
                packet[2] |= 2;
        if (dns.mode == DNS_NXDOMAIN)
                packet[3] |= RCODE_NXDOMAIN;
        if (dns.mode == DNS_SERVFAIL)
                packet[3] |= RCODE_SERVFAIL;
        memset(packet + 6, 0, 6);
        packet[7] = known;
        if (known)
                end += dns_put_record(packet + end, type);
        if (dns.mode == DNS_GARBAGE)
                memset(packet + 2, 0xff, end - 2);
        return end;
}

static void
dns_on_query(evutil_socket_t fd, short what, void *arg)
{
        unsigned char packet[600];
        struct sockaddr_in from;
        socklen_t length = sizeof from;

        (void)what;
        (void)arg;
        ssize_t n = recvfrom(fd, packet, 512, 0, (struct sockaddr *)&from, &length);
        if (n < 17)
                return;
        dns.n_queries++;
        if (dns.mode != DNS_SILENT)
                sendto(fd, packet, dns_answer(packet, (size_t)n), 0, (struct sockaddr *)&from,
                       length);
}

/* Answers by TCP with 60 addresses, one question for each connection. */
static void
dns_on_tcp_query(evutil_socket_t from, short what, void *arg)
{
        unsigned char packet[2000];
        ssize_t n = recv(from, packet + 2, 514, 0) - 2; /* its length stands in front */

        (void)what;
        (void)arg;
        ck_assert_int_gt(n, 17);
        dns.n_tcp++;
        memmove(packet + 2, packet + 4, (size_t)n);
        int type = packet[2 + n - 3];
        packet[4] = 0x81;
        packet[5] = 0x80;
        packet[9] = 60;
        size_t end = 2 + (size_t)n;
        for (int i = 0; i < 60; i++)
                end += dns_put_record(packet + end, type);
        packet[0] = (unsigned char)((end - 2) >> 8);
        packet[1] = (unsigned char)(end - 2);
        ck_assert_int_eq(send(from, packet, end, 0), (ssize_t)end);
        close(from);
}

static void
dns_on_tcp(evutil_socket_t fd, short what, void *arg)
{
        int from = accept(fd, NULL, NULL);

        (void)what;
        (void)arg;
        ck_assert_int_ge(from, 0);
        ck_assert_int_eq(event_base_once(live_base, from, EV_READ, dns_on_tcp_query, NULL, NULL),
                         0);
}

void
dns_open_tcp(void)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                      .sin_port = htons((uint16_t)dns.port)};
        int on = 1;

        dns.tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(dns.tcp, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        ck_assert_int_eq(bind(dns.tcp, (struct sockaddr *)&address, sizeof address), 0);
        ck_assert_int_eq(listen(dns.tcp, 5), 0);
        dns.tcp_event = event_new(live_base, dns.tcp, EV_READ | EV_PERSIST, dns_on_tcp, NULL);
        ck_assert_int_eq(event_add(dns.tcp_event, NULL), 0);
}

static void
dns_open(void)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;

        dns = (struct dns){.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                           .tcp = -1};
        ck_assert_int_eq(bind(dns.fd, (struct sockaddr *)&address, length), 0);
        ck_assert_int_eq(getsockname(dns.fd, (struct sockaddr *)&address, &length), 0);
        dns.port = ntohs(address.sin_port);
        dns.event = event_new(live_base, dns.fd, EV_READ | EV_PERSIST, dns_on_query, NULL);
        ck_assert_int_eq(event_add(dns.event, NULL), 0);
}

static void
nothing(void *arg)
{
        (void)arg;
}

void
names_setup(void)
{
        char text[64];

        wire_setup_tcp();
        dns_open();
        snprintf(folder, sizeof folder, "/tmp/pipit-wire-XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(folder));
        snprintf(resolv_conf, sizeof resolv_conf, "%s/resolv.conf", folder);
        snprintf(hosts, sizeof hosts, "%s/hosts", folder);
        snprintf(text, sizeof text, "nameserver 127.0.0.1:%d\n", dns.port);
        file_write(resolv_conf, text);
        file_write(hosts, "127.0.0.1 localhost here.test\n::1 six.test\n");
        reactor = pipit__reactor_new(live_base, 0, nothing, NULL);
        ck_assert_ptr_nonnull(reactor);
}

void
names_teardown(void)
{
        pipit_close(live_db);
        live_db = NULL;
        event_free(dns.event);
        close(dns.fd);
        if (dns.tcp >= 0) {
                event_free(dns.tcp_event);
                close(dns.tcp);
        }
        if (silent_server >= 0)
                close(silent_server);
        silent_server = -1;
        unlink(resolv_conf);
        unlink(hosts);
        rmdir(folder);
        server_free(wire_server);
        wire_server = NULL;
        pipit__reactor_free(reactor);
        wire_teardown();
}

static void
on_found(const struct dns_found *came, void *arg)
{
        struct found *found = arg;

        found->n_calls++;
        found->n = came->addresses.n;
        for (size_t i = 0; i < found->n && i < 4; i++)
                snprintf(found->addresses[i], sizeof found->addresses[i], "%s",
                         came->addresses.texts[i]);
        snprintf(found->problem, sizeof found->problem, "%s",
                 came->problem != NULL ? came->problem : "");
}

struct dns_query *
dns_query_start(const char *host, struct found *found)
{
        struct dns_query *query =
                pipit__dns_query_start(reactor, &own_files, host, on_found, found);

        ck_assert_ptr_nonnull(query);
        ck_assert_int_eq(found->n_calls, 0);
        return query;
}

struct found
look_up(const char *host)
{
        struct found found = {0};

        dns_query_start(host, &found);
        loop_until(&found.n_calls, 1);
        ck_assert_int_eq(found.n_calls, 1);
        return found;
}

bool
found_has(const struct found *found, const char *address)
{
        for (size_t i = 0; i < found->n; i++) {
                if (strcmp(found->addresses[i], address) == 0)
                        return true;
        }
        return false;
}

/* Puts a name server in front of the one that answers: one that is silent, or one where nobody is.
 */
void
dns_put_in_front(bool is_silent)
{
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;
        char text[100];

        silent_server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        ck_assert_int_eq(bind(silent_server, (struct sockaddr *)&address, length), 0);
        ck_assert_int_eq(getsockname(silent_server, (struct sockaddr *)&address, &length), 0);
        snprintf(text, sizeof text, "nameserver 127.0.0.1:%d\nnameserver 127.0.0.1:%d\n",
                 ntohs(address.sin_port), dns.port);
        file_write(resolv_conf, text);
        if (is_silent)
                return;
        close(silent_server);
        silent_server = -1;
}
