/*
 * The resolver: looks one host name up without blocking the loop.
 */
#ifndef PIPIT_RESOLVER_INTERNAL_H
#define PIPIT_RESOLVER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

struct dns_query;
struct reactor;

/* Where the system says how names are looked up; only tests name other files. */
struct resolver_files {
        const char *resolv_conf;
        const char *hosts;
};

extern const struct resolver_files pipit__resolver_system_files;

/*
 * addresses are numeric texts in the order to try them, borrowed until the call returns. With none
 * of them, problem says why.
 */
typedef void (*pipit__dns_query_fn)(const char *const *addresses, size_t n, const char *problem,
                                    void *arg);

/* Whether a host needs no DNS query: a numeric address, or a socket's folder. */
bool pipit__resolver_is_address(const char *host);
/* Whether a host is this machine: a socket's folder, a loopback address, localhost. */
bool pipit__resolver_is_local(const char *host);

/*
 * Starts a DNS query; fn is called once, from the loop, never from in here, unless the DNS query is
 * cancelled before. NULL when memory ran out or the system's files could not be used.
 */
struct dns_query *
pipit__dns_query_start(struct reactor *reactor, const struct resolver_files *files,
                       const char *host, pipit__dns_query_fn fn, void *arg);
/* Ends a DNS query before fn was called; fn is not called any more. NULL does nothing. */
void pipit__dns_query_cancel(struct dns_query *query);

#endif
