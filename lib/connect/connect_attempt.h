/*
 * Attempts: one try to get a connection, over all hosts and all their addresses, in bounded time.
 */
#ifndef PIPIT_CONNECT_ATTEMPT_INTERNAL_H
#define PIPIT_CONNECT_ATTEMPT_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

struct connect_attempt;
struct conninfo;
struct pg_conn;
struct reactor;

/* Room for a server's name in errors and in the log. */
#define CONN_ERROR_HOST_SIZE 128

/* Why an attempt failed: of its last endpoint. */
struct conn_error {
        char sqlstate[6];                /* "" when the server gave none */
        char host[CONN_ERROR_HOST_SIZE]; /* "host:port" or the socket's path */
        char text[512]; /* one line without control characters; not to be trusted */
};

/* Exactly one of pq, which is the callee's now, and failure is given; host is where pq went. */
typedef void (*pipit__connect_attempt_fn)(struct pg_conn *pq, const char *host,
                                          const struct conn_error *failure, void *arg);

/*
 * Starts an attempt; fn is called once, from the loop, never from in here, unless the attempt is
 * cancelled before. info is borrowed until then. NULL when memory ran out.
 */
struct connect_attempt *
pipit__connect_attempt_start(struct reactor *reactor, const struct conninfo *info,
                             int64_t timeout_ms, pipit__connect_attempt_fn fn, void *arg);
/* Ends an attempt before fn was called; fn is not called any more. NULL does nothing.
 * in_child: nothing is sent on a socket that the parent of a fork shares. */
void pipit__connect_attempt_cancel(struct connect_attempt *attempt, bool in_child);

/* Whether trying again cannot help until somebody changes something: wrong password and the like.
 */
bool pipit__conn_error_is_permanent(const struct conn_error *failure);

#endif
