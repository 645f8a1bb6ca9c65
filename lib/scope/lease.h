/*
 * Leases: a connection that is pinned to what runs on it, and what is sent on it.
 *
 * On a lease runs a subscope (subscope.h), in which others may be nested; one of them, the
 * active one, has its turn. One segment is out at a time. What ends a savepoint is not sent by
 * itself: it goes in front of the next segment, behind no statement whose failure it must undo.
 */
#ifndef PIPIT_LEASE_INTERNAL_H
#define PIPIT_LEASE_INTERNAL_H

#include <pipit/transaction.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "connect/connect_attempt.h"

struct subscope;
struct conn;
struct dispatch;
struct reactor;
struct request;
struct lease_ops;

/* Room for the longest statement of its own. */
#define LEASE_COMMAND_SIZE 96
/* What a level can need between two segments: the end of its savepoint in two statements and that
 * of a guard in it, BEGIN or SAVEPOINT with a setting, and a guard's. */
#define LEASE_FIRST_COMMANDS 7

/* All leases of a database. */
struct leases {
        struct list ready; /* those that may have something to do at the end of the turn */
        struct reactor *reactor;
        struct dispatch *dispatch;
        int max_batch;
        unsigned jitter; /* state of the generator of pauses */
};

struct lease {
        struct list link; /* in leases->ready, or in none */
        struct leases *leases;
        struct conn *conn; /* NULL while it waits for one, and once it is lost or given back */
        struct subscope *root;
        struct subscope *active;
        struct timer *pause;   /* between two attempts; NULL before the first */
        const char **commands; /* that go in front of the next segment; NULL: it is in room */
        char (*room)[LEASE_COMMAND_SIZE]; /* of each, for one that is not constant */
        int n_commands;
        int capacity;
        const char *first_commands[LEASE_FIRST_COMMANDS]; /* enough for what has no savepoints */
        char first_room[LEASE_FIRST_COMMANDS][LEASE_COMMAND_SIZE];
        int stmt_savepoint; /* level of the savepoint of a statement that may fail; 0: none */
        bool stmt_savepoint_failed;
        bool pauses;            /* the active subscope waits for another attempt */
        bool rolls_back;        /* a session goes on behind a ROLLBACK, which is still to be sent */
        struct conn_error lost; /* why its connection is gone */
};

void pipit__leases_init(struct leases *leases, struct reactor *reactor, struct dispatch *dispatch,
                        int max_batch);

/* NULL when memory ran out. */
struct lease *pipit__lease_new(struct leases *leases);
void pipit__lease_free(struct lease *lease);

/* Has it looked at, at the end of the turn. */
void pipit__lease_schedule(struct lease *lease);

/* Makes room for what savepoints of so many levels can need. 0 or PIPIT_ENOMEM. */
int pipit__lease_reserve(struct lease *lease, int levels);

/* Puts a statement in front of the next segment: there is room. */
void pipit__lease_command(struct lease *lease, const char *format, ...) PIPIT_PRINTF(2, 3);
/* The same for the beginning of a transaction. */
void pipit__lease_begin(struct lease *lease, const struct pipit_transaction *options,
                        int64_t statement_timeout_ms);
/* The end of the savepoint of a level. */
void pipit__lease_end_savepoint(struct lease *lease, int level, bool rollback);

/* Whether it cannot send: answers are owed, or a cancel is on its way. */
bool pipit__lease_is_busy(const struct lease *lease);

/* Sends the first statements of a queue as a transaction's segment. commit NULL: it goes on;
 * implicit: the Sync is its COMMIT. */
void pipit__lease_send(struct lease *lease, struct list *requests, struct request *commit,
                       bool implicit);
/* Ends the transaction by itself, before a session goes on. */
void pipit__lease_roll_back(struct lease *lease);
/* Sends them each by itself. */
void pipit__lease_send_singles(struct lease *lease, struct list *requests);

#endif
