/*
 * Opening a connection: its attempt, the settings of its session, and who is told of what libpq and
 * the reactor have to say.
 */
#include <pipit/error.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conn/conn_int.h"
#include "conn/pooler.h"
#include "conn/session_settings.h"
#include "loop/deadline.h"
#include "pq/pq_cancel.h"

/* Keeps a notice in mind, or logs it. libpq calls this while it parses, so that nothing may be
 * closed in here. */
static void
conn_on_notice(const struct pq_notice *notice, void *arg)
{
        struct conn *conn = arg;
        const char *severity = notice->severity != NULL ? notice->severity : "";
        bool is_warning = strcmp(severity, "WARNING") == 0;

        if (notice->sqlstate == NULL) {
                conn->protocol_lost = true;
                pipit__conn_note_end(conn, "", notice->message);
                return;
        }
        /* An ERROR that arrives as a notice belongs to no statement, so the connection must end. */
        if (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0 ||
            strcmp(severity, "ERROR") == 0)
                pipit__conn_note_end(conn, notice->sqlstate, notice->message);
        pipit__log(conn->config->log, pipit__conn_now(conn),
                   is_warning ? PIPIT_LOG_WARNING : PIPIT_LOG_NOTICE, "%s: %s", severity,
                   notice->message);
}

/* Sends the settings that every session has. */
static void
conn_set_up(struct conn *conn)
{
        pipit__conn_enter(conn, CONN_SETTING_UP, NULL);
        if (pipit__conn_send_settings(conn) != 0) {
                pipit__conn_break_by_libpq(conn);
                return;
        }
        pipit__timer_set_or_now(conn->limit, conn->config->connect_timeout_ms);
        pipit__conn_flush(conn);
}

/* Tells, once, that there is a pooler, for it cannot always be found out in which mode that is. */
static COLD void
conn_see_pooler(struct conn *conn)
{
        if (pipit__pooler_see(conn->config->pooler))
                pipit__log(conn->config->log, pipit__conn_now(conn), PIPIT_LOG_NOTICE,
                           "connection to %s: there is a pooler in between, which is asked about "
                           "cancels; if it lends sessions for transactions, set the option pooler "
                           "to PIPIT_POOLER_TRANSACTION",
                           conn->host);
}

/* Takes the first word of who the session is. Where libpq has the key of another one the connection
 * goes through a pooler: its number is not the server's, and is of no use for a cancel. */
static void
conn_learn_backend(struct conn *conn, const struct backend *session)
{
        int pid = pipit__pq_backend_pid(conn->pq);

        conn->session = *session;
        snprintf(conn->backend.pid, sizeof conn->backend.pid, "%d", pid);
        if (session->pid[0] == '\0')
                return;
        if (strtol(session->pid, NULL, 10) == pid)
                conn->backend = *session;
        else
                conn_see_pooler(conn);
}

/* Compares who the session is with who it was. */
static COLD void
conn_compare_session(struct conn *conn, const struct backend *session)
{
        if (strcmp(session->pid, conn->session.pid) == 0 &&
            strcmp(session->began, conn->session.began) == 0)
                return;
        if (pipit__pooler_see_change(conn->config->pooler))
                pipit__log(conn->config->log, pipit__conn_now(conn), PIPIT_LOG_WARNING,
                           "connection to %s: two sessions have answered it, so the pooler in "
                           "between lends them for transactions; from now on nothing is left in "
                           "them. What was, stays: set the option pooler to "
                           "PIPIT_POOLER_TRANSACTION",
                           conn->host);
}

/* Reads who the session is; both texts are "" where the answer does not say. */
static void
conn_read_session(const struct pg_result *answer, struct backend *ret)
{
        long pid = strtol(pipit__pq_value(answer, "pid"), NULL, 10);

        *ret = (struct backend){0};
        if (pid <= 0 || pid > INT32_MAX)
                return;
        snprintf(ret->pid, sizeof ret->pid, "%ld", pid);
        snprintf(ret->began, sizeof ret->began, "%s", pipit__pq_value(answer, "began"));
}

void
pipit__conn_take_own(struct conn *conn, struct pg_result *answer)
{
        const char *timeout = pipit__pq_value(answer, "statement_timeout");
        struct backend session;

        conn_read_session(answer, &session);
        if (timeout[0] != '\0')
                conn->statement_timeout_ms = pipit__session_settings_read_ms(timeout);
        if (conn->state == CONN_SETTING_UP) {
                conn->serializable =
                        strcmp(pipit__pq_value(answer, "isolation"), "serializable") == 0;
                conn_learn_backend(conn, &session);
        } else if (session.pid[0] != '\0') {
                conn_compare_session(conn, &session);
        }
        pipit__pq_clear(answer);
}

/* Leaves out at once what the host has refused so far. */
static void
conn_recall_refused(struct conn *conn)
{
        const struct refused_settings *last = conn->config->refused;

        conn->refused = strcmp(last->host, conn->host) == 0 ? last->refused : 0;
}

void
pipit__conn_learn_refused(const struct conn *conn)
{
        struct refused_settings *last = conn->config->refused;

        if (conn->refused == 0)
                return;
        snprintf(last->host, sizeof last->host, "%s", conn->host);
        last->refused = conn->refused;
}

void
pipit__conn_refuse_settings(struct conn *conn, struct pg_result *answer)
{
        unsigned refused =
                pipit__session_settings_refuse(conn->refused, pipit__pq_server_version(conn->pq),
                                               pipit__pq_sqlstate(answer), pipit__pq_error(answer));

        if (refused == conn->refused) {
                pipit__conn_refuse_error(conn, answer);
                return;
        }
        pipit__log(conn->config->log, pipit__conn_now(conn), PIPIT_LOG_NOTICE,
                   "connection to %s: goes on without a setting that the server refuses: %s",
                   conn->host, pipit__pq_error(answer));
        conn->refused = refused;
        conn->settings_again = true;
        pipit__pq_clear(answer);
}

void
pipit__conn_send_settings_again(struct conn *conn, int64_t limit_ms)
{
        conn->settings_again = false;
        if (pipit__conn_send_settings(conn) != 0) {
                pipit__conn_break_by_libpq(conn);
                return;
        }
        pipit__timer_set_or_now(conn->limit, limit_ms);
        pipit__conn_flush(conn);
}

/* Takes what an attempt has come to. */
static void
conn_on_attempt(struct pg_conn *pq, const char *host, const struct conn_error *failure, void *arg)
{
        struct conn *conn = arg;

        conn->attempt = NULL;
        snprintf(conn->host, sizeof conn->host, "%s", host);
        if (pq == NULL) {
                pipit__conn_end(conn, failure, false);
                return;
        }
        conn->pq = pq;
        conn_recall_refused(conn);
        conn->receiver = (struct pq_receiver){conn_on_notice, conn};
        conn->watch = pipit__watch_new(conn->config->reactor, pipit__pq_socket(pq),
                                       pipit__conn_on_ready, conn);
        if (conn->watch == NULL || pipit__pq_enter(pq, &conn->receiver) != 0)
                pipit__conn_break(conn, "out of memory");
        else
                conn_set_up(conn);
}

/* Makes the parts of a connection, and starts its attempt. 0 or PIPIT_ENOMEM. */
static int
conn_init(struct conn *conn)
{
        const struct conn_config *config = conn->config;

        conn->limit = pipit__timer_new(config->reactor, pipit__conn_on_limit, conn);
        conn->again = pipit__timer_new(config->reactor, pipit__conn_on_again, conn);
        if (conn->limit == NULL || conn->again == NULL ||
            pipit__prepared_init(&conn->prepared, config->max_prepared) != 0)
                return PIPIT_ENOMEM;
        conn->attempt = pipit__connect_attempt_start(
                config->reactor, config->info, config->connect_timeout_ms, conn_on_attempt, conn);
        return conn->attempt != NULL ? 0 : PIPIT_ENOMEM;
}

struct conn *
pipit__conn_new(const struct conn_config *config)
{
        struct conn *conn = calloc(1, sizeof *conn);

        if (conn == NULL)
                return NULL;
        list_init(&conn->link);
        conn->config = config;
        conn->deferred.free = pipit__conn_free;
        pipit__reply_queue_init(&conn->replies, &conn->prepared);
        conn->born_ms = conn->since_ms = pipit__conn_now(conn);
        conn->expires_ms = DEADLINE_NEVER;
        conn->statement_timeout_ms = -1;
        if (conn_init(conn) != 0) {
                pipit__conn_free(&conn->deferred);
                return NULL;
        }
        return conn;
}
