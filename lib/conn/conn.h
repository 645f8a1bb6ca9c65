/*
 * A connection is one PGconn in pipeline mode, with what it still owes answers to.
 *
 * The pool makes connections, keeps them in its lists and closes them; the dispatcher sends batches
 * on them, and a lease has one for itself. Files of other folders include this header only; what
 * the files conn_*.c share is in conn_int.h.
 *
 * 1. A connection whose state is in any doubt is closed. What was sent on it and not answered ends
 *    as unknown then, unless the server surely did not run it.
 * 2. The owner is told of every change of state, after it.
 * 3. A connection that is closed stays in memory until the stack has unwound.
 */
#ifndef PIPIT_CONN_INTERNAL_H
#define PIPIT_CONN_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"
#include "connect/connect_attempt.h"

struct cancel_conn;
struct conn;
struct conninfo;
struct holder_ops;
struct list;
struct log;
struct reactor;
struct refused_settings;
struct pooler;
struct request;
struct segment_error;
struct stmt;
struct stmt_cache;

/* conn_state.c lists every change from one to another, and the function that makes it. */
enum conn_state {
        CONN_CONNECTING, /* its attempt runs */
        CONN_SETTING_UP, /* its session settings are out; a timer runs */
        CONN_IDLE,       /* nothing is owed, and nobody has it; watched for news */
        CONN_BUSY,       /* answers are owed */
        CONN_LEASED,     /* a lease has it, and nothing is owed */
        CONN_CLEANING,   /* its session is being made as it was before a lease; a timer runs */
        CONN_CANCELLING, /* nothing is owed; a cancel that could hit the next statement is out */
        CONN_CLOSED      /* the end */
};

struct conn_ops {
        /* The connection has entered another state. Only with CONN_CLOSED failure is given, and
         * the connection is not to be used again. */
        void (*entered)(struct conn *conn, enum conn_state from, const struct conn_error *failure,
                        void *arg);
        /* The server of the connection is not any more what the program asked for; the connection
         * is closed when it becomes free. */
        void (*unsuited)(struct conn *conn, void *arg);
};

/* The part that all connections of a pool have in common; borrowed until the last is closed. */
struct conn_config {
        struct reactor *reactor;
        const struct conninfo *info;
        struct log *log;
        int64_t connect_timeout_ms;
        size_t max_result_bytes;
        struct stmt_cache *stmt_cache;
        struct cancel_conn *cancel_conn;
        int max_prepared;        /* statements that are prepared at once; 0: nothing is prepared */
        bool strict_reads;       /* a declared read that is alone cannot write either */
        const char *search_path; /* "" leaves the server's */
        const char *local_search_path;    /* the command that sets it for a transaction; or NULL */
        struct refused_settings *refused; /* its owner's; never NULL */
        struct pooler *pooler;            /* likewise */
        const struct conn_ops *ops;
        void *arg; /* of ops */
};

/* ---- life */

/* Starts to connect; the owner is told later how that went. NULL when memory ran out. */
struct conn *pipit__conn_new(const struct conn_config *config);
/* Says how long after its start a connection is old, in milliseconds; -1: never. */
void pipit__conn_set_lifetime(struct conn *conn, int64_t lifetime_ms);
/* Ends its lifetime: it is closed when it becomes free, or before its next use. */
COLD void pipit__conn_retire(struct conn *conn);
/* Closes a connection. What is outstanding ends as unknown, for the reason, which is a clause. */
COLD void pipit__conn_close(struct conn *conn, const char *reason);
/* Drops a forked child's copy, without a word on the socket. */
void pipit__conn_drop(struct conn *conn);

/* ---- the owner's lists */

struct list *pipit__conn_link(struct conn *conn);
struct conn *pipit__conn_of(struct list *link);

/* ---- what a connection is */

enum conn_state pipit__conn_state(const struct conn *conn);
/* Where it goes, for errors and the log; "" while its attempt runs. */
const char *pipit__conn_host(const struct conn *conn);
/* When it entered its state, by the reactor's clock. */
int64_t pipit__conn_since_ms(const struct conn *conn);
/* Whether its lifetime is over. A connection that nobody has used yet is never old: if connecting
 * takes as long as the lifetime, no request would ever be served. */
bool pipit__conn_is_old(const struct conn *conn);
/* Whether what it runs next cannot write. */
bool pipit__conn_is_reader(const struct conn *conn);
/* Whether statements may share a Sync on it; reads: declared reads. */
bool pipit__conn_may_share(const struct conn *conn, bool reads);
/* Whether no more than one Sync may be on its way on it. */
bool pipit__conn_has_one_sync(const struct conn *conn);
/* How many requests wait for its answers. */
int pipit__conn_n_waiting(const struct conn *conn);
/* The statement_timeout that a session which nobody has changed has, in milliseconds; 0: none; -1:
 * not known. */
int64_t pipit__conn_statement_timeout_ms(const struct conn *conn);
/* Looks for bad news on an idle connection, without a round trip; false when it was closed. */
bool pipit__conn_is_alive(struct conn *conn);

/* ---- sending */

/* A segment of statements that have no transaction around them, by what shares its Sync. */
enum segment_kind {
        SEGMENT_SINGLE,  /* one statement, whose fate is its own */
        SEGMENT_READS,   /* declared reads */
        SEGMENT_WRITES,  /* statements that are committed together */
        SEGMENT_SESSION, /* one statement of a session, which it may change */
        SEGMENT_TYPES    /* no statement, but the question for the types of one of a session: it is
                          * run again with the answer */
};

/* Whether the types of a statement are to be asked for before it is sent: this session writes
 * values in another way than their binary form says, so its result must be in that if it can. */
bool pipit__conn_lacks_types(const struct conn *conn, const struct stmt *stmt);

/* Sends requests, a list of at least one, as one segment. What was sent is out of the list, and the
 * connection holds it, with these ops. After the last segment comes pipit__conn_flush(). -1: the
 * connection was closed, and what is left in the list was not sent. */
int pipit__conn_send(struct conn *conn, enum segment_kind kind, struct list *requests,
                     const struct holder_ops *ops);

/* A bracket is what goes around the statements of a transaction; borrowed. */
struct bracket {
        const char *const *commands; /* in front of them: BEGIN, savepoints and the like */
        int n_commands;
        struct request *commit; /* the transaction is committed with this, for this request; NULL:
                                 * it goes on */
        bool implicit;          /* there was no BEGIN, and the Sync commits */
        bool asks;              /* the types of the statement are asked for, and it is run again */
        const struct holder_ops *ops;        /* of the statements, which the connection holds */
        const struct holder_ops *commit_ops; /* of the commit, which commit_holder holds */
        void *commit_holder;
};

/* Sends statements of a transaction, or none, and what is around them, as one segment; else as
 * pipit__conn_send(). Together that must be something. */
int
pipit__conn_send_bracket(struct conn *conn, struct list *requests, const struct bracket *bracket);

/* Writes what was sent to the socket, and watches that. The connection may be closed. */
void pipit__conn_flush(struct conn *conn);

/* Notes that a request that was sent waits no longer: its answer goes away when it comes, and the
 * server is asked to stop if nobody waits for what it runs. */
void pipit__conn_abandon(struct conn *conn, const struct request *req);

/* ---- leases */

/* Whoever has a connection for itself is told of these. */
struct lease_ops {
        /* Nothing is owed any more. */
        void (*ready)(void *arg);
        /* A statement of its transaction has failed or was not run: skipped_for is the error for
         * which the server skipped it, or NULL. The lease ends the request, or has it run again:
         * stale says that only what was known of the statement was out of date. Statements that
         * were answered by rows alone are complete without this. */
        void (*answered)(struct request *req, const struct segment_error *skipped_for, bool stale,
                         void *arg);
        /* The transaction that was to be committed for this request is over. */
        void (*ended)(struct request *commit, bool committed, void *arg);
        /* The statement of a request has ended the transaction, or begun another: the connection
         * is closed next. */
        void (*tx_ended_by_user)(struct request *culprit, void *arg);
        /* The connection is gone, what was out has ended, and the lease has it no more. */
        void (*lost)(const struct conn_error *cause, void *arg);
};

/* Gives an idle connection, as one that may write, to a lease. -1: it was closed instead. */
int pipit__conn_lease(struct conn *conn, const struct lease_ops *lease_ops, void *arg);
/* Takes a connection back from its lease, even while answers are owed. Before anybody else gets it
 * an open transaction is rolled back, and the session is made as new if it was changed or renew is
 * set. */
void pipit__conn_release(struct conn *conn, bool renew);
/* Tells a lease, which has gone in a forked child, nothing any more. */
void pipit__conn_forget_lease(struct conn *conn);
/* Returns the arg that pipit__conn_lease() was given; NULL when no lease has the connection. */
void *pipit__conn_lease_arg(const struct conn *conn);
/* Ends the transaction of the lease by a ROLLBACK. The connection may be closed. */
void pipit__conn_roll_back(struct conn *conn);
/* Whether a transaction is open on a connection that owes nothing. */
bool pipit__conn_in_transaction(const struct conn *conn);
/* Whether a transaction has failed that is open on a connection that owes nothing. */
bool pipit__conn_in_failed_transaction(const struct conn *conn);

#endif
