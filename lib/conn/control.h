/*
 * The control connection: where libpq has no cancel that does not block, a connection besides those
 * of the pool asks the server to cancel what another one executes.
 *
 * There is at most one, to one server at a time. It is made when it is needed first, and closed
 * when it has not been for a while.
 */
#ifndef PIPIT_CONTROL_INTERNAL_H
#define PIPIT_CONTROL_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "connect/conninfo.h"
#include "pq/pq.h"

struct attempt;
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

/* That a session stops what it executes; embedded in whoever wishes it. */
struct control_wish {
        struct list link;
        const struct pg_conn *pq; /* the session's connection: it says which server is asked */
        const struct backend *backend;
        /* It is over. sent: the session has had the signal; false: nobody knows. */
        void (*fn)(struct control_wish *wish, bool sent);
};

enum control_state {
        CONTROL_CLOSED,     /* there is none */
        CONTROL_CONNECTING, /* its attempt runs */
        CONTROL_IDLE,       /* a timer runs to its end */
        CONTROL_ASKING      /* the answer about one wish is to come */
};

struct control {
        enum control_state state;
        struct reactor *reactor;
        struct log *log;
        const struct conninfo *info;
        struct list wishes;         /* those that wait, first come first served */
        struct control_wish *asked; /* CONTROL_ASKING: the one that is not in the list */
        bool sent;                  /* what was said about it so far */
        bool ended;                 /* the statement's results are at their end */
        struct attempt *attempt;
        struct pg_conn *pq;
        struct pq_receiver receiver;
        struct watch *watch;
        struct timer *rest;    /* made with the first wish */
        struct conninfo there; /* the info, with the one host that it goes to */
        struct conninfo_host server;
        char host[256];
        char address[64];
        char port[12];
};

/* info is borrowed. */
void pipit__control_init(struct control *control, struct reactor *reactor,
                         const struct conninfo *info, struct log *log);
void pipit__control_fini(struct control *control);

/* Takes a wish, whose fn is called later, from the loop. -1 when it cannot be fulfilled. */
int pipit__control_ask(struct control *control, struct control_wish *wish);
/* Drops a wish, if it is still there: its fn is not called. */
void pipit__control_forget(struct control *control, struct control_wish *wish);

/* Closes the connection if it has nothing to do: a server that is full may need its place. */
void pipit__control_yield(struct control *control);
/* Closes the connection, and drops all wishes. in_child: without a word on the socket. */
void pipit__control_close(struct control *control, bool in_child);

#endif
