/*
 * Sending on a connection. See conn_send.h.
 */
#include "conn/conn_send.h"

#include <assert.h>

#include "base/cold.h"
#include "conn/conn.h"
#include "conn/reply_commit.h"
#include "conn/reply_own.h"
#include "conn/reply_prepare.h"
#include "conn/reply_statement.h"
#include "conn/reply_sync.h"
#include "conn/reply_transaction.h"
#include "conn/session_settings.h"
#include "pq/pq_cancel.h"
#include "request/bound_stmt.h"
#include "request/request.h"
#include "request/stmt_cache.h"

/* What one statement can be: a Close, a Prepare, a Describe, itself. */
#define SEND_PER_STATEMENT 4
/* A statement that sets the role, and two Syncs. */
#define SEND_PER_SEGMENT 3

static const struct reply_ops *const statement_kinds[] = {[SEGMENT_SINGLE] = &pipit__reply_single,
                                                          [SEGMENT_READS] = &pipit__reply_read,
                                                          [SEGMENT_WRITES] = &pipit__reply_write,
                                                          [SEGMENT_SESSION] =
                                                                  &pipit__reply_session};

/* Ends a segment of n statements, which take so long together. commit: who waits for a Sync that
 * commits; NULL for any other. 0, or -1. */
static int
conn_send_sync(struct conn *conn, int n, float estimated_us, struct request *commit)
{
        int r = pipit__pq_sync(conn->pq);
        struct sending segment = {.sent_us = pipit__reactor_now_us(conn->config->reactor),
                                  .estimated_us = estimated_us,
                                  .n_statements = n};
        pipit__reply_queue_push_sync(
                &conn->replies, commit != NULL ? &pipit__reply_sync_commit : &pipit__reply_sync,
                commit, &segment);
        if (conn->flight.sent_us == 0)
                conn->flight.sent_us = segment.sent_us;
        conn->flight.n_statements += n;
        conn->flight.estimated_us += estimated_us;
        return r;
}

int
pipit__conn_send_own(struct conn *conn, const char *sql)
{
        if (pipit__reply_queue_reserve(&conn->replies, 2) != 0 ||
            pipit__pq_send(conn->pq, sql, NULL, &(struct pq_params){0}) != 0)
                return -1;
        pipit__reply_queue_push(&conn->replies, &pipit__reply_own, NULL, NULL);
        return conn_send_sync(conn, 0, 0, NULL);
}

int
pipit__conn_send_settings(struct conn *conn)
{
        struct session_settings settings;

        pipit__session_settings_init(&settings, pipit__pq_server_version(conn->pq),
                                     conn->config->search_path);
        if (conn->state == CONN_SETTING_UP && !pipit__pq_can_cancel(conn->pq))
                pipit__session_settings_ask_backend(&settings);
        struct pq_params params = {.n = settings.n, .values = settings.values};
        if (pipit__reply_queue_reserve(&conn->replies, 2) != 0 ||
            pipit__pq_send(conn->pq, settings.sql, NULL, &params) != 0)
                return -1;
        pipit__reply_queue_push(&conn->replies, &pipit__reply_own, NULL, NULL);
        return conn_send_sync(conn, 0, 0, NULL);
}

/*
 * Makes it a reader, or a writer, for what is sent from now on: a group of reads runs where it
 * cannot write, so that a wrong declaration is an error. 0, or -1.
 */
static COLD int
conn_send_role(struct conn *conn, bool reader)
{
        const char *sql = reader ? "SET default_transaction_read_only = on"
                                 : "SET default_transaction_read_only = off";

        conn->reader = reader;
        return pipit__conn_send_own(conn, sql);
}

/* Has the server prepare a statement, and forget what had its place. 0, or -1. */
static COLD int
conn_send_prepare(struct conn *conn, struct request *req, struct stmt *stmt)
{
        uint64_t old = pipit__prepared_add(&conn->prepared, stmt);

        if (old != 0) {
                char name[STMT_NAME_SIZE];
                pipit__stmt_cache_name(conn->config->stmt_cache, old, name);
                if (pipit__pq_close_prepared(conn->pq, name) != 0)
                        return -1;
                pipit__reply_queue_push(&conn->replies, &pipit__reply_close, NULL, NULL);
        }
        /* Types that are known are said: values in binary form depend on them. */
        if (pipit__pq_prepare(conn->pq, stmt->name, stmt->sql,
                              stmt->n_types > 0 ? stmt->n_types : 0, stmt->types) != 0)
                return -1;
        pipit__reply_queue_push(&conn->replies, &pipit__reply_prepare, req, stmt);
        if (stmt->n_types >= 0)
                return 0;
        if (pipit__pq_describe(conn->pq, stmt->name) != 0)
                return -1;
        pipit__reply_queue_push(&conn->replies, &pipit__reply_describe, NULL, stmt);
        return 0;
}

/* One statement of a segment. 0, or -1. */
static int
conn_send_statement(struct conn *conn, const struct reply_ops *kind, struct request *req,
                    const struct holder_ops *ops)
{
        const struct bound_stmt *bound = pipit__request_bound(req);
        struct stmt *stmt = bound->stmt;
        /* One that could not be run by its name brings its text along, and gets its own errors. */
        bool named = stmt->slot >= 0 && conn->prepared.slots != NULL &&
                     pipit__request_reprepares(req) == 0;
        int r;

        if (named && !pipit__prepared_has(&conn->prepared, stmt) &&
            conn_send_prepare(conn, req, stmt) != 0)
                return -1;
        if (named)
                r = pipit__pq_send_prepared(conn->pq, stmt->name, &bound->params, stmt->is_binary);
        else
                r = pipit__pq_send(conn->pq, stmt->sql,
                                   bound->params.formats != NULL ? stmt->types : NULL,
                                   &bound->params);
        if (r != 0)
                return -1;
        if (bound->bytes > CONN_LARGE)
                conn->oversized = true;
        pipit__request_enter(req, REQUEST_SENT, ops, conn);
        pipit__reply_queue_push(&conn->replies, kind, req, stmt);
        return 0;
}

/* Entries that a segment takes at most. */
static int
conn_entries(const struct conn *conn, const struct list *requests)
{
        const struct stmt *stmt = NULL;
        int n = SEND_PER_SEGMENT;
        int each = 0;

        LIST_EACH(link, requests) {
                const struct request *req = pipit__request_of(link);
                if (pipit__request_stmt(req) != stmt) { /* most are of one */
                        stmt = pipit__request_stmt(req);
                        each = pipit__prepared_has(&conn->prepared, stmt) ? 1 : SEND_PER_STATEMENT;
                }
                n += each;
        }
        return n;
}

static int
conn_send_all(struct conn *conn, enum segment_kind kind, struct list *requests, int n,
              const struct holder_ops *ops)
{
        struct request *first = pipit__request_first(requests);
        bool reader = kind == SEGMENT_READS;
        float estimated_us = 0;

        if (conn->replies.n == 0)
                conn->flight = (struct sending){0};

        if (pipit__reply_queue_reserve(&conn->replies, conn_entries(conn, requests)) != 0)
                return -1;
        /* A read that is alone runs anywhere. */
        if (reader != conn->reader && (reader || !pipit__request_is_read(first)) &&
            conn_send_role(conn, reader) != 0)
                return -1;
        while (!list_empty(requests)) {
                struct request *req = pipit__request_first(requests);
                pipit__request_set_group(req, n);
                estimated_us += pipit__request_latency(req)->best_us;
                if (conn_send_statement(conn, statement_kinds[kind], req, ops) != 0)
                        return -1;
        }
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
        assert(conn->cancel == NULL); /* it would hit what is sent now */
        if (conn_send_all(conn, kind, requests, n, ops) != 0) {
                pipit__conn_break(conn, pipit__pq_message(conn->pq));
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
        if (!bracket->implicit) {
                if (pipit__pq_send(conn->pq, "COMMIT", NULL, &(struct pq_params){0}) != 0)
                        return -1;
                pipit__reply_queue_push(&conn->replies, &pipit__reply_commit, commit, NULL);
        }
        pipit__request_enter(commit, REQUEST_SENT, bracket->commit_ops, bracket->commit_holder);
        return conn_send_sync(conn, 0, 0, bracket->implicit ? commit : NULL);
}

/* All of a transaction's segment. 0, or -1. */
static int
conn_send_bracket(struct conn *conn, struct list *requests, const struct bracket *bracket)
{
        struct request *first =
                list_empty(requests) ? bracket->commit : pipit__request_first(requests);
        const struct reply_ops *kind =
                bracket->commit != NULL ? &pipit__reply_tx_committed : &pipit__reply_tx_statement;
        int room = conn_entries(conn, requests) + bracket->n_commands + 1;

        if (conn->replies.n == 0)
                conn->flight = (struct sending){0};
        if (pipit__reply_queue_reserve(&conn->replies, room) != 0)
                return -1;
        for (int i = 0; i < bracket->n_commands; i++) {
                if (pipit__pq_send(conn->pq, bracket->commands[i], NULL, &(struct pq_params){0}) !=
                    0)
                        return -1;
                pipit__reply_queue_push(&conn->replies, &pipit__reply_tx_command, first, NULL);
        }
        while (!list_empty(requests)) {
                struct request *req = pipit__request_first(requests);
                if (conn_send_statement(conn, kind, req, bracket->ops) != 0)
                        return -1;
        }
        return conn_send_end(conn, bracket);
}

int
pipit__conn_send_bracket(struct conn *conn, struct list *requests, const struct bracket *bracket)
{
        assert(conn->state == CONN_LEASED || conn->state == CONN_BUSY);
        if (conn_send_bracket(conn, requests, bracket) != 0) {
                pipit__conn_break(conn, pipit__pq_message(conn->pq));
                return -1;
        }
        if (conn->state != CONN_BUSY)
                pipit__conn_enter(conn, CONN_BUSY, NULL);
        return 0;
}
