/*
 * The pq module is libpq as the rest of pipit sees it. No PQ name is used but in pq.c, in
 * pq_connect.c, pq_answer.c, pq_settings.c and pq_cancel.c beside it, and in result/rows.c.
 *
 * The module owns nothing: a connection belongs to who started it, a result to who took it. What
 * always holds:
 * 1. Nothing here blocks: a connection is started without blocking, and is in non-blocking mode
 *    from pipit__pq_enter() on until it is finished.
 * 2. pipit__pq_kind() alone says what a result is; in any doubt that is PQ_KIND_BROKEN.
 *
 * connect/ starts connections, conn/ runs them, result/ keeps what they gave.
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

/* A poll says for what to wait before the next one, or how the connect ended. */
enum pq_poll { PQ_POLL_READ, PQ_POLL_WRITE, PQ_POLL_DONE, PQ_POLL_FAILED };

/* A result from the wire is of one of these kinds. */
enum pq_kind {
        PQ_KIND_ROWS,    /* of a statement that gives rows */
        PQ_KIND_COMMAND, /* of a statement that gives none, or of an empty one */
        PQ_KIND_ERROR,   /* the server's error, with its SQLSTATE */
        PQ_KIND_ABORTED, /* of a command that was skipped after an error in its segment */
        PQ_KIND_SYNC,    /* the end of a segment */
        PQ_KIND_BROKEN   /* libpq's own error, COPY, or anything else that leaves us in doubt */
};

/* A notice is borrowed until its receiver returns. */
struct pq_notice {
        const char *severity; /* not translated; NULL in a notice of libpq's own */
        const char *sqlstate; /* NULL in a notice of libpq's own */
        const char *message;  /* never NULL */
};

/* A receiver is told of notices, in whatever call libpq reads them. */
struct pq_receiver {
        void (*fn)(const struct pq_notice *notice, void *arg);
        void *arg;
};

/* Goes on with a connect; the socket may be another one afterwards. */
enum pq_poll pipit__pq_poll(struct pg_conn *pq);
/* Whether somebody has taken the connection: a connect that is on its way has come so far. */
bool pipit__pq_is_taken(const struct pg_conn *pq);
/* Returns the socket; -1 if there is none. */
int pipit__pq_socket(const struct pg_conn *pq);
/* Returns the text of the last failure, borrowed until the next call. */
const char *pipit__pq_message(const struct pg_conn *pq);
/* Copies the first of the messages that libpq has put together, cut to size bytes with its
 * NUL: it is the cause. Its further lines begin with a tab. */
void pipit__pq_first_message(const char *message, char *out, size_t size);
/* Returns the server's version as 150008 for 15.8; 0 if there is no connection. */
int pipit__pq_server_version(const struct pg_conn *pq);

/* Makes a connection that is up ready for work: non-blocking, in pipeline mode. receiver is
 * borrowed until the connection is finished. 0, or -1. */
int pipit__pq_enter(struct pg_conn *pq, struct pq_receiver *receiver);

/* The parameters of a statement are borrowed until the call that sends them returns. */
struct pq_params {
        int n;
        const char *const *values; /* n of them; NULL for SQL NULL */
        const int *lengths;        /* in bytes, of binary values; NULL if all values are text */
        const int *formats;        /* 1 for a binary value, else 0; NULL if all values are text */
};

/* Each of the next functions queues a command; texts are copied. 0, or -1. */

/* Queues an unnamed statement whose result is binary in all columns, or else text. */
int pipit__pq_send(struct pg_conn *pq, const char *sql, const struct pq_params *params,
                   bool binary_result);
/* Queues a prepared statement whose result is binary in all columns, or else text. */
int pipit__pq_send_prepared(struct pg_conn *pq, const char *name, const struct pq_params *params,
                            bool binary_result);
/* Queues a Prepare, whose types are what the server finds. */
int pipit__pq_prepare(struct pg_conn *pq, const char *name, const char *sql);
/* Queues a Describe of a prepared statement. */
int pipit__pq_describe(struct pg_conn *pq, const char *name);
/* Queues a Close of a prepared statement; before libpq 17 that is a DEALLOCATE. */
int pipit__pq_close_prepared(struct pg_conn *pq, const char *name);
/* Queues a Sync, the end of a segment. */
int pipit__pq_sync(struct pg_conn *pq);

/* Writes what is queued. 0 if all is written, 1 if some is left, -1 if the link is gone. */
int pipit__pq_flush(struct pg_conn *pq);

/* Takes in what the socket has. 0, or -1 if the link is gone. */
int pipit__pq_consume(struct pg_conn *pq);
/* Whether libpq has not lost the link, as far as it knows. */
bool pipit__pq_is_linked(const struct pg_conn *pq);
/* Whether TLS holds bytes of which the socket will not tell: consume once more. */
bool pipit__pq_holds_more(struct pg_conn *pq);
/* Frees notifications, which would pile up in libpq until somebody takes them. */
void pipit__pq_drop_notifications(struct pg_conn *pq);
/* Whether pipit__pq_next() would have to wait. */
bool pipit__pq_busy(struct pg_conn *pq);
/* Returns the next result, which the caller owns and frees with pipit__pq_clear(); NULL at the end
 * of a command's results. */
struct pg_result *pipit__pq_next(struct pg_conn *pq);
/* Whether the session is still as it must be: client_encoding UTF8 and standard_conforming_strings
 * on. */
bool pipit__pq_session_ok(struct pg_conn *pq);
/* Whether the session writes times as it was set up to, as far as the server tells: DateStyle,
 * IntervalStyle and TimeZone. */
COLD bool pipit__pq_writes_iso(const struct pg_conn *pq);
/* Returns a setting as the server last reported it, "" if it does not; borrowed until the next
 * call.
 */
const char *pipit__pq_parameter(const struct pg_conn *pq, const char *name);
/* Whether the client_encoding is UTF8. */
bool pipit__pq_is_utf8(const struct pg_conn *pq);
/* Whether a transaction is open, failed or not, as the last ReadyForQuery said. The answer counts
 * only if no reply is owed. */
bool pipit__pq_in_transaction(const struct pg_conn *pq);
/* Whether one is open that has failed, likewise. */
bool pipit__pq_in_failed_transaction(const struct pg_conn *pq);
/* Returns the bytes that wait in the socket. */
size_t pipit__pq_pending(const struct pg_conn *pq);
/* Whether the socket is open with nothing to read; one system call. */
bool pipit__pq_quiet(const struct pg_conn *pq);

/* Tells the server that the connection ends, and frees it. NULL does nothing. */
void pipit__pq_finish(struct pg_conn *pq);
/* Frees a forked child's copy of a connection. Nothing is sent on the socket, which the parent goes
 * on using. */
void pipit__pq_abandon(struct pg_conn *pq);
/* Has what a forked child writes to a socket of its parent go nowhere. fd -1 does nothing. */
void pipit__pq_divert(int fd);

/* Frees a result; NULL does nothing. */
void pipit__pq_clear(struct pg_result *result);
/* Returns what a result is. */
enum pq_kind pipit__pq_kind(const struct pg_result *result);
/* Returns the command tag, "" if there is none; borrowed from the result. */
const char *pipit__pq_tag(const struct pg_result *result);
/* Returns the text of a column in the first row, "" if there is none; borrowed from the result. */
const char *pipit__pq_value(const struct pg_result *result, const char *column);
/* Writes the types of a described statement's first max parameters and returns how many parameters
 * it has. */
int pipit__pq_param_types(const struct pg_result *result, int max, uint32_t *ret_types);
/* Writes the types of the first max columns and returns how many columns there are. */
int pipit__pq_column_types(const struct pg_result *result, int max, uint32_t *ret_types);
/* Whether a result has n columns of these types. */
bool pipit__pq_has_column_types(const struct pg_result *result, int n, const uint32_t *types);
/* Returns how many rows the tag of a SELECT says; -1 for another tag. */
int64_t pipit__pq_selected(const char *tag);
/* Returns how many rows a result has. */
int pipit__pq_rows(const struct pg_result *result);
/* Returns an error's SQLSTATE, "" if there is none; borrowed from the result. */
const char *pipit__pq_sqlstate(const struct pg_result *result);
/* Returns an error's message; borrowed from the result. */
const char *pipit__pq_error(const struct pg_result *result);
/* Returns the severity of an error or a notice, not translated; NULL if there is none; borrowed
 * from the result. */
const char *pipit__pq_severity(const struct pg_result *result);
/* Sets the members of an error that the server tells, and its message; they are borrowed from the
 * result. */
COLD void pipit__pq_read_error(const struct pg_result *result, struct pipit_error *error);
/* Whether an error is libpq's own, and not the server's. */
bool pipit__pq_is_own_error(const struct pg_result *result);
/* Whether an error ends its session: FATAL or PANIC. */
bool pipit__pq_is_fatal(const struct pg_result *result);
/* Returns the bytes of memory that a result takes; never less than its rows took on the wire. */
size_t pipit__pq_size(const struct pg_result *result);
/* Whether a result's rows took more bytes than that on the wire; looks at each row. */
bool pipit__pq_is_over(const struct pg_result *result, size_t bytes);
/* Whether one row took more bytes than that on the wire, and so libpq has made its buffer at least
 * as large; looks at each row. */
bool pipit__pq_has_large_row(const struct pg_result *result, size_t bytes);

#endif
