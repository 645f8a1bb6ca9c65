/*
 * The resolver looks host names up without blocking the loop.
 *
 * One DNS query is one name. A query that was started belongs to the resolver, which frees it after
 * it has called back or was cancelled. connect_attempt.c starts one for each host of a URL that is
 * no address.
 */
#ifndef PIPIT_RESOLVER_INTERNAL_H
#define PIPIT_RESOLVER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

struct dns_query;
struct reactor;

/* The files say how names are looked up; only tests name others than the system's. */
struct resolver_files {
        const char *resolv_conf;
        const char *hosts;
};

extern const struct resolver_files pipit__resolver_system_files;

/*
 * Is called with n addresses, numeric texts in the order to try them, or with none of them and the
 * problem that says why. The texts are borrowed until the call returns; the query is gone for the
 * callee then.
 */
typedef void (*pipit__dns_query_fn)(const char *const *addresses, size_t n, const char *problem,
                                    void *arg);

/* Whether a host needs no DNS query: a numeric address, a socket's folder, or "". */
bool pipit__resolver_is_address(const char *host);
/* Whether a host is this machine: a socket's folder, a loopback address, localhost, or "". */
bool pipit__resolver_is_local(const char *host);

/*
 * Starts a DNS query. fn is called once, from the loop and never from in here, unless the query is
 * cancelled before. files and host are borrowed until the call returns, the reactor until the query
 * has left it as a guest. NULL if memory ran out or libevent cannot look names up.
 */
struct dns_query *
pipit__dns_query_start(struct reactor *reactor, const struct resolver_files *files,
                       const char *host, pipit__dns_query_fn fn, void *arg);
/* Ends a DNS query before fn was called; fn is not called any more. Its sockets are closed at once,
 * its memory goes when the loop turns. NULL does nothing. */
void pipit__dns_query_cancel(struct dns_query *query);

#endif
