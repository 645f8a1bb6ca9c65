/*
 * A lease is one connection that what runs on it has for itself, and what is sent on it.
 *
 * 1. A lease has at most one connection at a time, from pipit__lease_take() until that is given
 *    back or lost.
 * 2. One segment is out at a time. Commands of pipit's own (BEGIN, savepoints, their ends) are not
 *    sent by themselves: they go in front of the next segment, and never into one with a statement
 *    whose failure they must undo.
 * 3. On a lease runs the outermost subscope, its root, in which others may be nested; one of them,
 *    the active one, has its turn. Each of them refers to the lease, which lives as long as one
 *    does: its root may be gone before.
 *
 * The subscopes (subscope.h) are its only users.
 */
#ifndef PIPIT_LEASE_INTERNAL_H
#define PIPIT_LEASE_INTERNAL_H

#include <pipit/transaction.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct bracket;
struct conn;
struct conn_error;
struct dispatch;
struct holder_ops;
struct lease;
struct lease_ops;
struct reactor;
struct request;
struct stmt;
struct subscope;

/* The users of leases are told by these. */
struct leases_ops {
        /* Takes one step of what a lease has to do; false when there is none for the moment. */
        bool (*step)(struct lease *lease);
        /* The pause between two attempts is over. */
        void (*pause_over)(struct lease *lease);
};

/* All leases of a database. */
struct leases {
        struct list ready; /* leases that may have something to do at the end of the turn */
        struct reactor *reactor;
        struct dispatch *dispatch; /* where a root's request waits for a connection */
        const struct leases_ops *ops;
        int max_batch;   /* statements that one segment takes */
        unsigned jitter; /* state of the generator of pauses */
};

/* Everything is borrowed. */
void pipit__leases_init(struct leases *leases, const struct leases_ops *ops,
                        struct reactor *reactor, struct dispatch *dispatch, int max_batch);
/* Takes the steps of all leases that are ready; what becomes ready meanwhile has the next turn. */
void pipit__leases_turn(struct leases *leases);
bool pipit__leases_are_ready(const struct leases *leases);

/* Makes a lease with a reference for the caller; NULL when memory ran out. */
struct lease *pipit__lease_new(struct leases *leases);
struct lease *pipit__lease_ref(struct lease *lease);
/* Gives a reference back; the last one frees the lease. NULL does nothing. */
void pipit__lease_unref(struct lease *lease);
struct leases *pipit__lease_leases(const struct lease *lease);
int64_t pipit__lease_now_ms(const struct lease *lease);

/* Has the lease looked at, at the end of the turn. */
void pipit__lease_schedule(struct lease *lease);

/* ---- whose turn it is */

void pipit__lease_set_root(struct lease *lease, struct subscope *root);
/* The outermost subscope; NULL once that is gone. */
struct subscope *pipit__lease_root(const struct lease *lease);
/* The subscope that has its turn; NULL before the first and after the last. */
struct subscope *pipit__lease_active(const struct lease *lease);
void pipit__lease_set_active(struct lease *lease, struct subscope *active);

/* ---- the connection */

/* Takes a free connection; ops are told what becomes of it, with the lease as their argument. -1:
 * the connection was closed instead. */
int pipit__lease_take(struct lease *lease, struct conn *conn, const struct lease_ops *ops);
/* Gives the connection back, if it is there; renew: as new, whatever it may have been left with. */
void pipit__lease_give_back(struct lease *lease, bool renew);
/* Notes that the connection is gone, and why. */
void pipit__lease_lose(struct lease *lease, const struct conn_error *cause);
/* Why the connection is gone; its texts live as long as the lease. */
const struct conn_error *pipit__lease_lost(const struct lease *lease);
/* Has someone, whose link this is, told of a loss. */
void pipit__lease_watch_loss(struct lease *lease, struct list *link);
/* After a loss: takes the next who is to be told off the list; NULL: nobody is. */
struct list *pipit__lease_next_to_tell(struct lease *lease);
bool pipit__lease_has_conn(const struct lease *lease);
/* The statement_timeout of the connection as its server, database or role have it, in milliseconds;
 * 0: none; -1: not known. The connection is there. */
int64_t pipit__lease_statement_timeout_ms(const struct lease *lease);
/* Whether nothing can be sent now: answers are owed, or a cancel is on its way. */
bool pipit__lease_is_busy(const struct lease *lease);
/* Whether the connection is inside of a transaction. */
bool pipit__lease_in_transaction(const struct lease *lease);
/* Whether it is inside of one that has failed. */
bool pipit__lease_in_failed_transaction(const struct lease *lease);
/* Whether the server knows all that was done about the transaction: nothing is owed, and no command
 * that undoes a failure is still to be sent. */
bool pipit__lease_is_settled(const struct lease *lease);
/* Nobody waits for the answer to a sent request any more. */
void pipit__lease_abandon(struct lease *lease, const struct request *req);
/* Forgets the connection, which is a forked child's copy. */
void pipit__lease_drop(struct lease *lease);

/* ---- commands in front of the next segment */

/* Makes room for what savepoints of so many levels can need. 0 or PIPIT_ENOMEM. */
int pipit__lease_reserve(struct lease *lease, int levels);
bool pipit__lease_has_commands(const struct lease *lease);
/* Puts BEGIN in front, and what the options ask for; a timeout of 0 is none. */
void pipit__lease_begin(struct lease *lease, const struct pipit_transaction *options,
                        int64_t statement_timeout_ms);
/* Puts the savepoint of a level in front; or its end. */
void pipit__lease_savepoint(struct lease *lease, int level);
void pipit__lease_end_savepoint(struct lease *lease, int level, bool rollback);
/* Drops the commands and savepoints that are noted: their transaction is over. */
void pipit__lease_forget_commands(struct lease *lease);

/* ---- the savepoint of one statement that may fail */

/* Notes that the next segment is such a statement, whose savepoint has this level. */
void pipit__lease_expect_failure(struct lease *lease, int level);
/* Puts that savepoint in front, if one is noted. */
void pipit__lease_begin_stmt_savepoint(struct lease *lease);
bool pipit__lease_has_stmt_savepoint(const struct lease *lease);
/* The statement has failed: what it did goes with its savepoint. */
void pipit__lease_fail_stmt_savepoint(struct lease *lease);
/* Puts the end of that savepoint in front, if there is one. */
void pipit__lease_end_stmt_savepoint(struct lease *lease);

/* ---- sending: the connection may be lost meanwhile, which its ops are told */

/* Sends the statements of a list, with what is in front of them, as a segment of a transaction; the
 * bracket says what else goes along. What was not sent is left in the list. */
void pipit__lease_send(struct lease *lease, struct list *requests, struct bracket *bracket);
/* Sends the statements of a list each by itself; those that have to wait for an answer stay in it.
 * asks: only the question for the types of the one that is in it. */
void pipit__lease_send_singles(struct lease *lease, struct list *requests,
                               const struct holder_ops *ops, bool asks);
/* Whether the types of a statement are to be asked for before it is sent. */
bool pipit__lease_lacks_types(const struct lease *lease, const struct stmt *stmt);
/* Notes that a ROLLBACK goes out before anything else. */
void pipit__lease_roll_back_next(struct lease *lease);
bool pipit__lease_must_roll_back(const struct lease *lease);
/* Sends that ROLLBACK. */
void pipit__lease_roll_back(struct lease *lease);

/* ---- the pause between two attempts */

/* Begins a pause, the longer the later the attempt. 0 or PIPIT_ENOMEM. */
int pipit__lease_pause(struct lease *lease, int attempt);
bool pipit__lease_pauses(const struct lease *lease);
/* Ends the pause, for nobody waits for it any more. */
void pipit__lease_end_pause(struct lease *lease);

#endif
