/*
 * A scope is a place where requests run: a database, a blocking scope (a database with a loop of
 * its own), or a subscope (a session, a transaction or a test scope on a database).
 *
 * 1. Each kind of scope has a table of ops; nothing else tells kinds apart, but the database's own
 *    file and the subscopes'.
 * 2. pipit__scope_enter() alone changes the state. A scope that is closed takes nothing new.
 * 3. The memory of a scope goes after its last callback, by its kind's own rule.
 *
 * Everything that a program calls on a scope comes through here first: query.c, transaction.c,
 * sync.c and the room record/.
 */
#ifndef PIPIT_SCOPE_INTERNAL_H
#define PIPIT_SCOPE_INTERNAL_H

#include <pipit/error.h>
#include <pipit/options.h>
#include <pipit/request.h>
#include <pipit/scope.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"
#include "base/list.h"

struct coalesce_rules;
struct refusal;
struct request;
struct stmt;
struct wait_results;

enum scope_state {
        SCOPE_OPEN,     /* takes requests */
        SCOPE_BROKEN,   /* something was wrong when it was opened: its error says what */
        SCOPE_DRAINING, /* goes on with what it has, takes nothing new */
        SCOPE_CLOSED    /* has ended; freed after its last callback */
};

/* Whether a call may use the scope at all: there is one, and it belongs to this thread. */
bool pipit__scope_is_mine(const struct pipit *scope);
/* Whether the scope is a database or a blocking scope; else it is a subscope of one. */
bool pipit__scope_is_database(const struct pipit *scope);
bool pipit__scope_is_open(const struct pipit *scope);
bool pipit__scope_is_closed(const struct pipit *scope);
bool pipit__scope_is_draining(const struct pipit *scope);
/* Whether a request that runs already may go on with another statement. */
bool pipit__scope_may_continue(const struct pipit *scope);

/* Makes a scope refuse every request with this. */
void pipit__scope_break(struct pipit *scope, enum pipit_code code, const char *format, ...)
        PIPIT_PRINTF(3, 4);

/* ---- requests */

/* Makes a request of the scope; in a blocking one its result is kept. NULL when memory ran out. */
struct request *
pipit__scope_request(struct pipit *scope, size_t bound_size, pipit_cb cb, void *arg);
/* The request of that number, if it was started on this scope; else NULL. */
struct request *pipit__scope_find(const struct pipit *scope, pipit_request number);
/* The number of a request that was to be started on the scope; NULL, 0, dooms a transaction. */
pipit_request pipit__scope_started(struct pipit *scope, const struct request *req);
/* Whether the scope takes no statement of so many bytes now, although it is open. */
bool pipit__scope_refuses(struct pipit *scope, size_t bytes, struct refusal *ret);
/* Takes a request in, whose statement is set. */
void pipit__scope_add(struct pipit *scope, struct request *req);
/* Takes a request in that has run here before: in front of all others. */
void pipit__scope_add_again(struct pipit *scope, struct request *req);
/* How many requests are outstanding on the scope itself. */
int pipit__scope_n_requests(const struct pipit *scope);

/* ---- what belongs to the scope's database */

/* Whether its connections share their sessions with others, through a pooler; false for a scope
 * that is not mine. */
bool pipit__scope_is_pooled(const struct pipit *scope);

const struct pipit_options *pipit__scope_options(const struct pipit *scope);
int64_t pipit__scope_now_ms(const struct pipit *scope);
/* The statement of a text, with a reference for the caller; NULL when memory ran out. */
struct stmt *pipit__scope_stmt(struct pipit *scope, const char *sql);
struct coalesce_rules *pipit__scope_coalesce_rules(const struct pipit *scope);
/* Whether the scope lets its writes be committed together, and its gets become one statement. */
bool pipit__scope_groups_writes(const struct pipit *scope);
bool pipit__scope_coalesces(const struct pipit *scope);

#endif
