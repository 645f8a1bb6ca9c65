/*
 * A conn_error says why a connect attempt or a connection failed.
 *
 * Whoever tells of a failure owns the conn_error and copies it; it has no pointers. The files of
 * connect/ write what a candidate or a look-up came to, conn/ why a connection ended, and the pool
 * decides by it whether trying again can help.
 */
#ifndef PIPIT_CONN_ERROR_INTERNAL_H
#define PIPIT_CONN_ERROR_INTERNAL_H

#include <stdbool.h>

struct conninfo_host;

/* A server's name in errors and in the log has so much room. */
#define CONN_ERROR_HOST_SIZE 128

/* A cause is of one of these kinds. */
enum conn_cause {
        CAUSE_REMOTE,  /* the server's or the network's, and judged by its SQLSTATE */
        CAUSE_LASTING, /* libpq found it, and it does not go away by itself */
        CAUSE_LOCAL    /* this process lacks memory or the like: the host is not to blame */
};

struct conn_error {
        char sqlstate[6]; /* "" if the server gave none */
        enum conn_cause cause;
        char host[CONN_ERROR_HOST_SIZE]; /* "host:port" or the socket's path */
        char text[512]; /* one line without control characters; a server may have put anything in */
};

/* Keeps the first line of libpq's message, and the SQLSTATE apart from it. */
void pipit__conn_error_read(struct conn_error *failure, const char *message);
/* Keeps a text of pipit's own. */
void pipit__conn_error_print(struct conn_error *failure, enum conn_cause cause, const char *text);
/* Says where an endpoint is, for people to read. */
void pipit__conn_error_set_host(struct conn_error *failure, const struct conninfo_host *host);
/* Adds another host's failure to the text, as far as there is room. */
void pipit__conn_error_add(struct conn_error *failure, const struct conn_error *other);

/* Whether trying again cannot help until somebody changes something: a wrong password, a database
 * that does not exist, a setting that is refused. */
bool pipit__conn_error_is_permanent(const struct conn_error *failure);

#endif
