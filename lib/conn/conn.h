/*
 * Connections: one PGconn in pipeline mode each: its state, its link, its end. How it is opened,
 * sent on and read is in conn_open, conn_send and conn_read.
 *
 * A connection whose state is in any doubt is closed: what was sent on it and not answered ends as
 * unknown. Its owner is told of every change of state, and keeps one list for each.
 */
#ifndef PIPIT_CONN_INTERNAL_H
#define PIPIT_CONN_INTERNAL_H

#include <pipit/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"
#include "base/list.h"
#include "conn/cancel_conn.h"
#include "conn/prepared.h"
#include "conn/reply_queue.h"
#include "connect/connect_attempt.h"
#include "loop/reactor.h"
#include "pq/pq.h"

struct cancel;
struct conn;
struct conninfo;
struct log;
struct request;

/* What makes libpq's buffers so large that a connection is replaced: one row, one statement. */
#define CONN_LARGE ((size_t)1 << 22)

enum conn_state {
        CONN_CONNECTING, /* its attempt runs */
        CONN_SETTING_UP, /* its session settings are out; a timer runs */
        CONN_IDLE,       /* waits for work; watched for news */
        CONN_BUSY,       /* answers are owed */
        CONN_LEASED,     /* a lease has it, and none is owed */
        CONN_CLEANING,   /* what a lease left behind is taken away; a timer runs */
        CONN_CANCELLING, /* none is owed; a cancel that could hit the next statement is out */
        CONN_CLOSED      /* it is gone; freed once the stack has unwound */
};

/* What the server was asked about what it executes; one thing at a time. */
enum conn_cancel {
        CANCEL_NONE,
        CANCEL_ASKED, /* a cancel is out; what is meant is the first segment */
        CANCEL_LATE,  /* a cancel is out; what was meant is answered */
        CANCEL_ENDED, /* the server has had it; what is meant is still the first segment */
        CANCEL_PAST,  /* the server has had it; what was sent before may have been hit */
        CANCEL_FAILED /* nobody knows whether it will come: nothing is sent any more */
};

struct conn_ops {
        /* Its state has changed. Closed: failure says why, and it is not to be used again. */
        void (*entered)(struct conn *conn, enum conn_state from, const struct conn_error *failure,
                        void *arg);
};

/* Who has a connection for itself; see conn_lease.h. */
struct lease_ops {
        /* Nothing is owed any more. */
        void (*ready)(void *arg);
        /* What became of a statement of its transaction that was not answered by rows alone: it has
         * failed, or was skipped. It ends the request. */
        void (*answered)(struct request *req, bool skipped, void *arg);
        /* What became of its transaction, which was to be committed. */
        void (*ended)(struct request *commit, bool committed, void *arg);
        /* A statement has ended its transaction, or begun another: the connection goes next. */
        void (*tx_ended_by_user)(struct request *culprit, void *arg);
        /* The connection is gone, and what was out has ended. It is no lease any more. */
        void (*lost)(const struct conn_error *cause, void *arg);
};

/* What all connections of a pool have in common; borrowed. */
struct conn_config {
        struct reactor *reactor;
        const struct conninfo *info;
        struct log *log;
        int64_t connect_timeout_ms;
        size_t max_result_bytes;
        struct stmt_cache *stmt_cache;
        struct cancel_conn *cancel_conn;
        int max_prepared;        /* 0: nothing is prepared */
        const char *search_path; /* "" leaves the server's */
        const struct conn_ops *ops;
        void *arg;
};

struct conn {
        struct list link; /* its owner's, for the state */
        enum conn_state state;
        const struct conn_config *config;
        struct connect_attempt *attempt;
        struct pg_conn *pq;
        struct pq_receiver receiver;
        struct watch *watch;
        struct timer *limit; /* of the set-up; of patience with what nobody waits for */
        struct timer *again; /* goes on with what a budget left over */
        struct reply_queue replies;
        struct prepared prepared;
        const struct lease_ops *lease_ops; /* NULL: it is everybody's */
        void *lease_arg;
        int64_t read_us; /* when the last segment was answered */
        struct sending flight;
        enum conn_cancel cancel_state;
        struct cancel *cancel;  /* while one is out */
        struct backend backend; /* where libpq cannot ask without blocking */
        bool reader;            /* its transactions cannot write, once what was sent is answered */
        bool serializable;      /* its reads may fail at their Sync: they do not share it */
        bool unflushed;         /* libpq has bytes that the socket did not take */
        bool incomplete;        /* a part of a result is here */
        bool oversized;         /* libpq's buffers have grown, and never shrink */
        bool protocol_lost;     /* libpq itself complained: the protocol is in doubt */
        int pieces;             /* in which the incomplete result has come */
        size_t incoming;        /* bytes of the incomplete result */
        size_t unread;          /* those of them that libpq left in the socket the last time */
        int64_t born_ms;
        int64_t since_ms;                /* when it entered its state */
        int64_t expires_ms;              /* its owner's: the end of its lifetime */
        char host[CONN_ERROR_HOST_SIZE]; /* "" until its attempt has ended */
        struct conn_error end_reason;    /* its text is "" until something says why it ends */
        struct deferred deferred;
};

int64_t pipit__conn_now(const struct conn *conn);

/* The only place that changes the state; failure when it is CONN_CLOSED. */
void pipit__conn_enter(struct conn *conn, enum conn_state state, const struct conn_error *failure);

/* Goes on after everything that was owed is answered, or a cancel that kept the connection has
 * ended. The connection may be closed. */
void pipit__conn_drained(struct conn *conn);

/* Finds the next state of a connection that owes nothing, and about which no cancel is out. The
 * connection may be closed. */
void pipit__conn_enter_next(struct conn *conn);

/* Does what is to be done when the limit of the present state has passed; a timer's function. */
void pipit__conn_on_limit(void *arg);

/* Writes what libpq has for the socket, and watches it; may close it. */
void pipit__conn_flush(struct conn *conn);

/* Begins a settlement of its replies. */
void pipit__conn_begin_settlement(const struct conn *conn, struct settlement *settlement);

/* Keeps why the server ends the session, for whoever is told of it. */
COLD void pipit__conn_note_end(struct conn *conn, const char *sqlstate, const char *message);

/* Closes it for a reason of its own; what the server said at its end, if anything, goes first. */
COLD void pipit__conn_break(struct conn *conn, const char *reason);
/* Closes it; outstanding requests end as unknown, for the reason given in one phrase. */
COLD void pipit__conn_close(struct conn *conn, const char *reason);
/* Ends it like this; in_child: a forked child's copy, without a word on the socket. */
void pipit__conn_end(struct conn *conn, const struct conn_error *cause, bool in_child);
/* Drops a forked child's copy. */
void pipit__conn_drop(struct conn *conn);

/* Frees what it consists of: only for one that nobody has seen yet, and as its deferred free. */
void pipit__conn_free(struct deferred *deferred);

#endif
