/*
 * Opening a connection. See conn_open.h.
 */
#include "conn/conn_open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "conn/conn.h"
#include "conn/conn_read.h"
#include "conn/conn_send.h"

/* Called by libpq while it parses: nothing may be closed in here. */
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
        /* An error that is told as a notice answers nothing: not even a plain one is right here. */
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
                pipit__conn_break(conn, pipit__pq_message(conn->pq));
                return;
        }
        pipit__timer_set_or_now(conn->limit, conn->config->connect_timeout_ms);
        pipit__conn_flush(conn);
}

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
        conn->receiver = (struct pq_receiver){conn_on_notice, conn};
        conn->watch = pipit__watch_new(conn->config->reactor, pipit__pq_socket(pq),
                                       pipit__conn_on_ready, conn);
        if (conn->watch == NULL || pipit__pq_enter(pq, &conn->receiver) != 0)
                pipit__conn_break(conn, "out of memory");
        else
                conn_set_up(conn);
}

static void
conn_free_now(struct conn *conn)
{
        pipit__connect_attempt_cancel(conn->attempt, false);
        pipit__conn_free(&conn->deferred);
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
        conn->born_ms = conn->since_ms = pipit__reactor_now(config->reactor);
        conn->limit = pipit__timer_new(config->reactor, pipit__conn_on_limit, conn);
        conn->again = pipit__timer_new(config->reactor, pipit__conn_on_again, conn);
        if (conn->limit == NULL || conn->again == NULL ||
            pipit__prepared_init(&conn->prepared, config->max_prepared) != 0) {
                conn_free_now(conn);
                return NULL;
        }
        conn->attempt = pipit__connect_attempt_start(
                config->reactor, config->info, config->connect_timeout_ms, conn_on_attempt, conn);
        if (conn->attempt == NULL) {
                conn_free_now(conn);
                return NULL;
        }
        return conn;
}
