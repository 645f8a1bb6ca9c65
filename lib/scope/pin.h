/*
 * Pins: a connection that is pinned to what runs on it, and what is sent on it.
 *
 * On a pin runs a child scope (child.h), in which others may be nested; one of them, the active
 * one, has its turn. One segment is out at a time. What ends a savepoint is not sent by itself: it
 * goes in front of the next segment, behind no statement whose failure it must undo.
 */
#ifndef PIPIT_PIN_INTERNAL_H
#define PIPIT_PIN_INTERNAL_H

#include <pipit/transaction.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "connect/attempt.h"

struct child;
struct conn;
struct dispatch;
struct reactor;
struct request;
struct tenant_ops;

/* Room for the longest statement of its own. */
#define PIN_CONTROL_SIZE 96
/* What a level can need between two segments: the end of its savepoint in two statements and that
 * of a guard in it, BEGIN or SAVEPOINT with a setting, and a guard's. */
#define PIN_FIRST_CONTROLS 7

/* All pins of a database. */
struct pins {
        struct list ready; /* those that may have something to do at the end of the turn */
        struct reactor *reactor;
        struct dispatch *dispatch;
        int max_batch;
        unsigned jitter; /* state of the generator of pauses */
};

struct pin {
        struct list link; /* in pins->ready, or in none */
        struct pins *pins;
        struct conn *conn; /* NULL while it waits for one, and once it is lost or given back */
        struct child *root;
        struct child *active;
        struct timer *pause;   /* between two attempts; NULL before the first */
        const char **controls; /* that go in front of the next segment; NULL: it is in room */
        char (*room)[PIN_CONTROL_SIZE]; /* of each, for one that is not constant */
        int n_controls;
        int capacity;
        const char *first_controls[PIN_FIRST_CONTROLS]; /* enough for what has no savepoints */
        char first_room[PIN_FIRST_CONTROLS][PIN_CONTROL_SIZE];
        int guard; /* level of the savepoint of a statement that may fail; 0: none */
        bool guard_failed;
        bool pauses;     /* the active child waits for another attempt */
        bool rolls_back; /* a session goes on behind a ROLLBACK, which is still to be sent */
        struct attempt_failure lost; /* why its connection is gone */
};

void pipit__pins_init(struct pins *pins, struct reactor *reactor, struct dispatch *dispatch,
                      int max_batch);

/* NULL when memory ran out. */
struct pin *pipit__pin_new(struct pins *pins);
void pipit__pin_free(struct pin *pin);

/* Has it looked at, at the end of the turn. */
void pipit__pin_schedule(struct pin *pin);

/* Makes room for what savepoints of so many levels can need. 0 or PIPIT_ENOMEM. */
int pipit__pin_reserve(struct pin *pin, int levels);

/* Puts a statement in front of the next segment: there is room. */
void pipit__pin_control(struct pin *pin, const char *format, ...) PIPIT_PRINTF(2, 3);
/* The same for the beginning of a transaction. */
void pipit__pin_begin(struct pin *pin, const struct pipit_transaction *options,
                      int64_t statement_timeout_ms);
/* The end of the savepoint of a level. */
void pipit__pin_end_savepoint(struct pin *pin, int level, bool rollback);

/* Whether it cannot send: answers are owed, or a cancel is on its way. */
bool pipit__pin_is_busy(const struct pin *pin);

/* Sends the first statements of a queue as a transaction's segment. commit NULL: it goes on;
 * implicit: the Sync is its COMMIT. */
void pipit__pin_send(struct pin *pin, struct list *requests, struct request *commit, bool implicit);
/* Ends the transaction by itself, before a session goes on. */
void pipit__pin_roll_back(struct pin *pin);
/* Sends them each by itself. */
void pipit__pin_send_singles(struct pin *pin, struct list *requests);

#endif
