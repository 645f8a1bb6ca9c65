/*
 * Answers that end their connection: what came cannot be taken, or leaves the session, the protocol
 * or libpq in doubt. The request that the answer is for is told why, where that is known; whatever
 * else is owed is lost with the connection.
 *
 * conn_read.c calls each of these with what it has just read, and nothing is read after it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conn/conn_int.h"
#include "request/request.h"
#include "result/result_error.h"

/* Fails a statement of a transaction that has ended that, or begun another, as plain SQL. */
static COLD void
conn_refuse_tx_end(struct conn *conn, struct request *culprit, const char *tag)
{
        pipit__result_fail(
                pipit__request_result(culprit), PIPIT_EUNSHARED, PIPIT_EXECUTED_UNKNOWN,
                PIPIT_PHASE_EXECUTE,
                "%s as plain SQL took the transaction out of pipit's hands, and the "
                "connection was closed: a body commits by itself, pipit_rollback() rolls "
                "back, and pipit_atomic() on a transaction is a savepoint",
                tag);
        pipit__reply_queue_may_be_done(&conn->replies);
        conn->lease_ops->tx_ended_by_user(culprit, conn->lease_arg);
        pipit__conn_break(conn, "a statement in front of it ended the transaction");
}

/* Fails a statement that has changed the session, which others share. */
static COLD void
conn_refuse_change(const struct conn *conn, struct request *culprit, const char *tag)
{
        if (pipit__conn_has_one_sync(conn)) {
                pipit__result_fail(pipit__request_result(culprit), PIPIT_EUNSHARED,
                                   PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_EXECUTE,
                                   "%s changes its session, which the pooler lends to others: the "
                                   "connection was closed, but its effect may have stayed there; "
                                   "settings belong into a transaction, as SET LOCAL",
                                   tag);
                return;
        }
        if (strcmp(tag, "LISTEN") == 0) {
                pipit__result_fail(
                        pipit__request_result(culprit), PIPIT_EUNSHARED, PIPIT_EXECUTED_ROLLED_BACK,
                        PIPIT_PHASE_EXECUTE,
                        "LISTEN is not supported: pipit has nobody to give notifications to, and "
                        "the connection was closed; listen with a connection of the program's own");
                return;
        }
        pipit__result_fail(pipit__request_result(culprit), PIPIT_EUNSHARED,
                           PIPIT_EXECUTED_ROLLED_BACK, PIPIT_PHASE_EXECUTE,
                           "%s changes its session, which other requests share: the connection was "
                           "closed and its effect is gone; transactions and session settings need "
                           "a connection of their own",
                           tag);
}

void
pipit__conn_refuse_unshared(struct conn *conn)
{
        struct request *culprit = pipit__reply_queue_reader(&conn->replies);
        char tag[64] = "";

        if (culprit != NULL)
                snprintf(tag, sizeof tag, "%s", pipit_result_tag(pipit__request_result(culprit)));
        if (culprit != NULL && conn->lease_ops != NULL) {
                conn_refuse_tx_end(conn, culprit, tag);
                return;
        }
        if (culprit != NULL)
                conn_refuse_change(conn, culprit, tag);
        pipit__conn_break(conn, "a statement in front of it changed the session");
}

void
pipit__conn_refuse_error(struct conn *conn, struct pg_result *answer)
{
        pipit__conn_note_end(conn, pipit__pq_sqlstate(answer), pipit__pq_error(answer));
        pipit__pq_clear(answer);
        pipit__conn_break(conn, "the server ended the session");
}

/* Fails the statement that wants a COPY. What it has done so far is not known. */
static COLD void
conn_refuse_copy(struct conn *conn)
{
        bool leased = conn->lease_ops != NULL;
        const char *reason =
                leased ? "COPY is not supported" : "COPY needs a connection of its own";
        const char *what = leased ? "the connection, with the session or the transaction on it,"
                                  : "this one, which other requests share,";
        const struct request *reader = pipit__reply_queue_reader(&conn->replies);

        if (reader != NULL)
                pipit__result_fail(pipit__request_result(reader), PIPIT_EUNSHARED,
                                   PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_EXECUTE,
                                   "%s, and %s was closed: write rows with INSERT, read them with "
                                   "SELECT",
                                   reason, what);
        snprintf(conn->end_reason.text, sizeof conn->end_reason.text, "%s", reason);
}

/* Whether a text has a number as large as that. */
static COLD bool
text_has_number(const char *text, unsigned long long least)
{
        static const char digits[] = "0123456789";

        for (text += strcspn(text, digits); *text != '\0'; text += strcspn(text, digits)) {
                if (strtoull(text, NULL, 10) >= least)
                        return true;
                text += strspn(text, digits);
        }
        return false;
}

/* Whether libpq could not take a result, and not the link is lost: libpq holds the link to be well,
 * or has dropped that itself and tells the length of the message for which it had no memory. */
static COLD bool
conn_could_not_take(const struct conn *conn, const struct pg_result *answer)
{
        return pipit__pq_is_own_error(answer) &&
               (pipit__pq_is_linked(conn->pq) ||
                text_has_number(pipit__pq_error(answer), CONN_LARGE));
}

/* Fails the statement whose result libpq could not take: the cause is in the result, and would be
 * there the next time. */
static COLD void
conn_refuse_untaken(struct conn *conn, const struct pg_result *answer, const char *text)
{
        const struct request *reader = pipit__reply_queue_reader(&conn->replies);
        enum pipit_code code = PIPIT_ELOST;

        if (reader == NULL || !conn_could_not_take(conn, answer))
                return;
        /* Names of C are not translated. */
        if (strstr(text, "INT_MAX") != NULL || strstr(text, "size_t") != NULL)
                code = PIPIT_ELIMIT;
        else if (strstr(text, "memory") != NULL)
                code = PIPIT_ENOMEM;
        pipit__result_fail(pipit__request_result(reader), code, PIPIT_EXECUTED_UNKNOWN,
                           PIPIT_PHASE_RESULT,
                           "libpq could not take the result, and the connection was closed: %s: "
                           "ask for fewer rows, or for smaller values",
                           text);
}

void
pipit__conn_refuse_broken(struct conn *conn, struct pg_result *answer)
{
        char text[sizeof conn->end_reason.text];

        pipit__pq_first_message(pipit__pq_error(answer), text, sizeof text);
        if (text[0] == '\0')
                conn_refuse_copy(conn);
        else
                pipit__log_escape(conn->end_reason.text, sizeof conn->end_reason.text, text);
        if (text[0] != '\0')
                conn_refuse_untaken(conn, answer, conn->end_reason.text);
        pipit__pq_clear(answer);
        pipit__conn_break(conn, "the server ended the session");
}

void
pipit__conn_refuse_unowed(struct conn *conn)
{
        pipit__log(conn->config->log, pipit__conn_now(conn), PIPIT_LOG_DEBUG,
                   "connection to %s: no answer to a %s", conn->host,
                   pipit__reply_queue_reading_name(&conn->replies));
        pipit__conn_break(conn, "an answer came that nothing was sent for");
}

void
pipit__conn_refuse_size(struct conn *conn)
{
        const struct request *reader = pipit__reply_queue_reader(&conn->replies);

        if (reader != NULL)
                pipit__result_fail(pipit__request_result(reader), PIPIT_ELIMIT,
                                   PIPIT_EXECUTED_UNKNOWN, PIPIT_PHASE_RESULT,
                                   "the result has more than %zu bytes, and the connection was "
                                   "closed: raise max_result_bytes, or ask for fewer rows",
                                   conn->config->max_result_bytes);
        pipit__conn_break(conn, "a result in front was over max_result_bytes");
}
