/*
 * Scopes, from the inside: what all places where requests run have in common.
 *
 * A database is one, a blocking scope is a database with a loop of its own, and sessions and
 * transactions are subscopes of a database. What a request goes through on its kind of scope is in
 * the scope's ops.
 */
#ifndef PIPIT_SCOPE_INTERNAL_H
#define PIPIT_SCOPE_INTERNAL_H

#include <pipit/scope.h>
#include <stdbool.h>

#include "base/list.h"
#include "request/request.h"
#include "result/result.h"

struct database;
struct wait_results;
struct owner;
struct refusal;

enum scope_state {
        SCOPE_OPEN,     /* takes requests */
        SCOPE_BROKEN,   /* something was wrong when it was opened: error says what */
        SCOPE_DRAINING, /* goes on with what it has, takes nothing new */
        SCOPE_CLOSED    /* it has ended; freed behind its last callback */
};

struct scope_ops {
        /* Whether it takes no statement of so many bytes now, although it is open. */
        bool (*refuse)(struct pipit *scope, size_t bytes, struct refusal *ret);
        /* Takes a request in, whose statement is set; again: it has run here before. */
        void (*add)(struct pipit *scope, struct request *req, bool again);
        /* It is abandoned: by its caller, or because its time is over. */
        void (*cancel)(struct pipit *scope, struct request *req, const char *reason);
        void (*expire)(struct pipit *scope, struct request *req);
        /* A request is gone, callbacks and all. */
        void (*gone)(struct pipit *scope);
        void (*close)(struct pipit *scope);
        /* A start on it returned 0: there was no memory. NULL: nothing is to be done. */
        void (*out_of_memory)(struct pipit *scope);
};

struct pipit {
        const struct scope_ops *ops;
        enum scope_state state;
        struct database *db; /* that it belongs to, or is; the next three are its */
        struct owner *owner;
        struct requests *requests;
        struct wait_results *wait_results; /* NULL where nothing blocks */
        struct result_owner result_owner;  /* of its requests' results */
        struct list subscopes;             /* what was opened on it, and is closed with it */
        struct list link;                  /* in its parent's subscopes */
        bool coalesces;                    /* gets may become one statement */
        bool groups_writes;                /* writes may be committed together */
        struct pipit_error error;          /* why it is broken; its message is error_text */
        char *error_text;
};

/* Starts as all zero; what it borrows from its database is set by whoever knows that. */
void pipit__scope_init(struct pipit *scope, const struct scope_ops *ops);
void pipit__scope_fini(struct pipit *scope);

/* Makes a scope refuse every request with this. */
void pipit__scope_break(struct pipit *scope, enum pipit_code code, const char *format, ...)
        PIPIT_PRINTF(3, 4);

/* Whether it is a database; else it is a subscope of one. */
bool pipit__scope_is_database(const struct pipit *scope);

/* Whether this call may use the scope at all: there is one, and it belongs to this thread. */
bool pipit__scope_is_mine(const struct pipit *scope);

/* The scope that a request was started on. */
struct pipit *pipit__request_scope(const struct request *req);

/* The request of that number, if it was started on this scope; else NULL. */
struct request *pipit__scope_find(const struct pipit *scope, pipit_request number);

/* The number of a request that was to be started on it; NULL, 0, dooms a transaction. */
pipit_request pipit__scope_started(struct pipit *scope, const struct request *req);

/* Closes what was opened on it. */
void pipit__scope_close_subscopes(struct pipit *scope);

/* A new request of the scope, with its frames in a blocking one; NULL when memory ran out. */
struct request *
pipit__scope_request(struct pipit *scope, size_t bound_size, pipit_cb cb, void *arg);

#endif
