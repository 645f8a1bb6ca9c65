/*
 * Sending on a connection: statements as segments.
 *
 * Each command that goes out is pushed on the reply queue in the same step; what is pushed decides
 * what becomes of the answer. Nothing is written to the socket before pipit__conn_flush().
 *
 * 1. There is room in the queue before anything of a segment is sent, and more of it before a
 *    statement is prepared, so that no command is without its reply.
 * 2. A failure leaves half a segment with libpq: the connection is closed by whoever is told -1.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/cold.h"
#include "conn/conn_int.h"
#include "conn/pooler.h"
#include "conn/reply_commit.h"
#include "conn/reply_own.h"
#include "conn/reply_prepare.h"
#include "conn/reply_statement.h"
#include "conn/reply_sync.h"
#include "conn/reply_transaction.h"
#include "conn/session_settings.h"
#include "pq/pq_cancel.h"
#include "request/request.h"
#include "request/stmt_cache.h"

/* A segment can take a statement that sets the role, one that asks who the session is, and two
 * Syncs; or BEGIN, a search path, COMMIT and a Sync. */
#define SEND_PER_SEGMENT 4

static const struct reply_ops *const statement_kinds[] = {[SEGMENT_SINGLE] = &pipit__reply_single,
                                                          [SEGMENT_READS] = &pipit__reply_read,
                                                          [SEGMENT_WRITES] = &pipit__reply_write,
                                                          [SEGMENT_SESSION] = &pipit__reply_session,
                                                          [SEGMENT_TYPES] =
                                                                  &pipit__reply_session_types};

/* Makes room for n replies, for what is a flight of its own if nothing is owed. 0, or -1. */
static int
conn_begin_segment(struct conn *conn, int n)
{
        if (conn->replies.n == 0)
                conn->flight = (struct sending){0};
        conn->room = n;
        conn->prepared.is_lent = pipit__conn_has_one_sync(conn);
        return pipit__reply_queue_reserve(&conn->replies, n) == 0 ? 0 : -1;
}

/* Ends a segment of n statements, which take so long together. commit: who waits for a Sync that
 * commits; NULL for any other. 0, or -1. */
static int
conn_send_sync(struct conn *conn, int n, float estimated_us, struct request *commit)
{
        const struct reply_ops *kind =
                commit != NULL ? &pipit__reply_sync_commit : &pipit__reply_sync;
        int r = pipit__pq_sync(conn->pq);
        struct sending segment = {.sent_us = pipit__reactor_now_us(conn->config->reactor),
                                  .estimated_us = estimated_us,
                                  .n_statements = n};

        /* Even if that failed: who waits for it is told with all others. */
        pipit__reply_queue_push_sync(&conn->replies, kind, commit, &segment);
        if (conn->flight.sent_us == 0)
                conn->flight.sent_us = segment.sent_us;
        conn->flight.n_statements += n;
        conn->flight.estimated_us += estimated_us;
        return r;
}

/* Sends a command that is no request's statement. req: whose result its error goes into, or NULL.
 * 0, or -1. */
static int
conn_send_command(struct conn *conn, const char *sql, const struct reply_ops *kind,
                  struct request *req)
{
        if (pipit__pq_send(conn->pq, sql, &(struct pq_params){0}, false) != 0)
                return -1;
        pipit__reply_queue_push(&conn->replies, kind, req, NULL);
        return 0;
}

/* Whether it is asked who the session is, along with what is sent anyway. */
static bool
conn_asks(const struct conn *conn)
{
        return pipit__pooler_is_asked(conn->config->pooler) && conn->session.pid[0] != '\0';
}

static int
conn_send_question(struct conn *conn)
{
        struct session_settings question;

        if (!conn_asks(conn))
                return 0;
        pipit__session_settings_init_shared(&question);
        pipit__session_settings_ask_backend(&question, 0);
        return conn_send_command(conn, question.sql, &pipit__reply_own, NULL);
}

int
pipit__conn_send_own(struct conn *conn, const char *sql)
{
        if (pipit__reply_queue_reserve(&conn->replies, 3) != 0 || conn_send_question(conn) != 0 ||
            conn_send_command(conn, sql, &pipit__reply_own, NULL) != 0)
                return -1;
        return conn_send_sync(conn, 0, 0, NULL);
}

int
pipit__conn_send_settings(struct conn *conn)
{
        struct session_settings settings;

        if (pipit__conn_has_one_sync(conn))
                pipit__session_settings_init_shared(&settings);
        else
                pipit__session_settings_init(&settings, pipit__pq_server_version(conn->pq),
                                             conn->config->search_path, conn->refused);
        if (conn->state == CONN_SETTING_UP)
                pipit__session_settings_ask_backend(&settings, conn->refused);
        struct pq_params params = {.n = settings.n, .values = settings.values};
        if (pipit__reply_queue_reserve(&conn->replies, 2) != 0 ||
            pipit__pq_send(conn->pq, settings.sql, &params, false) != 0)
                return -1;
        pipit__reply_queue_push(&conn->replies, &pipit__reply_settings, NULL, NULL);
        return conn_send_sync(conn, 0, 0, NULL);
}

/*
 * Makes the connection a reader, or a writer, for what is sent from now on: a group of reads runs
 * where it cannot write, so that a wrong declaration is an error. A writer has the setting as the
 * server, the database or the role have it: where that says that nobody writes, nobody does. 0, or
 * -1.
 */
int
pipit__conn_send_role(struct conn *conn, bool reader)
{
        const char *sql = reader ? "SET default_transaction_read_only = on"
                                 : "RESET default_transaction_read_only";
        char careful[200];

        /* A session of somebody else is not to be made read only: then it is known what the pooler
         * is. */
        if (reader && conn_asks(conn)) {
                snprintf(careful, sizeof careful,
                         "SELECT CASE WHEN pg_catalog.int4eq(pg_catalog.pg_backend_pid(), %s) THEN "
                         "pg_catalog.set_config('default_transaction_read_only', 'on', false) END",
                         conn->session.pid);
                sql = careful;
        }
        conn->reader = reader;
        return pipit__conn_send_own(conn, sql);
}

/* Sets the search path for a transaction that has no BEGIN, where a SET LOCAL would be warned of;
 * its error goes to req. 0, or -1. */
static int
conn_send_search_path(struct conn *conn, struct request *req)
{
        static const char sql[] = "SELECT pg_catalog.set_config('search_path', $1, true)";
        struct pq_params params = {.n = 1, .values = &conn->config->search_path};

        if (!pipit__conn_has_one_sync(conn) || conn->config->search_path[0] == '\0')
                return 0;
        if (pipit__pq_send(conn->pq, sql, &params, false) != 0)
                return -1;
        pipit__reply_queue_push(&conn->replies, &pipit__reply_tx_command, req, NULL);
        return 0;
}

/* Sets it after a BEGIN. This may not take a snapshot, which is for the user's first statement to
 * do. 0, or -1. */
static int
conn_send_local_search_path(struct conn *conn, struct request *req)
{
        if (!pipit__conn_has_one_sync(conn) || conn->config->local_search_path == NULL)
                return 0;
        return conn_send_command(conn, conn->config->local_search_path, &pipit__reply_tx_command,
                                 req);
}

/* Whether a segment runs where it cannot write. */
static bool
conn_segment_is_reader(const struct conn *conn, enum segment_kind kind, const struct request *first)
{
        /* A role would be everybody's where a pooler may lend the session. */
        bool strict = conn->config->strict_reads && conn->config->max_prepared > 0;

        return kind == SEGMENT_READS ||
               (strict && kind == SEGMENT_SINGLE && pipit__request_is_read(first));
}

/* Sends what goes in front of a segment's statements, so that they run where they may and find what
 * they should; first is one of them. 0, or -1. */
static int
conn_send_front(struct conn *conn, enum segment_kind kind, struct request *first)
{
        bool reader = conn_segment_is_reader(conn, kind, first);

        if (pipit__conn_has_one_sync(conn)) {
                if (kind != SEGMENT_READS)
                        return conn_send_search_path(conn, first);
                if (conn_send_command(conn, "BEGIN READ ONLY", &pipit__reply_tx_command, first) !=
                    0)
                        return -1;
                return conn_send_local_search_path(conn, first);
        }
        /* A read that is alone runs anywhere. */
        if (reader != conn->reader && (reader || !pipit__request_is_read(first)))
                return pipit__conn_send_role(conn, reader);
        return 0;
}

/* Sends what comes after a segment's statements. After an error the server skips it, and the
 * transaction has failed: it is rolled back before the connection is used again. 0, or -1. */
static int
conn_send_back(struct conn *conn, enum segment_kind kind)
{
        if (kind != SEGMENT_READS || !pipit__conn_has_one_sync(conn))
                return 0;
        return conn_send_command(conn, "COMMIT", &pipit__reply_tx_command, NULL);
}

int
pipit__conn_send_closes(struct conn *conn)
{
        struct prepared_close close;
        char name[STMT_NAME_SIZE];

        conn->closes_due = false;
        if (conn->prepared.n_closing == 0)
                return 0;
        if (pipit__reply_queue_reserve(&conn->replies, conn->prepared.n_closing + 1) != 0)
                return -1;
        while (pipit__prepared_next_close(&conn->prepared, &close)) {
                pipit__stmt_cache_name(conn->config->stmt_cache, close.serial, close.name, name);
                if (pipit__pq_close_prepared(conn->pq, name) != 0)
                        return -1;
                pipit__reply_queue_push(&conn->replies, &pipit__reply_close, NULL, NULL);
        }
        return conn_send_sync(conn, 0, 0, NULL);
}

/* Whether statements may be closed now. That can fail, and would end a transaction: within a lease
 * only where there surely is none. */
static bool
conn_may_close(const struct conn *conn)
{
        if (pipit__conn_has_one_sync(conn))
                return false;
        return conn->lease_ops == NULL ||
               (conn->replies.n == 0 && !pipit__pq_in_transaction(conn->pq));
}

/* Sends all of a segment of n requests. 0, or -1. */
static int
conn_send_all(struct conn *conn, enum segment_kind kind, struct list *requests, int n,
              const struct holder_ops *ops)
{
        struct request *first = pipit__request_first(requests);
        struct prepared_moment when = pipit__conn_moment(conn);
        int room = n + SEND_PER_SEGMENT + conn->prepared.n_closing + 1;
        float estimated_us = 0;

        if (conn_begin_segment(conn, room) != 0 ||
            (conn_may_close(conn) && pipit__conn_send_closes(conn) != 0) ||
            conn_send_front(conn, kind, first) != 0)
                return -1;
        while (!list_empty(requests)) {
                struct request *req = pipit__request_first(requests);
                pipit__request_set_group(req, n);
                estimated_us += pipit__request_latency(req)->best_us;
                int r = kind == SEGMENT_TYPES
                                ? pipit__conn_ask_types(conn, &when, statement_kinds[kind], req,
                                                        ops)
                                : pipit__conn_send_statement(conn, &when, statement_kinds[kind],
                                                             req, ops);
                if (r != 0)
                        return -1;
        }
        if (conn_send_back(conn, kind) != 0)
                return -1;
        return conn_send_sync(conn, n, estimated_us, NULL);
}

int
pipit__conn_send(struct conn *conn, enum segment_kind kind, struct list *requests,
                 const struct holder_ops *ops)
{
        int n = 0;

        LIST_EACH(link, requests)
                n++;
        assert(n > 0 && (conn->state == CONN_IDLE || conn->state == CONN_LEASED ||
                         conn->state == CONN_BUSY));
        assert(conn->cancel == NULL); /* or it could hit what is sent now */
        assert(conn->replies.n == 0 || !pipit__conn_has_one_sync(conn));
        if (conn_send_all(conn, kind, requests, n, ops) != 0) {
                pipit__conn_break_by_libpq(conn);
                return -1;
        }
        if (conn->state != CONN_BUSY)
                pipit__conn_enter(conn, CONN_BUSY, NULL);
        return 0;
}

/* Ends a transaction's segment, and the transaction if the bracket says so. 0, or -1. */
static int
conn_send_end(struct conn *conn, const struct bracket *bracket)
{
        struct request *commit = bracket->commit;

        if (commit == NULL)
                return conn_send_sync(conn, 0, 0, NULL);
        if (!bracket->implicit &&
            conn_send_command(conn, "COMMIT", &pipit__reply_commit, commit) != 0)
                return -1;
        pipit__request_enter(commit, REQUEST_SENT, bracket->commit_ops, bracket->commit_holder);
        return conn_send_sync(conn, 0, 0, bracket->implicit ? commit : NULL);
}

/* Sends all of a transaction's segment. 0, or -1. */
static int
conn_send_bracket(struct conn *conn, struct list *requests, const struct bracket *bracket)
{
        struct request *first =
                list_empty(requests) ? bracket->commit : pipit__request_first(requests);
        const struct reply_ops *kind =
                bracket->commit != NULL ? &pipit__reply_tx_committed : &pipit__reply_tx_statement;
        struct prepared_moment when = pipit__conn_moment(conn);
        int room = bracket->n_commands + SEND_PER_SEGMENT;

        LIST_EACH(link, requests)
                room++;
        if (conn_begin_segment(conn, room) != 0 ||
            (bracket->implicit && conn_send_search_path(conn, first) != 0))
                return -1;
        for (int i = 0; i < bracket->n_commands; i++) {
                if (strncmp(bracket->commands[i], "ROLLBACK", 8) == 0)
                        pipit__prepared_note_undone(&conn->prepared);
                if (conn_send_command(conn, bracket->commands[i], &pipit__reply_tx_command,
                                      first) != 0)
                        return -1;
                if (strncmp(bracket->commands[i], "BEGIN", 5) == 0 &&
                    conn_send_local_search_path(conn, first) != 0)
                        return -1;
        }
        while (!list_empty(requests)) {
                struct request *req = pipit__request_first(requests);
                int r = bracket->asks
                                ? pipit__conn_ask_types(conn, &when, &pipit__reply_tx_types, req,
                                                        bracket->ops)
                                : pipit__conn_send_statement(conn, &when, kind, req, bracket->ops);
                if (r != 0)
                        return -1;
        }
        return conn_send_end(conn, bracket);
}

int
pipit__conn_send_bracket(struct conn *conn, struct list *requests, const struct bracket *bracket)
{
        assert(conn->state == CONN_LEASED || conn->state == CONN_BUSY);
        if (conn_send_bracket(conn, requests, bracket) != 0) {
                pipit__conn_break_by_libpq(conn);
                return -1;
        }
        if (conn->state != CONN_BUSY)
                pipit__conn_enter(conn, CONN_BUSY, NULL);
        return 0;
}
