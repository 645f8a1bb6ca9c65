/*
 * The resolver. See resolver.h.
 *
 * Each look-up has an evdns base of its own, which goes with it: an evdns base that is kept watches
 * its name servers, and so an idle database would not be idle. evdns may answer before its start
 * returns, and frees things behind its callbacks, so the answer and the end of the base both travel
 * through an event of the look-up's own.
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

#define LOOKUP_MAX_ADDRESSES 32

enum lookup_state {
        LOOKUP_ASKING,   /* evdns has not answered; nothing but its events */
        LOOKUP_ANSWERED, /* the event that tells fn is active */
        LOOKUP_CANCELED  /* fn is not told; what is left is freed */
};

struct lookup {
        enum lookup_state state;
        bool done; /* evdns has called back */
        struct reactor *reactor;
        struct event *tell;
        struct evdns_base *dns;
        struct evdns_getaddrinfo_request *asked;
        pipit__lookup_fn fn;
        void *arg;
        size_t n;
        char addresses[LOOKUP_MAX_ADDRESSES][INET6_ADDRSTRLEN];
        char problem[128];
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
        /* With a scope, as fe80::1%eth0. */
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
lookup_free(struct lookup *lookup)
{
        if (lookup->dns != NULL)
                evdns_base_free(lookup->dns, 0);
        if (lookup->tell != NULL)
                event_free(lookup->tell);
        pipit__reactor_guest_left(lookup->reactor);
        free(lookup);
}

/* Runs on the loop once evdns has called back and is off the stack. */
static void
lookup_on_tell(evutil_socket_t fd, short what, void *arg)
{
        struct lookup *lookup = arg;
        struct reactor *reactor = lookup->reactor;

        (void)fd;
        (void)what;
        if (lookup->state == LOOKUP_ANSWERED) {
                const char *addresses[LOOKUP_MAX_ADDRESSES];
                for (size_t i = 0; i < lookup->n; i++)
                        addresses[i] = lookup->addresses[i];
                lookup->state = LOOKUP_CANCELED;
                pipit__reactor_enter(reactor);
                lookup->fn(addresses, lookup->n, lookup->problem, lookup->arg);
                pipit__reactor_leave(reactor);
        }
        lookup_free(lookup);
}

static void
lookup_add(struct lookup *lookup, const struct addrinfo *info)
{
        const void *address = NULL;

        if (info->ai_family == AF_INET)
                address = &((const struct sockaddr_in *)(const void *)info->ai_addr)->sin_addr;
        else if (info->ai_family == AF_INET6)
                address = &((const struct sockaddr_in6 *)(const void *)info->ai_addr)->sin6_addr;
        if (address == NULL || lookup->n == LOOKUP_MAX_ADDRESSES)
                return;
        if (evutil_inet_ntop(info->ai_family, address, lookup->addresses[lookup->n],
                             INET6_ADDRSTRLEN) != NULL)
                lookup->n++;
}

static void
lookup_on_answer(int code, struct evutil_addrinfo *list, void *arg)
{
        struct lookup *lookup = arg;

        lookup->done = true;
        lookup->asked = NULL;
        if (code != 0)
                snprintf(lookup->problem, sizeof lookup->problem, "%s", evutil_gai_strerror(code));
        for (const struct evutil_addrinfo *info = list; info != NULL; info = info->ai_next)
                lookup_add(lookup, info);
        if (list != NULL)
                evutil_freeaddrinfo(list);
        if (lookup->state == LOOKUP_ASKING)
                lookup->state = LOOKUP_ANSWERED;
        event_active(lookup->tell, EV_TIMEOUT, 0);
}

static int
lookup_init(struct lookup *lookup, const struct resolver_files *files)
{
        struct event_base *base = pipit__reactor_base(lookup->reactor);

        lookup->tell = event_new(base, -1, 0, lookup_on_tell, lookup);
        lookup->dns = evdns_base_new(base, 0);
        if (lookup->tell == NULL || lookup->dns == NULL)
                return -1;
        /* Without a resolv.conf libevent asks 127.0.0.1, as resolv.conf(5) says; that it fails
         * then is no reason to give up, for the hosts file may know the name. */
        evdns_base_resolv_conf_parse(lookup->dns,
                                     DNS_OPTION_SEARCH | DNS_OPTION_NAMESERVERS | DNS_OPTION_MISC,
                                     files->resolv_conf);
        evdns_base_load_hosts(lookup->dns, files->hosts);
        return 0;
}

struct lookup *
pipit__lookup_start(struct reactor *reactor, const struct resolver_files *files, const char *host,
                    pipit__lookup_fn fn, void *arg)
{
        struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
        struct lookup *lookup = calloc(1, sizeof *lookup);

        if (lookup == NULL)
                return NULL;
        *lookup = (struct lookup){.reactor = reactor, .fn = fn, .arg = arg};
        pipit__reactor_guest_came(reactor);
        if (lookup_init(lookup, files) != 0) {
                lookup_free(lookup);
                return NULL;
        }
        struct evdns_getaddrinfo_request *asked =
                evdns_getaddrinfo(lookup->dns, host, NULL, &hints, lookup_on_answer, lookup);
        if (!lookup->done)
                lookup->asked = asked;
        return lookup;
}

void
pipit__lookup_cancel(struct lookup *lookup)
{
        if (lookup == NULL)
                return;
        lookup->state = LOOKUP_CANCELED;
        /* Either evdns calls back with EVUTIL_EAI_CANCEL, or it has called back already: the tell
         * event frees the look-up. */
        if (lookup->asked != NULL)
                evdns_getaddrinfo_cancel(lookup->asked);
}
