/*
 * Connections. See conn.h.
 */
#include "conn.h"
#include "log.h"
#include "request.h"
#include "session_settings.h"
#include "statement.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Results that one wake-up works off before others have their turn. */
#define CONN_BUDGET 64
/* How long answers that nobody waits for may keep a connection busy. */
#define CONN_GIVEN_UP_MS 5000

static const char *const state_names[] = {"connecting", "setting up", "idle", "busy", "closed"};

static int64_t
conn_now(const struct conn *conn)
{
        return pipit__reactor_now(conn->config->reactor);
}

/* The only place that changes the state. */
static void
conn_enter(struct conn *conn, enum conn_state state, const struct attempt_failure *failure)
{
        int64_t now = conn_now(conn);
        enum conn_state from = conn->state;

        pipit__log(conn->config->log, now, PIPIT_LOG_DEBUG, "connection to %s: %s -> %s",
                   conn->ending.host, state_names[from], state_names[state]);
        conn->state = state;
        conn->since_ms = now;
        conn->config->ops->entered(conn, from, failure, conn->config->arg);
}

static void
conn_free(struct deferred *deferred)
{
        struct conn *conn = container_of(deferred, struct conn, deferred);

        pipit__watch_free(conn->watch);
        pipit__timer_free(conn->limit);
        pipit__timer_free(conn->again);
        pipit__segments_fini(&conn->segments);
        free(conn);
}

/* Ends what is unanswered. Nobody knows whether it was executed, unless the server's error is
 * there already. */
static void
conn_fail_requests(struct conn *conn, const struct attempt_failure *cause)
{
        struct request *req;

        while (conn->segments.n > 0) {
                if (!pipit__segments_pop(&conn->segments, &req) || req == NULL)
                        continue;
                if (pipit_failed(req->res)) {
                        pipit__request_end(req);
                        continue;
                }
                struct pipit_error error = {.code = PIPIT_ELOST,
                                            .executed = PIPIT_EXECUTED_UNKNOWN,
                                            .phase = PIPIT_PHASE_EXECUTE};
                char text[sizeof cause->text + sizeof cause->host + 100];
                snprintf(text, sizeof text,
                         "the connection to %s was lost before the answer (%s): nobody knows "
                         "whether the statement was executed",
                         cause->host, cause->text);
                error.message = text;
                error.host = cause->host;
                memcpy(error.sqlstate, cause->sqlstate, sizeof error.sqlstate);
                pipit__result_fail_like(req->res, &error);
                pipit__request_end(req);
        }
}

static void
conn_end(struct conn *conn, const struct attempt_failure *cause, bool in_child)
{
        if (conn->state == CONN_CLOSED)
                return;
        pipit__attempt_cancel(conn->attempt, in_child);
        conn->attempt = NULL;
        if (conn->watch != NULL)
                pipit__watch_want(conn->watch, 0);
        pipit__timer_stop(conn->limit);
        pipit__timer_stop(conn->again);
        if (in_child && conn->pq != NULL)
                pipit__pq_abandon(conn->pq);
        else
                pipit__pq_finish(conn->pq);
        conn->pq = NULL;
        conn_fail_requests(conn, cause);
        conn_enter(conn, CONN_CLOSED, cause);
        pipit__reactor_defer(conn->config->reactor, &conn->deferred);
}

/* Closes it for a reason of its own; what the server said at its end, if anything, goes first. */
static void
conn_break(struct conn *conn, const char *reason)
{
        /* libpq has no message of its own for what libevent has no memory for. */
        if (conn->ending.text[0] == '\0')
                pipit__log_escape(conn->ending.text, sizeof conn->ending.text,
                                  reason[0] != '\0' ? reason : "out of memory");
        pipit__log(conn->config->log, conn_now(conn), PIPIT_LOG_WARNING,
                   "connection to %s lost: %s", conn->ending.host, conn->ending.text);
        struct attempt_failure cause = conn->ending;
        conn_end(conn, &cause, false);
}

void
pipit__conn_close(struct conn *conn, const char *reason)
{
        struct attempt_failure cause = conn->ending;

        snprintf(cause.text, sizeof cause.text, "%s", reason);
        conn_end(conn, &cause, false);
}

void
pipit__conn_abandon(struct conn *conn)
{
        struct attempt_failure cause = conn->ending;

        snprintf(cause.text, sizeof cause.text, "this is a forked child");
        conn_end(conn, &cause, true);
}

/* Keeps why the server ends the session. */
static void
conn_note_ending(struct conn *conn, const char *sqlstate, const char *message)
{
        snprintf(conn->ending.sqlstate, sizeof conn->ending.sqlstate, "%.5s", sqlstate);
        pipit__log_escape(conn->ending.text, sizeof conn->ending.text, message);
}

/* Called by libpq while it parses: nothing may be closed in here. */
static void
conn_on_notice(const struct pq_notice *notice, void *arg)
{
        struct conn *conn = arg;
        const char *severity = notice->severity != NULL ? notice->severity : "";
        bool is_warning = strcmp(severity, "WARNING") == 0;

        if (notice->sqlstate == NULL) {
                conn->odd = true;
                conn_note_ending(conn, "", notice->message);
                return;
        }
        /* An error that is told as a notice answers nothing: not even a plain one is right here. */
        if (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0 ||
            strcmp(severity, "ERROR") == 0)
                conn_note_ending(conn, notice->sqlstate, notice->message);
        pipit__log(conn->config->log, conn_now(conn),
                   is_warning ? PIPIT_LOG_WARNING : PIPIT_LOG_NOTICE, "%s: %s", severity,
                   notice->message);
}

/* Whether the session still has what the codecs rely on; closes it when not. */
static bool
conn_check_settings(struct conn *conn)
{
        if (pipit__pq_session_ok(conn->pq))
                return true;
        conn_break(conn, "somebody changed client_encoding or standard_conforming_strings, which "
                         "pipit relies on");
        return false;
}

/* Whether the session can go on; closes it when not. */
static bool
conn_check(struct conn *conn)
{
        if (conn->odd)
                conn_break(conn, "libpq lost its place in the protocol");
        else if (!conn_check_settings(conn))
                return false;
        else if (conn->segments.n == 0 && conn->ending.text[0] != '\0')
                conn_break(conn, "the server ended the session");
        return conn->state != CONN_CLOSED;
}

/* Bounds the time that answers which nobody waits for may take. */
static void
conn_watch_given_up(struct conn *conn, int64_t delay_ms)
{
        if (conn->segments.n_given_up > 0 &&
            conn->segments.n_given_up == pipit__segments_statements(&conn->segments))
                pipit__timer_set_or_now(conn->limit, delay_ms);
}

/* The first segment is answered. */
static void
conn_complete_segment(struct conn *conn)
{
        struct request *req;

        if (pipit__segments_pop(&conn->segments, &req) && req != NULL) {
                /* Its Sync goes first: the callback may look at the connection, or close it. */
                struct request *sync;
                pipit__segments_pop(&conn->segments, &sync);
                pipit__result_set_host(req->res, conn->ending.host);
                pipit__request_complete(req);
        } else {
                pipit__segments_pop(&conn->segments, &req);
        }
        if (conn->state == CONN_CLOSED)
                return;
        if (conn->segments.n == 0) {
                pipit__timer_stop(conn->limit);
                conn_enter(conn, CONN_IDLE, NULL);
                return;
        }
        conn_watch_given_up(conn, CONN_GIVEN_UP_MS);
        conn->config->ops->has_room(conn, conn->config->arg);
}

static void
conn_unshared(struct conn *conn, struct request *culprit)
{
        static const char reason[] = "a statement in front of it changed the session";

        if (culprit != NULL) {
                char tag[64];
                snprintf(tag, sizeof tag, "%s", pipit_result_tag(culprit->res));
                pipit__result_fail(culprit->res, PIPIT_EUNSHARED, PIPIT_EXECUTED_ROLLED_BACK,
                                   PIPIT_PHASE_EXECUTE,
                                   "%s changes its session, which other requests share: the "
                                   "connection was closed and its effect is gone; transactions "
                                   "and session settings need a connection of their own",
                                   tag);
        }
        conn_break(conn, reason);
}

/* libpq offers a COPY, which nobody here can take. What it has done so far is not known. */
static void
conn_refuse_copy(struct conn *conn)
{
        static const char reason[] = "COPY needs a connection of its own";
        struct request *culprit = pipit__segments_reading(&conn->segments);

        if (culprit != NULL)
                pipit__result_fail(culprit->res, PIPIT_EUNSHARED, PIPIT_EXECUTED_UNKNOWN,
                                   PIPIT_PHASE_EXECUTE,
                                   "%s, and this one, which other requests share, was closed: "
                                   "write rows with INSERT, read them with SELECT",
                                   reason);
        snprintf(conn->ending.text, sizeof conn->ending.text, "%s", reason);
}

/* A result that must not be matched to anything: it ends the connection. */
static bool
conn_is_last_word(struct conn *conn, const struct pg_result *answer)
{
        enum pq_kind kind = answer != NULL ? pipit__pq_kind(answer) : PQ_KIND_SYNC;

        if (kind == PQ_KIND_BROKEN) {
                const char *text = pipit__pq_error(answer);
                if (text[0] == '\0')
                        conn_refuse_copy(conn);
                else
                        pipit__log_escape(conn->ending.text, sizeof conn->ending.text, text);
                return true;
        }
        if (kind == PQ_KIND_ERROR &&
            (pipit__pq_is_fatal(answer) || conn->state == CONN_SETTING_UP)) {
                conn_note_ending(conn, pipit__pq_sqlstate(answer), pipit__pq_error(answer));
                return true;
        }
        return false;
}

static void
conn_over_limit(struct conn *conn)
{
        struct request *req = pipit__segments_reading(&conn->segments);

        if (req != NULL)
                pipit__result_fail(req->res, PIPIT_ELIMIT, PIPIT_EXECUTED_UNKNOWN,
                                   PIPIT_PHASE_RESULT,
                                   "the result has more than %zu bytes, and the connection was "
                                   "closed: raise max_result_bytes, or ask for fewer rows",
                                   conn->config->max_result_bytes);
        conn_break(conn, "a result in front was over max_result_bytes");
}

/* Takes one answer; false when the connection is gone. */
static bool
conn_take_answer(struct conn *conn)
{
        struct pg_result *answer = pipit__pq_next(conn->pq);
        struct request *culprit;

        conn->incoming = 0;
        conn->unread = 0;
        if (conn_is_last_word(conn, answer)) {
                pipit__pq_clear(answer);
                conn_break(conn, "the server ended the session");
                return false;
        }
        /* One read of libpq's takes a long row as fast as it comes, and nobody counts. */
        if (answer != NULL && pipit__pq_is_over(answer, conn->config->max_result_bytes)) {
                pipit__pq_clear(answer);
                conn_over_limit(conn);
                return false;
        }
        switch (pipit__segments_read(&conn->segments, answer, &culprit)) {
        case VERDICT_MORE: break;
        case VERDICT_DONE:
                /* Before anybody reads this answer, or one behind it, in a wrong encoding. */
                if (conn_check_settings(conn))
                        conn_complete_segment(conn);
                break;
        case VERDICT_UNSHARED: conn_unshared(conn, culprit); break;
        case VERDICT_BROKEN: conn_break(conn, "an answer came that nothing was sent for"); break;
        }
        return conn->state != CONN_CLOSED;
}

/* Works answers off, and asks for another turn for what the budget leaves. */
static void
conn_work(struct conn *conn)
{
        conn->incomplete = false;
        for (int budget = CONN_BUDGET; conn->segments.n > 0; budget--) {
                if (budget == 0) {
                        pipit__timer_set_or_now(conn->again, 0);
                        return;
                }
                if (!pipit__pq_busy(conn->pq)) {
                        if (!conn_take_answer(conn))
                                return;
                        continue;
                }
                if (!pipit__pq_holds_more(conn->pq)) {
                        conn->incomplete = true;
                        break;
                }
                if (pipit__pq_consume(conn->pq) != 0) {
                        conn_break(conn, pipit__pq_message(conn->pq));
                        return;
                }
        }
        pipit__pq_busy(conn->pq); /* has libpq look at what came while nothing was owed */
        conn_check(conn);
}

static void
conn_read(struct conn *conn)
{
        size_t pending = conn->incomplete ? pipit__pq_pending(conn->pq) : 0;

        if (pending > conn->unread)
                conn->incoming += pending - conn->unread;
        if (pipit__pq_consume(conn->pq) != 0) {
                conn_work(conn); /* what came before the end still counts */
                if (conn->state != CONN_CLOSED)
                        conn_break(conn, pipit__pq_message(conn->pq));
                return;
        }
        if (conn->incomplete)
                conn->unread = pipit__pq_pending(conn->pq);
        conn_work(conn);
        /* Only now: an answer that was taken has started the count anew. */
        if (conn->state != CONN_CLOSED && conn->incomplete &&
            conn->incoming > conn->config->max_result_bytes)
                conn_over_limit(conn);
}

static void
conn_flush(struct conn *conn)
{
        if (conn->state == CONN_CLOSED)
                return;
        int r = pipit__pq_flush(conn->pq);
        conn->unflushed = r == 1;
        /* While it cannot write it must read, or both sides wait for each other. */
        if (r < 0 ||
            pipit__watch_want(conn->watch, WATCH_READ | (conn->unflushed ? WATCH_WRITE : 0)) != 0) {
                conn_break(conn, pipit__pq_message(conn->pq));
                return;
        }
        /* libpq reads where it cannot write, and of what it has taken the socket says no more. */
        if (!pipit__pq_busy(conn->pq) || pipit__pq_holds_more(conn->pq))
                pipit__timer_set_or_now(conn->again, 0);
}

static void
conn_on_ready(unsigned ready, void *arg)
{
        struct conn *conn = arg;

        if (conn->state == CONN_CLOSED)
                return;
        if (ready == WATCH_READ)
                conn_read(conn);
        if (conn->state != CONN_CLOSED && conn->unflushed) {
                conn_flush(conn);
                if (conn->state != CONN_CLOSED && !conn->unflushed)
                        conn->config->ops->has_room(conn, conn->config->arg);
        }
}

static void
conn_on_again(void *arg)
{
        struct conn *conn = arg;

        if (conn->state != CONN_CLOSED)
                conn_work(conn);
}

static void
conn_on_limit(void *arg)
{
        struct conn *conn = arg;

        if (conn->state == CONN_SETTING_UP)
                conn_break(conn, "the session's settings were not answered in time");
        else if (conn->segments.n_given_up > 0 &&
                 conn->segments.n_given_up == pipit__segments_statements(&conn->segments))
                pipit__conn_close(conn, "its statements were given up");
}

/* Sends the settings that every session has. */
static void
conn_set_up(struct conn *conn)
{
        struct session_settings settings;

        conn_enter(conn, CONN_SETTING_UP, NULL);
        pipit__session_settings_init(&settings, pipit__pq_server_version(conn->pq),
                                     conn->config->search_path);
        if (pipit__pq_send(conn->pq, settings.sql, settings.n, settings.values) != 0 ||
            pipit__pq_sync(conn->pq) != 0) {
                conn_break(conn, pipit__pq_message(conn->pq));
                return;
        }
        pipit__segments_push(&conn->segments, NULL);
        pipit__timer_set_or_now(conn->limit, conn->config->connect_timeout_ms);
        conn_flush(conn);
}

static void
conn_on_attempt(struct pg_conn *pq, const char *host, const struct attempt_failure *failure,
                void *arg)
{
        struct conn *conn = arg;

        conn->attempt = NULL;
        snprintf(conn->ending.host, sizeof conn->ending.host, "%s", host);
        if (pq == NULL) {
                conn_end(conn, failure, false);
                return;
        }
        conn->pq = pq;
        conn->receiver = (struct pq_receiver){conn_on_notice, conn};
        conn->watch =
                pipit__watch_new(conn->config->reactor, pipit__pq_socket(pq), conn_on_ready, conn);
        if (conn->watch == NULL || pipit__pq_enter(pq, &conn->receiver) != 0)
                conn_break(conn, "out of memory");
        else
                conn_set_up(conn);
}

static void
conn_free_now(struct conn *conn)
{
        pipit__attempt_cancel(conn->attempt, false);
        conn_free(&conn->deferred);
}

struct conn *
pipit__conn_new(const struct conn_config *config)
{
        struct conn *conn = calloc(1, sizeof *conn);

        if (conn == NULL)
                return NULL;
        list_init(&conn->link);
        conn->config = config;
        conn->deferred.free = conn_free;
        conn->born_ms = conn->since_ms = pipit__reactor_now(config->reactor);
        conn->limit = pipit__timer_new(config->reactor, conn_on_limit, conn);
        conn->again = pipit__timer_new(config->reactor, conn_on_again, conn);
        if (conn->limit == NULL || conn->again == NULL ||
            pipit__segments_init(&conn->segments, config->max_pipeline) != 0) {
                conn_free_now(conn);
                return NULL;
        }
        conn->attempt = pipit__attempt_start(config->reactor, config->info,
                                             config->connect_timeout_ms, conn_on_attempt, conn);
        if (conn->attempt == NULL) {
                conn_free_now(conn);
                return NULL;
        }
        return conn;
}

bool
pipit__conn_has_room(const struct conn *conn)
{
        return (conn->state == CONN_IDLE || conn->state == CONN_BUSY) && !conn->unflushed &&
               conn->segments.n_given_up == 0 &&
               pipit__segments_statements(&conn->segments) < conn->config->max_pipeline;
}

bool
pipit__conn_is_alive(struct conn *conn)
{
        int looks = CONN_BUDGET;

        /* A server that stops says a word first: the end is behind it. */
        while (looks-- > 0 && conn->state == CONN_IDLE && !pipit__pq_quiet(conn->pq))
                conn_read(conn);
        return conn->state != CONN_CLOSED;
}

int
pipit__conn_send(struct conn *conn, struct request *req)
{
        const struct statement *statement = req->statement;

        assert(pipit__conn_has_room(conn));
        if (pipit__pq_send(conn->pq, statement->sql, statement->n, statement->values) != 0) {
                conn_break(conn, pipit__pq_message(conn->pq));
                return -1;
        }
        list_remove(&req->link);
        req->state = REQUEST_SENT;
        req->conn = conn;
        pipit__segments_push(&conn->segments, req);
        if (conn->state == CONN_IDLE)
                conn_enter(conn, CONN_BUSY, NULL);
        if (pipit__pq_sync(conn->pq) != 0)
                conn_break(conn, pipit__pq_message(conn->pq));
        conn_flush(conn);
        return 0;
}

void
pipit__conn_give_up(struct conn *conn, const struct request *req, bool expired)
{
        pipit__segments_give_up(&conn->segments, req);
        conn_watch_given_up(conn, expired ? 0 : CONN_GIVEN_UP_MS);
}
