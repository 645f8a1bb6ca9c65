/*
 * The inside of scopes, for the files that are a kind of scope.
 */
#ifndef PIPIT_SCOPE_INT_H
#define PIPIT_SCOPE_INT_H

#include "result/result.h"
#include "scope/scope.h"

struct database;
struct owner;
struct requests;

struct scope_ops {
        /* Whether the scope takes no statement of so many bytes now, although it is open. */
        bool (*refuse)(struct pipit *scope, size_t bytes, struct refusal *ret);
        /* Takes a request in, whose statement is set; again: it has run here before. */
        void (*add)(struct pipit *scope, struct request *req, bool again);
        /* A request is gone, callbacks and all. */
        void (*gone)(struct pipit *scope);
        /* Ends the scope, for its user or with its parent, also one that its user has told to end.
         */
        void (*close)(struct pipit *scope);
        /* The user closes a scope that is closed already. NULL: nothing is to be done. */
        void (*release)(struct pipit *scope);
        /* A start on the scope returned 0: there was no memory. NULL: nothing is to be done. */
        void (*out_of_memory)(struct pipit *scope);
        /* Why the scope can be used no more, where its state does not say that or says less; else
         * NULL. NULL: the state always says it. */
        const struct pipit_error *(*error)(const struct pipit *scope);
};

struct pipit {
        const struct scope_ops *ops;
        enum scope_state state;
        struct database *db; /* that it belongs to, or is; the next three are its */
        struct owner *owner;
        struct requests *requests;
        struct wait_results *wait_results; /* NULL where nothing blocks */
        struct result_owner result_owner;  /* of its requests' results */
        struct list subscopes;    /* scopes that were opened on it, and are closed with it */
        struct list link;         /* in its parent's subscopes */
        bool coalesces;           /* gets may become one statement */
        bool groups_writes;       /* writes may be committed together */
        struct pipit_error error; /* why it is broken; its message is error_text */
        char *error_text;
};

/* Makes a scope, all zero before, the one of a database, which has all that a scope borrows. */
void
pipit__scope_init_database(struct pipit *scope, const struct scope_ops *ops, struct database *db,
                           struct owner *owner, struct requests *requests);
/* Makes a scope, all zero before, one on a parent, from which it borrows. */
void
pipit__scope_init_on(struct pipit *scope, const struct scope_ops *ops, const struct pipit *parent);
void pipit__scope_fini(struct pipit *scope);

/* Bounds what the results of the scope may be made into, in bytes. */
void pipit__scope_limit_results(struct pipit *scope, size_t max_bytes);

/* Changes the state; nobody else does. */
void pipit__scope_enter(struct pipit *scope, enum scope_state state);

/* Has the parent close this scope when it closes itself; does nothing when that has been closed. */
void pipit__scope_attach(struct pipit *scope, struct pipit *parent);
/* Has the scope's database close it, at the latest. */
void pipit__scope_attach_to_database(struct pipit *scope);
/* Takes the scope out of its parent. */
void pipit__scope_detach(struct pipit *scope);
/* Closes what was opened on the scope. */
void pipit__scope_close_subscopes(struct pipit *scope);
/* The first scope that was opened on this one; and the next, NULL after the last. */
struct pipit *pipit__scope_first_sub(const struct pipit *scope);
struct pipit *pipit__scope_next_sub(const struct pipit *scope, const struct pipit *sub);

/* A request of the scope is gone. */
void pipit__scope_gone(struct pipit *scope);
/* Whether a request was started on this scope itself. */
bool pipit__scope_has(const struct pipit *scope, const struct request *req);
/* 0 for the owner; PIPIT_EFORK in a forked child; PIPIT_ETHREAD on another thread. */
int pipit__scope_check_owner(const struct pipit *scope);
/* The database that the scope belongs to, or is. */
struct database *pipit__scope_db(const struct pipit *scope);
/* Calls fn for each request that was started on this scope itself; fn may end any of them. */
void pipit__scope_each_request(struct pipit *scope, void (*fn)(struct request *req, void *arg),
                               void *arg);
/* The results that pipit_wait() may ask for; NULL where nothing blocks. */
struct wait_results *pipit__scope_wait_results(const struct pipit *scope);
void pipit__scope_set_wait_results(struct pipit *scope, struct wait_results *wait_results);

#endif
