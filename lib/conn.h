/*
 * Connections: one PGconn in pipeline mode each, from its first attempt to its end.
 *
 * A connection whose state is in any doubt is closed: what was sent on it and not answered ends as
 * unknown. Its owner is told of every change of state, and keeps one list for each.
 */
#ifndef PIPIT_CONN_INTERNAL_H
#define PIPIT_CONN_INTERNAL_H

#include "attempt.h"
#include "list.h"
#include "pq.h"
#include "reactor.h"
#include "segment.h"

#include <pipit/error.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct conninfo;
struct log;
struct request;

enum conn_state {
        CONN_CONNECTING, /* its attempt runs */
        CONN_SETTING_UP, /* its session settings are out; a timer runs */
        CONN_IDLE,       /* waits for work; watched for news */
        CONN_BUSY,       /* answers are owed */
        CONN_CLOSED      /* it is gone; freed once the stack has unwound */
};

struct conn_ops {
        /* Its state has changed. Closed: failure says why, and it is not to be used again. */
        void (*entered)(struct conn *conn, enum conn_state from,
                        const struct attempt_failure *failure, void *arg);
        /* A segment was answered: there is room for another request. */
        void (*has_room)(struct conn *conn, void *arg);
};

/* What all connections of a pool have in common; borrowed. */
struct conn_config {
        struct reactor *reactor;
        const struct conninfo *info;
        struct log *log;
        int64_t connect_timeout_ms;
        size_t max_result_bytes;
        int max_pipeline;
        const char *search_path; /* "" leaves the server's */
        const struct conn_ops *ops;
        void *arg;
};

struct conn {
        struct list link; /* its owner's, for the state */
        enum conn_state state;
        const struct conn_config *config;
        struct attempt *attempt;
        struct pg_conn *pq;
        struct pq_receiver receiver;
        struct watch *watch;
        struct timer *limit; /* of the set-up; of answers that nobody waits for */
        struct timer *again; /* goes on with what a budget left over */
        struct segments segments;
        bool unflushed;  /* libpq has bytes that the socket did not take */
        bool incomplete; /* a part of a result is here */
        bool odd;        /* libpq itself complained: the protocol is in doubt */
        size_t incoming; /* bytes of the incomplete result */
        size_t unread;   /* those of them that libpq left in the socket the last time */
        int64_t born_ms;
        int64_t since_ms;              /* when it entered its state */
        int64_t expires_ms;            /* its owner's: the end of its lifetime */
        struct attempt_failure ending; /* why the server ends the session, or where it goes */
        struct deferred deferred;
};

/* Starts to connect; the owner's entered() tells how it went, later. NULL: no memory. */
struct conn *pipit__conn_new(const struct conn_config *config);

/* Whether it can be given one more request now. */
bool pipit__conn_has_room(const struct conn *conn);
/* Looks for bad news on an idle connection, without a round trip; false when it was closed. */
bool pipit__conn_is_alive(struct conn *conn);
/* Sends a request's statement. -1: it was not sent, the request is still the caller's, and the
 * connection was closed. */
int pipit__conn_send(struct conn *conn, struct request *req);

/* Its request has ended otherwise: the answer goes away when it comes. expired: the time is up. */
void pipit__conn_give_up(struct conn *conn, const struct request *req, bool expired);

/* Closes it; outstanding requests end as unknown, for the reason given in one phrase. */
void pipit__conn_close(struct conn *conn, const char *reason);
/* Drops a forked child's copy. */
void pipit__conn_abandon(struct conn *conn);

#endif
