/*
 * libpq, as the rest of pipit sees it: no PQ name is used but in pq.c, its parts pq_settings.c and
 * pq_cancel.c, and result.c.
 *
 * A connection is in non-blocking mode from pipit__pq_enter() until it is finished, so nothing here
 * blocks. What an answer is, is told by pipit__pq_kind().
 */
#ifndef PIPIT_PQ_INTERNAL_H
#define PIPIT_PQ_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cold.h"

struct pg_conn;
struct pg_result;
struct pipit_error;

enum pq_poll { PQ_POLL_READ, PQ_POLL_WRITE, PQ_POLL_DONE, PQ_POLL_FAILED };

/* What a result from the wire is. */
enum pq_kind {
        PQ_KIND_ROWS,    /* a statement that gives rows */
        PQ_KIND_COMMAND, /* a statement that gives none, or an empty one */
        PQ_KIND_ERROR,   /* the server's error, with its SQLSTATE */
        PQ_KIND_ABORTED, /* skipped because of an earlier error of its segment */
        PQ_KIND_SYNC,    /* the end of a segment */
        PQ_KIND_BROKEN   /* libpq's own error, COPY, or anything else that leaves us in doubt */
};

/* A notice: severity and sqlstate are NULL when it is libpq's own. Borrowed. */
struct pq_notice {
        const char *severity;
        const char *sqlstate;
        const char *message;
};

/* Who is told of notices; borrowed by the connection until it is finished. */
struct pq_receiver {
        void (*fn)(const struct pq_notice *notice, void *arg);
        void *arg;
};

/* Whether this libpq takes sslrootcert=system. */
bool pipit__pq_has_system_roots(void);

/*
 * Starts to connect. keys and values end with NULL. NULL when memory ran out; every other failure
 * is told by the first poll, which acts as if the socket were ready to write.
 */
struct pg_conn *pipit__pq_start(const char *const *keys, const char *const *values);
enum pq_poll pipit__pq_poll(struct pg_conn *pq);
int pipit__pq_socket(const struct pg_conn *pq);
/* Of the last failure; borrowed until the next call. */
const char *pipit__pq_message(const struct pg_conn *pq);
int pipit__pq_server_version(const struct pg_conn *pq);

/* Makes a connection that is up ready for work: non-blocking, in pipeline mode. 0, or -1. */
int pipit__pq_enter(struct pg_conn *pq, struct pq_receiver *receiver);

/* The parameters of a statement. */
struct pq_params {
        int n;
        const char *const *values; /* NULL for SQL NULL */
        const int *lengths;        /* of those in binary form; NULL when all are text */
        const int *formats;        /* 1 for binary form, else 0; NULL likewise */
};

/*
 * Queue a statement: unnamed, with the types of its parameters or NULL, and its result as text; or
 * by the name it was prepared under. A Prepare, with types likewise; the description of what was
 * prepared; its end; the end of a segment. 0, or -1.
 */
int pipit__pq_send(struct pg_conn *pq, const char *sql, const uint32_t *types,
                   const struct pq_params *params);
int pipit__pq_send_prepared(struct pg_conn *pq, const char *name, const struct pq_params *params,
                            bool binary_result);
int pipit__pq_prepare(struct pg_conn *pq, const char *name, const char *sql, int n_types,
                      const uint32_t *types);
int pipit__pq_describe(struct pg_conn *pq, const char *name);
int pipit__pq_close_prepared(struct pg_conn *pq, const char *name);
int pipit__pq_sync(struct pg_conn *pq);
/* 0 when all is written, 1 when some is left, -1 on failure. */
int pipit__pq_flush(struct pg_conn *pq);

/* Takes in what the socket has. 0, or -1 when the link is gone. */
int pipit__pq_consume(struct pg_conn *pq);
/* Whether TLS holds bytes that the socket will not tell of: consume once more. */
bool pipit__pq_holds_more(struct pg_conn *pq);
/* Notifications pile up in libpq until somebody takes them. */
void pipit__pq_drop_notifications(struct pg_conn *pq);
/* Whether pipit__pq_next() would have to wait. */
bool pipit__pq_busy(struct pg_conn *pq);
/* The next result, owned by the caller; NULL at the end of a statement's results. */
struct pg_result *pipit__pq_next(struct pg_conn *pq);
/* Whether the session is still as it must be: UTF-8 and standard strings; and only the first. */
bool pipit__pq_session_ok(const struct pg_conn *pq);
bool pipit__pq_is_utf8(const struct pg_conn *pq);
/* Whether a transaction is open, failed or not: true only when no answer is owed. */
bool pipit__pq_in_transaction(const struct pg_conn *pq);
/* Bytes that wait in the socket. */
size_t pipit__pq_pending(const struct pg_conn *pq);
/* Whether the socket has nothing to read and no end: one system call. */
bool pipit__pq_quiet(const struct pg_conn *pq);

/* Ends a connection politely and at once. NULL does nothing. */
void pipit__pq_finish(struct pg_conn *pq);
/* Ends a forked child's copy: nothing is sent on the socket that the parent goes on using. */
void pipit__pq_abandon(struct pg_conn *pq);
/* Has what a forked child writes to a socket of its parent go nowhere; -1 does nothing. */
void pipit__pq_divert(int fd);

void pipit__pq_clear(struct pg_result *result);
enum pq_kind pipit__pq_kind(const struct pg_result *result);
/* The result's command tag; "" when there is none. Borrowed. */
const char *pipit__pq_tag(const struct pg_result *result);
/* The value of a column in the first row; "" when there is none. Borrowed. */
const char *pipit__pq_value(const struct pg_result *result, const char *column);
/* The types of a described statement's parameters, or of its columns, the first max of them; how
 * many it has. */
int pipit__pq_param_types(const struct pg_result *result, int max, uint32_t *ret_types);
int pipit__pq_column_types(const struct pg_result *result, int max, uint32_t *ret_types);
/* How many rows the tag of a SELECT says; -1 for other tags. */
int64_t pipit__pq_selected(const char *tag);
/* How many there are. */
int pipit__pq_rows(const struct pg_result *result);
/* An error's SQLSTATE and message; "" where there is none. Borrowed. */
const char *pipit__pq_sqlstate(const struct pg_result *result);
const char *pipit__pq_error(const struct pg_result *result);
/* Sets what the server says of an error, and its message; borrowed from the result. */
COLD void pipit__pq_read_error(const struct pg_result *result, struct pipit_error *error);
/* Whether an error ends its session: FATAL or PANIC. */
bool pipit__pq_is_fatal(const struct pg_result *result);
/* What it takes in memory: never less than its rows took on their way. */
size_t pipit__pq_size(const struct pg_result *result);
/* Whether its rows took more than so many bytes on their way; whether one of them did, for which
 * libpq has made its buffer as large. Each row is looked at. */
bool pipit__pq_is_over(const struct pg_result *result, size_t bytes);
bool pipit__pq_has_large_row(const struct pg_result *result, size_t bytes);

#endif
