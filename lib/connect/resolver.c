/*
 * The resolver asks libevent's evdns. See resolver.h.
 *
 * Each DNS query has an evdns base of its own and frees it: an evdns base that is kept watches its
 * name servers, and so an idle database would not be idle. evdns may answer before its start
 * returns, and frees things after its callbacks have returned. So the answer and the end of the
 * base both travel through an event of the query's own.
 */
#include "connect/resolver.h"

#include <arpa/inet.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/reactor.h"

#define DNS_QUERY_MAX_ADDRESSES 32

enum dns_query_state {
        DNS_QUERY_ASKING,   /* evdns has not answered; only its events are in the loop */
        DNS_QUERY_ANSWERED, /* the tell event is active and will call fn */
        DNS_QUERY_CANCELED  /* fn is not called; the tell event will free the query */
};

struct dns_query {
        enum dns_query_state state;
        bool done; /* evdns has called back */
        struct reactor *reactor;
        struct event *tell; /* made active when evdns has called back */
        struct evdns_base *dns;
        struct evdns_getaddrinfo_request *asked; /* evdns's own; NULL unless it is asking */
        pipit__dns_query_fn fn;
        void *arg;
        size_t n; /* addresses that were found; the first ones */
        char addresses[DNS_QUERY_MAX_ADDRESSES][INET6_ADDRSTRLEN];
        char problem[128]; /* "" unless evdns failed */
};

const struct resolver_files pipit__resolver_system_files = {"/etc/resolv.conf", "/etc/hosts"};

bool
pipit__resolver_is_address(const char *host)
{
        struct sockaddr_storage address;
        int length = sizeof address;

        if (host[0] == '\0' || host[0] == '/' || host[0] == '@')
                return true;
        struct in6_addr any;
        if (inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1)
                return true;
        /* An address may have a scope, as fe80::1%eth0 has. */
        return strchr(host, '%') != NULL &&
               evutil_parse_sockaddr_port(host, (struct sockaddr *)&address, &length) == 0;
}

bool
pipit__resolver_is_local(const char *host)
{
        struct in_addr address;

        if (inet_pton(AF_INET, host, &address) == 1)
                return ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
        return host[0] == '\0' || host[0] == '/' || host[0] == '@' ||
               strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0;
}

static void
dns_query_free(struct dns_query *query)
{
        if (query->dns != NULL)
                evdns_base_free(query->dns, 0);
        if (query->tell != NULL)
                event_free(query->tell);
        pipit__reactor_guest_left(query->reactor);
        free(query);
}

/* Calls fn and frees the query, from the loop, once evdns has called back and is off the stack. */
static void
dns_query_on_tell(evutil_socket_t fd, short what, void *arg)
{
        struct dns_query *query = arg;
        struct reactor *reactor = query->reactor;

        (void)fd;
        (void)what;
        if (query->state == DNS_QUERY_ANSWERED) {
                const char *addresses[DNS_QUERY_MAX_ADDRESSES];
                for (size_t i = 0; i < query->n; i++)
                        addresses[i] = query->addresses[i];
                query->state = DNS_QUERY_CANCELED;
                pipit__reactor_enter(reactor);
                query->fn(addresses, query->n, query->problem, query->arg);
                pipit__reactor_leave(reactor);
        }
        dns_query_free(query);
}

/* Keeps one address of the answer; those that are too many are left out. */
static void
dns_query_add(struct dns_query *query, const struct addrinfo *info)
{
        const void *address = NULL;

        if (info->ai_family == AF_INET)
                address = &((const struct sockaddr_in *)(const void *)info->ai_addr)->sin_addr;
        else if (info->ai_family == AF_INET6)
                address = &((const struct sockaddr_in6 *)(const void *)info->ai_addr)->sin6_addr;
        if (address == NULL || query->n == DNS_QUERY_MAX_ADDRESSES)
                return;
        if (evutil_inet_ntop(info->ai_family, address, query->addresses[query->n],
                             INET6_ADDRSTRLEN) != NULL)
                query->n++;
}

static void
dns_query_on_answer(int code, struct evutil_addrinfo *list, void *arg)
{
        struct dns_query *query = arg;

        query->done = true;
        query->asked = NULL;
        if (code != 0)
                snprintf(query->problem, sizeof query->problem, "%s", evutil_gai_strerror(code));
        for (const struct evutil_addrinfo *info = list; info != NULL; info = info->ai_next)
                dns_query_add(query, info);
        if (list != NULL)
                evutil_freeaddrinfo(list);
        if (query->state == DNS_QUERY_ASKING)
                query->state = DNS_QUERY_ANSWERED;
        event_active(query->tell, EV_TIMEOUT, 0);
}

/* Makes what the query needs to ask. 0 or -1. */
static int
dns_query_init(struct dns_query *query, const struct resolver_files *files)
{
        struct event_base *base = pipit__reactor_base(query->reactor);

        query->tell = event_new(base, -1, 0, dns_query_on_tell, query);
        query->dns = evdns_base_new(base, 0);
        if (query->tell == NULL || query->dns == NULL)
                return -1;
        /* Without a resolv.conf libevent asks 127.0.0.1, as resolv.conf(5) says. That reading the
         * file failed is no reason to give up: the hosts file may know the name. */
        evdns_base_resolv_conf_parse(query->dns,
                                     DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC,
                                     files->resolv_conf);
        evdns_base_load_hosts(query->dns, files->hosts);
        return 0;
}

struct dns_query *
pipit__dns_query_start(struct reactor *reactor, const struct resolver_files *files,
                       const char *host, pipit__dns_query_fn fn, void *arg)
{
        struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
        struct dns_query *query = calloc(1, sizeof *query);

        if (query == NULL)
                return NULL;
        *query = (struct dns_query){.reactor = reactor, .fn = fn, .arg = arg};
        pipit__reactor_guest_came(reactor);
        if (dns_query_init(query, files) != 0) {
                dns_query_free(query);
                return NULL;
        }
        struct evdns_getaddrinfo_request *asked =
                evdns_getaddrinfo(query->dns, host, NULL, &hints, dns_query_on_answer, query);
        if (!query->done)
                query->asked = asked;
        return query;
}

void
pipit__dns_query_cancel(struct dns_query *query)
{
        if (query == NULL)
                return;
        query->state = DNS_QUERY_CANCELED;
        /* evdns calls back with EVUTIL_EAI_CANCEL, or has called back already. Either way the tell
         * event frees the query. */
        if (query->asked != NULL)
                evdns_getaddrinfo_cancel(query->asked);
        /* The loop need not turn again, so the sockets go now. */
        evdns_base_clear_nameservers_and_suspend(query->dns);
}
