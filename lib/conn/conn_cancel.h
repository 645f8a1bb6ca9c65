/*
 * Statements of a connection that nobody waits for any more, and asking the server to stop them.
 *
 * It is asked about the first segment only, which is what it executes, as far as anybody here
 * knows, and only when nobody waits for anything in that: whoever shares a Sync would be hit too.
 * One of those behind it can be hit when the first one ends by itself at that moment.
 */
#ifndef PIPIT_CONN_CANCEL_INTERNAL_H
#define PIPIT_CONN_CANCEL_INTERNAL_H

struct conn;
struct pg_result;
struct request;

/* Its request has ended otherwise: the answer goes away when it comes. */
void pipit__conn_abandon(struct conn *conn, const struct request *req);

/* Sets the limit by which something is to be done about what nobody waits for. */
void pipit__conn_watch_abandoned(struct conn *conn);
/* Notes that the first segment is answered: what a cancel was meant for is not there any more. */
void pipit__conn_pass_cancel(struct conn *conn);

/* Its limit has passed, while it was busy. */
void pipit__conn_on_patience(struct conn *conn);

/* Takes what the server says of a new session: who it is, for the cancel connection. */
void pipit__conn_learn_backend(struct conn *conn, const struct pg_result *answer);

#endif
