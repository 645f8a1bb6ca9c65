/*
 * Sending on a connection: statements as segments, each prepared the first time it is sent there.
 */
#ifndef PIPIT_CONN_SEND_INTERNAL_H
#define PIPIT_CONN_SEND_INTERNAL_H

#include <stdbool.h>

struct conn;
struct holder_ops;
struct list;
struct request;

/* What shares a Sync, of requests without a transaction around them. */
enum segment_kind {
        SEGMENT_SINGLE, /* one statement, whose fate is its own */
        SEGMENT_READS,  /* declared reads */
        SEGMENT_WRITES, /* statements that are committed together */
        SEGMENT_SESSION /* one statement of a session, which it may change */
};

/*
 * Sends requests, a list of at least one, as one segment; what was sent is out of the list, and is
 * held by the connection, with these ops. Behind
 * the last segment comes pipit__conn_flush(). -1: the connection was closed, and what is left in
 * the list was not sent.
 */
int pipit__conn_send(struct conn *conn, enum segment_kind kind, struct list *requests,
                     const struct holder_ops *ops);

/* What goes around the statements of a transaction; borrowed. */
struct bracket {
        const char *const *commands; /* in front: BEGIN, savepoints and the like */
        int n_commands;
        struct request *commit; /* COMMIT goes behind them, for this request; NULL: it goes on */
        bool implicit;          /* there is no BEGIN, and the Sync is the COMMIT */
        const struct holder_ops *ops;        /* of the statements, which the connection holds */
        const struct holder_ops *commit_ops; /* of the commit */
        void *commit_holder;
};

/* Sends statements of a transaction, or none, and what is around them, as one segment; otherwise as
 * above. Together it must be something. */
int
pipit__conn_send_bracket(struct conn *conn, struct list *requests, const struct bracket *bracket);

/* A statement of pipit's own, and the settings that every session has, as segments of their own. 0,
 * or -1: the connection is to be closed. */
int pipit__conn_send_own(struct conn *conn, const char *sql);
int pipit__conn_send_settings(struct conn *conn);

#endif
