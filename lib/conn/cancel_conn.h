/*
 * The cancel connection: where libpq has no cancel that does not block, a connection besides those
 * of the pool asks the server to cancel what another one executes.
 *
 * cancel.c asks it; the pool owns it, and has it give way where a server is full.
 *
 * 1. A pool has at most one, to one server at a time. The connection is made when it is needed
 *    first, and closed when it has not been for a while.
 * 2. Requests are served one by one, in the order in which they came.
 * 3. A session is only cancelled if it is still the one that was meant: its process number alone
 *    could be another session's by now.
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
 * A backend is who a session is, as its server says: its process, and when that began, for a number
 * is given away again. Both are "" when that cannot be told, as through a pooler.
 */
struct backend {
        char pid[12];
        char began[20];
};

/* A request that a session stops what it executes; embedded in whoever makes it. */
struct cancel_request {
        struct list link;
        const struct pg_conn *pq; /* the session's connection: it says which server is asked */
        const struct backend *backend;
        /* Is called when the request is over. sent: the session has had the signal; else nobody
         * knows. */
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
        struct list requests;         /* all that wait, first come first served */
        struct cancel_request *asked; /* CANCEL_CONN_ASKING: the one that is not in the list */
        bool sent;                    /* the server says that it has signalled the session */
        bool ended;                   /* the NULL after the results has come */
        struct connect_attempt *attempt;
        struct pg_conn *pq;
        struct pq_receiver receiver;
        struct watch *watch;
        struct timer *rest; /* until it is closed for want of work; made with the first request */
        struct conninfo there; /* info with server as its only host */
        struct conninfo_host server;
        char host[256];
        char address[64];
        char port[12];
};

/* Makes a cancel connection that is closed. info is borrowed. */
void pipit__cancel_conn_init(struct cancel_conn *cancel_conn, struct reactor *reactor,
                             const struct conninfo *info, struct log *log);
void pipit__cancel_conn_fini(struct cancel_conn *cancel_conn);

/* Takes a request, whose fn is called later, from the loop. 0, or -1 when it cannot be fulfilled.
 */
int pipit__cancel_conn_ask(struct cancel_conn *cancel_conn, struct cancel_request *request);
/* Drops a request, if it is still there: its fn is not called. */
void pipit__cancel_conn_forget(struct cancel_conn *cancel_conn, struct cancel_request *request);

/* Closes the connection if it has nothing to do, because a server that is full may need its place.
 */
void pipit__cancel_conn_yield(struct cancel_conn *cancel_conn);
/* Closes the connection, and drops all requests. in_child: without a word on the socket. */
void pipit__cancel_conn_close(struct cancel_conn *cancel_conn, bool in_child);

#endif
