/*
 * The inside of leases, for the files lease_*.c.
 */
#ifndef PIPIT_LEASE_INT_H
#define PIPIT_LEASE_INT_H

#include "connect/connect_attempt.h"
#include "scope/lease.h"

/* Room for the longest command. */
#define LEASE_COMMAND_SIZE 96
/* A level can need so many commands between two segments: the end of its savepoint in two
 * statements and that of a statement's savepoint in it, BEGIN or SAVEPOINT with a setting, and a
 * statement's. */
#define LEASE_FIRST_COMMANDS 7

struct lease {
        struct list link; /* in leases->ready, or in none */
        struct leases *leases;
        int refs;
        struct conn *conn; /* NULL while there is none: not yet, given back, or lost */
        struct subscope *root;
        struct subscope *active;
        struct timer *pause;              /* NULL before the first pause */
        const char **commands;            /* in front of the next segment; NULL: it is in room */
        char (*room)[LEASE_COMMAND_SIZE]; /* of each, for one that is not constant */
        int n_commands;
        int capacity;
        const char *first_commands[LEASE_FIRST_COMMANDS]; /* enough for what has no savepoints */
        char first_room[LEASE_FIRST_COMMANDS][LEASE_COMMAND_SIZE];
        int stmt_savepoint; /* level of the savepoint of a statement that may fail; 0: none */
        bool stmt_savepoint_failed;
        bool pauses;            /* the pause between two attempts runs */
        bool rolls_back;        /* a ROLLBACK is to be sent before anything else */
        struct conn_error lost; /* why the connection is gone, once it is */
        struct list watchers;   /* who is told when it is lost */
        bool tells;             /* not all of them were told yet of the last loss */
};

#endif
