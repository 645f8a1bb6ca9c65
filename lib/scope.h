/*
 * Scopes, from the inside: what a database, and a blocking scope, consist of.
 */
#ifndef PIPIT_SCOPE_INTERNAL_H
#define PIPIT_SCOPE_INTERNAL_H

#include "conninfo.h"
#include "dispatch.h"
#include "list.h"
#include "log.h"
#include "owner.h"
#include "pool.h"
#include "request.h"
#include "shape.h"

#include <pipit/scope.h>
#include <stdbool.h>

struct event_base;
struct kept;
struct lookups;

enum scope_state {
        SCOPE_OPEN,     /* takes requests */
        SCOPE_BROKEN,   /* something was wrong when it was opened: error says what */
        SCOPE_DRAINING, /* goes on with what it has, takes nothing new */
        SCOPE_CLOSED    /* pipit_close() was called; freed behind its last callback */
};

struct pipit {
        enum scope_state state;
        struct owner owner;
        struct reactor *reactor;
        struct pipit_options options; /* no default is open in it */
        char *url;
        struct conninfo info;
        struct log log;
        struct shapes shapes;
        struct lookups *lookups;
        bool coalesces;     /* gets may become one statement */
        bool groups_writes; /* writes may be committed together */
        struct pool pool;
        struct dispatch dispatch;
        struct requests requests;
        struct request *drain;    /* of pipit_drain(), while it waits */
        struct pipit_error error; /* why it is broken; its message is error_text */
        char *error_text;
        bool sync_allowed;    /* pipit_set_allow_sync() */
        struct list children; /* blocking scopes that were opened on it */
        struct list link;     /* in its parent's children */
        struct kept *kept;    /* of a blocking scope; NULL for a database */
        bool waiting;         /* a pipit_wait() is on the stack */
};

/* Opens a scope on a base, or on a private one when base is NULL. NULL when memory ran out. */
struct pipit *
pipit__scope_new(struct event_base *base, const char *url, const struct pipit_options *options);
/* Makes a scope refuse every request with this. */
void pipit__scope_break(struct pipit *scope, enum pipit_code code, const char *format, ...)
        PIPIT_PRINTF(3, 4);

/* Whether this call may use the scope at all: there is one, and it belongs to this thread. */
bool pipit__scope_is_mine(const struct pipit *scope);

/* A new request of the scope, with its frames in a blocking one; NULL when memory ran out. */
struct request *
pipit__scope_request(struct pipit *scope, size_t statement_size, pipit_cb cb, void *arg);

#endif
