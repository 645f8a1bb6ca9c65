/*
 * The cancel connection: where libpq has no cancel that does not block, a connection besides those
 * of the pool asks the server to cancel what another one executes.
 *
 * There is at most one, to one server at a time. It is made when it is needed first, and closed
 * when it has not been for a while.
 */
#ifndef PIPIT_CANCEL_CONN_INTERNAL_H
#define PIPIT_CANCEL_CONN_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "connect/conninfo.h"
#include "pq/pq.h"

struct connect_attempt;
struct log;
struct reactor;
struct timer;
struct watch;

/*
 * Who a session is, as its server says: its process, and when that began, for a number is given
 * away again. Both "" when it cannot be told, as through a pooler.
 */
struct backend {
        char pid[12];
        char began[20];
};

/* That a session stops what it executes; embedded in whoever requests it. */
struct cancel_request {
        struct list link;
        const struct pg_conn *pq; /* the session's connection: it says which server is asked */
        const struct backend *backend;
        /* It is over. sent: the session has had the signal; false: nobody knows. */
        void (*fn)(struct cancel_request *request, bool sent);
};

enum cancel_conn_state {
        CANCEL_CONN_CLOSED,     /* there is none */
        CANCEL_CONN_CONNECTING, /* its attempt runs */
        CANCEL_CONN_IDLE,       /* a timer runs to its end */
        CANCEL_CONN_ASKING      /* the answer about one cancel request is to come */
};

struct cancel_conn {
        enum cancel_conn_state state;
        struct reactor *reactor;
        struct log *log;
        const struct conninfo *info;
        struct list requests;         /* those that wait, first come first served */
        struct cancel_request *asked; /* CANCEL_CONN_ASKING: the one that is not in the list */
        bool sent;                    /* what was said about it so far */
        bool ended;                   /* the statement's results are at their end */
        struct connect_attempt *attempt;
        struct pg_conn *pq;
        struct pq_receiver receiver;
        struct watch *watch;
        struct timer *rest;    /* made with the first cancel request */
        struct conninfo there; /* the info, with the one host that it goes to */
        struct conninfo_host server;
        char host[256];
        char address[64];
        char port[12];
};

/* info is borrowed. */
void pipit__cancel_conn_init(struct cancel_conn *cancel_conn, struct reactor *reactor,
                             const struct conninfo *info, struct log *log);
void pipit__cancel_conn_fini(struct cancel_conn *cancel_conn);

/* Takes a cancel request, whose fn is called later, from the loop. -1 when it cannot be fulfilled.
 */
int pipit__cancel_conn_ask(struct cancel_conn *cancel_conn, struct cancel_request *request);
/* Drops a cancel request, if it is still there: its fn is not called. */
void pipit__cancel_conn_forget(struct cancel_conn *cancel_conn, struct cancel_request *request);

/* Closes the connection if it has nothing to do: a server that is full may need its place. */
void pipit__cancel_conn_yield(struct cancel_conn *cancel_conn);
/* Closes the connection, and drops all requests. in_child: without a word on the socket. */
void pipit__cancel_conn_close(struct cancel_conn *cancel_conn, bool in_child);

#endif
