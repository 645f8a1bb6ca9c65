/*
 * The resolver looks host names up without blocking the loop.
 *
 * One DNS query is one name: its line in the hosts file, or what name servers say. target.c starts
 * one for each host of a URL that is no address. What always holds:
 * 1. A query is freed when it has called back, or is cancelled; nothing of it is left in the loop.
 * 2. A name server that is silent costs a second, if there is another.
 */
#ifndef PIPIT_RESOLVER_INTERNAL_H
#define PIPIT_RESOLVER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "connect/dns_files.h"

struct dns_query;
struct reactor;

extern const struct resolver_files pipit__resolver_system_files;

/* A DNS query finds this: addresses in the order to try them, or a problem. Borrowed. */
struct dns_found {
        struct dns_addresses addresses;
        const char *problem; /* a clause that says why there are none; NULL if there are */
        bool is_local;       /* the problem is what this process lacks */
};

/* Is called with what was found; the query is gone for the callee then. */
typedef void (*pipit__dns_query_fn)(const struct dns_found *found, void *arg);

/*
 * Starts a DNS query. fn is called once, from the loop and never from in here, unless the query is
 * cancelled before. host is borrowed until the call returns, files and the reactor until the query
 * has ended. NULL if memory ran out.
 */
struct dns_query *
pipit__dns_query_start(struct reactor *reactor, const struct resolver_files *files,
                       const char *host, pipit__dns_query_fn fn, void *arg);
/* Ends a DNS query before fn was called; fn is not called any more. NULL does nothing. */
void pipit__dns_query_cancel(struct dns_query *query);

#endif
