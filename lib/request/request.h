/*
 * A request is one outstanding operation, from its start to its last callback.
 *
 * 1. A request has one holder at any time: the queue, the connection, the coalesced statement or
 * the scope that has it. The holder's ops say what cancel and expiry mean there.
 * 2. pipit__request_enter() alone changes the state and the holder, and tells the holder that the
 *    request leaves.
 * 3. A request completes by running its frames, the last pushed first, and then the callbacks of
 *    the user. A frame hands the result on with pipit__request_next(), or has the request run
 *    another statement with pipit__request_again().
 *
 * The rooms pool/ and scope/ hold requests, conn/ sends and answers them; requests.h has the table
 * of all requests of a database.
 */
#ifndef PIPIT_REQUEST_INTERNAL_H
#define PIPIT_REQUEST_INTERNAL_H

#include <pipit/request.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"
#include "base/list.h"
#include "result/result.h"

struct bound_stmt;
struct coalesce_rule;
struct hangup;
struct latency;
struct request;
struct requests;
struct stmt;
struct subscope;

enum request_kind {
        REQUEST_STATEMENT, /* runs a statement, or has failed before it had one */
        REQUEST_SUBSCOPE,  /* completes when the subscope that it opened ends */
        REQUEST_DRAIN      /* completes when nothing else is outstanding */
};

enum request_state {
        REQUEST_NEW,     /* in no list: the request is being made, or made ready to run again */
        REQUEST_HELD,    /* in no list: the request waits for something else than a connection */
        REQUEST_WAITING, /* in the dispatcher's queue, for a connection */
        REQUEST_QUEUED,  /* in the queue of a session or a transaction, for its turn */
        REQUEST_SENT,    /* owed an answer: by a connection, or through a coalesced statement */
        REQUEST_ENDING,  /* in the list of what completes at the end of the turn */
        REQUEST_DONE     /* in no list: frames and callbacks run */
};

/* The ops of a holder say what cancel, expiry and leaving mean there. An op that is NULL does
 * nothing. */
struct holder_ops {
        /* Names what the request waits for, for errors and traces: "a connection". */
        const char *(*waits_for)(const struct request *req);
        /* The caller gives the request up, for a reason given as a clause: "it was cancelled". */
        void (*cancel)(struct request *req, const char *reason);
        /* The request's time is over. */
        void (*expire)(struct request *req);
        /* The request goes to another holder, or to none. */
        void (*leave)(struct request *req);
        /* The request was given another deadline. */
        void (*reschedule)(struct request *req);
};

typedef void (*pipit__frame_fn)(struct request *req, struct pipit_result *res, void *arg);

/* The traits of a statement: its caller's declarations, and how it may be run with others. */
struct request_traits {
        bool is_read;               /* the caller declared that the statement has no effect */
        bool is_grouped;            /* the statement may be committed together with others */
        bool is_coalesced;          /* others wait for its answer, and can run by themselves */
        struct coalesce_rule *rule; /* by which the statement may be coalesced; NULL: it may not */
        int64_t key;                /* of the rule, when that is a number */
};

/* Makes a request of the scope with that result owner, with room for a bound statement of that
 * size, 0 for none. NULL when memory ran out. */
struct request *pipit__request_new(struct requests *requests, struct result_owner *owner,
                                   size_t bound_size, pipit_cb cb, void *arg);
/* Makes a request of the same scope as another, without a callback. NULL when memory ran out. */
struct request *pipit__request_new_beside(const struct request *other, size_t bound_size);
/* Drops a request without running its frames and callbacks. */
void pipit__request_discard(struct request *req);

/* Returns where the bound statement goes, in the request's own block. */
void *pipit__request_block(struct request *req);
/* Gives a new request its statement, whose memory is the request's block. */
void pipit__request_set_stmt(struct request *req, struct bound_stmt *bound,
                             const struct request_traits *traits);
/* Says whether the statement that a request continues with has no effect. */
void pipit__request_set_read(struct request *req, bool is_read);
/* Gives a request a statement in a block of its own, which the request frees. */
void pipit__request_replace_stmt(struct request *req, struct bound_stmt *bound);
/* Says that a new request is no statement: that it opened a subscope, NULL for a drain. */
void pipit__request_set_subscope(struct request *req, struct subscope *subscope);
/* Sets the request's deadlines, in milliseconds from its start: for all of it, and for its wait
 * for a connection; -1: never. */
void pipit__request_set_times(struct request *req, int64_t timeout_ms, int64_t wait_ms);
/* Starts the wait for a connection anew: wait_ms from now_ms on; -1: as long as it takes. */
void pipit__request_wait_from(struct request *req, int64_t now_ms, int64_t wait_ms);

/* ---- what a request is */

pipit_request pipit__request_number(const struct request *req); /* 0 for NULL */
enum request_kind pipit__request_kind(const struct request *req);
enum request_state pipit__request_state(const struct request *req);
/* The subscope that the request opened; NULL when it opened none. */
struct subscope *pipit__request_subscope(const struct request *req);
/* The scope that the request was started on. */
struct pipit *pipit__request_scope(const struct request *req);
struct pipit_result *pipit__request_result(const struct request *req);
/* The statement with its values; NULL when the request runs none. */
struct bound_stmt *pipit__request_bound(const struct request *req);
/* The statement of the request, which has one. */
struct stmt *pipit__request_stmt(const struct request *req);
/* The estimate of how fast that statement is. */
struct latency *pipit__request_latency(const struct request *req);
/* The bytes of the statement and its values; 0 when the request runs none. */
size_t pipit__request_bytes(const struct request *req);
bool pipit__request_is_read(const struct request *req);
bool pipit__request_is_grouped(const struct request *req);
bool pipit__request_is_coalesced(const struct request *req);
/* Whether the request shares a Sync, and so may run again: a read, or a grouped write. */
bool pipit__request_may_share(const struct request *req);
/* Whether the request continues with another statement than it was started with. */
bool pipit__request_continues(const struct request *req);
int64_t pipit__request_started_ms(const struct request *req);
/* Milliseconds since the request was started. */
int64_t pipit__request_waited_ms(const struct request *req);
int64_t pipit__request_deadline_ms(const struct request *req);

/* ---- holders and states */

/* Moves a request to a state and a holder, ops NULL for none; the former holder is told. The
 * request is in no list afterwards. */
void pipit__request_enter(struct request *req, enum request_state state,
                          const struct holder_ops *ops, void *holder);
/* The holder; NULL when there is none. */
void *pipit__request_holder(const struct request *req);
const struct holder_ops *pipit__request_holder_ops(const struct request *req);
/* Names what the request waits for; "nothing" when no holder says. */
const char *pipit__request_waits_for(const struct request *req);
/* Has the holder give the request up, for its caller. */
void pipit__request_cancel(struct request *req, const char *reason);
/* Sets the deadline, and tells the holder; does nothing once the request is ending. */
void pipit__request_set_deadline(struct request *req, int64_t deadline_ms);
/* Has the timer look at the deadlines that hold in the request's present state. */
void pipit__request_arm(struct request *req);

/* ---- lists of requests: a request is in at most one */

struct request *pipit__request_of(struct list *link);
/* The first request of a list that is not empty. */
struct request *pipit__request_first(const struct list *list);
/* The next request in a list; NULL when this is the last. */
struct request *pipit__request_after(const struct list *list, const struct request *req);
/* Takes a request out of the list it is in, and puts it at the end, or the start, of another. */
void pipit__request_append(struct request *req, struct list *list);
void pipit__request_prepend(struct request *req, struct list *list);

/* ---- frames and callbacks */

/* Adds a frame in front; there is always room for two. 0 or PIPIT_ENOMEM. */
int pipit__request_push(struct request *req, pipit__frame_fn fn, void *arg);
/* Adds a callback after all others. 0 or PIPIT_ENOMEM. */
int pipit__request_then(struct request *req, pipit_cb cb, void *arg);
/* Takes over a watch that cancels the request when its client goes away, in the place of another
 * one; it ends when the request's number does. 0, or PIPIT_ENOMEM: the watch is freed. */
COLD int pipit__request_set_hangup(struct request *req, struct hangup *hangup);
/* Ends that watch, if there is one. */
COLD void pipit__request_end_hangup(struct request *req);
/* Replaces the first callback. */
void pipit__request_set_callback(struct request *req, pipit_cb cb, void *arg);
/* The argument of the first callback. */
void *pipit__request_callback_arg(const struct request *req);

/* ---- ends */

/* Lets a request, whose result is set, complete at the end of the turn. */
void pipit__request_end(struct request *req);
/* Fails the request, and lets it complete at the end of the turn. */
COLD void
pipit__request_fail(struct request *req, enum pipit_code code, enum pipit_executed executed,
                    enum pipit_phase phase, const char *format, ...) PIPIT_PRINTF(5, 6);
/* Fails the request with a copy of an error, unless it has failed already, and lets it complete at
 * the end of the turn. */
COLD void pipit__request_fail_like(struct request *req, const struct pipit_error *error);
/* Completes a request now: only from the loop. The request may be gone when this returns. */
void pipit__request_complete(struct request *req);
/* A frame hands the result on, as the last thing that it does. */
void pipit__request_next(struct request *req, struct pipit_result *res);
/* A frame takes the request back to run another statement, at the start of a block that the request
 * frees. The request has a new result then. 0 or PIPIT_ENOMEM. */
int pipit__request_again(struct request *req, struct bound_stmt *bound);

/* Has the processor fetch a request, its result and all, while something else is done: nothing of
 * it is read. */
void pipit__request_prefetch(const struct request *req);

/* ---- sharing a Sync: how a request was sent with others, and what it may do next */

/* Notes that the request is sent with so many statements in one group, itself among them. */
void pipit__request_set_group(struct request *req, int n);
/* The most statements that the request may be sent with; 0: any number. */
int pipit__request_max_group(const struct request *req);
/* Has the request run by itself from now on: what becomes of it is nobody else's matter. */
void pipit__request_run_alone(struct request *req);
/* Notes that the server skipped the request in its group: its next group is as large once, then
 * half as large, then it runs alone. */
void pipit__request_skipped(struct request *req);
/* Notes that the request runs again because its connection was lost; returns how often that is. */
int pipit__request_add_loss(struct request *req);
int pipit__request_losses(const struct request *req);
/* Has the request run by itself, and nothing else be sent on its connection meanwhile: what its
 * statement does to that is nobody else's matter. */
void pipit__request_isolate(struct request *req);
bool pipit__request_is_isolated(const struct request *req);
/* How often the statement was prepared anew for this request. */
int pipit__request_reprepares(const struct request *req);
void pipit__request_add_reprepare(struct request *req);

/* ---- a request that may fail in its transaction */

bool pipit__request_may_fail(const struct request *req);
void pipit__request_set_may_fail(struct request *req);

/* ---- coalescing */

/* The rule by which the request may be coalesced now; NULL when it may not. */
struct coalesce_rule *pipit__request_rule(const struct request *req);
void pipit__request_drop_rule(struct request *req);
int64_t pipit__request_key(const struct request *req);

#endif
