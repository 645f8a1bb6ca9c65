/*
 * Databases, from the inside: the scope that has the connections.
 */
#ifndef PIPIT_DATABASE_INTERNAL_H
#define PIPIT_DATABASE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"
#include "base/owner.h"
#include "connect/conninfo.h"
#include "pool/dispatch.h"
#include "pool/pool.h"
#include "request/requests.h"
#include "request/stmt_cache.h"
#include "scope/lease.h"
#include "scope/scope_int.h"

struct event_base;
struct wait_results;
struct coalesce_rules;

struct database {
        struct pipit scope;
        struct owner owner;
        struct reactor *reactor;
        struct pipit_options options; /* no default is open in it */
        char *url;
        bool url_is_read; /* into info; a moment without descriptors puts that off */
        struct conninfo info;
        struct log log;
        struct stmt_cache stmt_cache;
        struct coalesce_rules *rules;
        struct pool pool;
        struct dispatch dispatch;
        struct leases leases;
        struct requests requests;          /* of this scope and of all that are opened on it */
        struct request *drain;             /* of pipit_drain(), while it waits */
        bool sync_allowed;                 /* pipit_set_allow_sync() */
        struct wait_results *wait_results; /* of a blocking scope; NULL otherwise */
        bool waiting;                      /* a pipit_wait() is on the stack */
        bool dealing;                      /* requests are being sent */
        bool deals_again;                  /* a connection came free meanwhile */
};

_Static_assert(offsetof(struct database, scope) == 0, "a database is known by its address");

/* ---- database_url.c */

/* Reads the connection string, unless that was done already. What is wrong with it may be no more
 * than a want of descriptors, for libpq takes a file that it cannot open for one that is not there:
 * then it is unread still. 0 or PIPIT_ENOMEM; PIPIT_EINVAL with *ret_problem, which the caller
 * frees; PIPIT_ELIMIT with *ret_want. */
int pipit__database_read_url(struct database *db, char **ret_problem, const char **ret_want);
/* Sets how long an attempt may take. The option goes first, then what the connection string says.
 */
void pipit__database_set_connect_timeout(struct database *db);
/* Reads what is unread, for the pool, which is about to make a connection. */
int pipit__database_on_prepare(struct conn_error *ret_failure, void *arg);

/* ---- database.c */

/* Looks whether the drain is over, or the database can go, now that a request has gone. */
void pipit__database_look_for_end(struct database *db);
/* Ends a drain that is under way, as a failure. */
void pipit__database_end_drain(struct database *db, enum pipit_code code, const char *text);

/* Gives up all requests that wait for a connection, or for its answer. */
void pipit__database_cancel_all(struct database *db, const char *reason);
/* Ends the sessions and transactions; blocking scopes go on. */
void pipit__database_abort_subscopes(struct database *db, const char *reason);

/* Opens a database on a base, or on a private one when base is NULL. NULL when memory ran out. */
struct database *
pipit__database_new(struct event_base *base, const char *url, const struct pipit_options *options);

#endif
