/*
 * Sending one statement: by the name that it was prepared under, with the types that this
 * connection knows of it.
 *
 * 1. A statement that the connection does not know, or knows no more, is prepared in front, in the
 *    same flight, with values that are text; so is its result.
 * 2. Values that were written by other types than the connection's are written anew, as text.
 * 3. A value that the connection's types would change goes out with the statement's text, and
 *    without types: the server finds those of now. It is prepared anew instead, at most once in
 *    PREPARED_MIN_AGE_MS.
 * 4. Where the session writes values in another way than their binary form says, the types are
 *    asked for before a statement is sent, so that its result has the same text from the first use
 *    on. That costs a round trip, and nothing else does.
 */
#include "conn/conn_int.h"
#include "conn/reply_prepare.h"
#include "request/bound_stmt.h"
#include "request/request.h"
#include "request/stmt_cache.h"
#include "request/stmt_types.h"

struct prepared_moment
pipit__conn_moment(const struct conn *conn)
{
        return (struct prepared_moment){.now_ms = pipit__conn_now(conn),
                                        .schema =
                                                pipit__stmt_cache_schema(conn->config->stmt_cache)};
}

bool
pipit__conn_lacks_types(const struct conn *conn, const struct stmt *stmt)
{
        struct prepared_moment when = pipit__conn_moment(conn);
        const struct prepared_slot *slot = pipit__prepared_find(&conn->prepared, stmt, &when);

        if ((slot != NULL && slot->types != NULL) ||
            !pipit__prepared_takes(&conn->prepared, stmt) || pipit__conn_has_one_sync(conn))
                return false;
        return conn->prepared.styled || !pipit__pq_writes_iso(conn->pq);
}

/* Has the server prepare a statement, and tell its types; *ret_slot is its place then. asks: the
 * kind of the Describe's reply, for a request that waits for it. 0, or -1. */
static COLD int
conn_send_prepare(struct conn *conn, const struct prepared_moment *when, struct request *req,
                  const struct reply_ops *asks, const struct prepared_slot **ret_slot)
{
        struct stmt *stmt = pipit__request_stmt(req);

        if (pipit__reply_queue_reserve(&conn->replies, conn->room + 2) != 0)
                return -1;
        *ret_slot = pipit__prepared_add(&conn->prepared, stmt, when);
        if (pipit__stmt_send_prepare(stmt, conn->pq, (*ret_slot)->name) != 0)
                return -1;
        pipit__reply_queue_push(&conn->replies, &pipit__reply_prepare, req, stmt);
        if (asks != NULL)
                pipit__reply_queue_push(&conn->replies, asks, req, stmt);
        else
                pipit__reply_queue_push(&conn->replies, &pipit__reply_describe, NULL, stmt);
        return 0;
}

int
pipit__conn_ask_types(struct conn *conn, const struct prepared_moment *when,
                      const struct reply_ops *kind, struct request *req,
                      const struct holder_ops *ops)
{
        const struct prepared_slot *slot;

        if (conn_send_prepare(conn, when, req, kind, &slot) != 0)
                return -1;
        pipit__request_enter(req, REQUEST_SENT, ops, conn);
        return 0;
}

/* Has a request's values written as text. 0, or -1 without memory. */
static COLD int
request_make_text(struct request *req)
{
        struct bound_stmt *bound = pipit__bound_stmt_rewrite(pipit__request_bound(req));

        if (bound == NULL)
                return -1;
        pipit__request_replace_stmt(req, bound);
        return 0;
}

/* Whether the types that are known at a place would change a value of a request, all of whose
 * values are text. */
static bool
slot_changes_value(const struct prepared_slot *slot, const struct bound_stmt *bound)
{
        if (slot->types == NULL)
                return false;
        return (bound->is_misfit && bound->params.formats != NULL) ||
               !pipit__bound_stmt_fits(bound, slot->types);
}

/* How a statement goes out. */
struct way {
        const struct prepared_slot *slot; /* by its name there; NULL: with its text */
        bool is_binary;                   /* its result is in binary form */
};

/* Makes ready what is not so yet: the statement on this connection, and the values for its types
 * there. 0, or -1. */
static COLD int
conn_make_ready(struct conn *conn, const struct prepared_moment *when, struct request *req,
                struct way *way)
{
        /* One that could not be run by its name brings its text along, and gets its own errors. */
        bool by_name = pipit__prepared_takes(&conn->prepared, pipit__request_stmt(req)) &&
                       (pipit__request_reprepares(req) == 0 || conn->prepared.styled);
        const struct bound_stmt *bound = pipit__request_bound(req);
        const struct prepared_slot *slot = by_name ? way->slot : NULL;

        if (by_name && slot == NULL && conn_send_prepare(conn, when, req, NULL, &slot) != 0)
                return -1;
        bool same = slot != NULL && bound->types == slot->types && !bound->is_misfit;
        if (!same && bound->types != NULL && request_make_text(req) != 0)
                return -1;
        way->slot = slot;
        way->is_binary = slot != NULL && slot->types != NULL && slot->types->is_binary;
        if (same || slot == NULL || !slot_changes_value(slot, pipit__request_bound(req)))
                return 0;
        way->slot = NULL;
        way->is_binary = way->is_binary && conn->prepared.styled;
        if (conn->prepared.styled || !pipit__prepared_is_aged(slot, when))
                return 0;
        return conn_send_prepare(conn, when, req, NULL, &way->slot);
}

int
pipit__conn_send_statement(struct conn *conn, const struct prepared_moment *when,
                           const struct reply_ops *kind, struct request *req,
                           const struct holder_ops *ops)
{
        struct stmt *stmt = pipit__request_stmt(req);
        const struct bound_stmt *bound = pipit__request_bound(req);
        struct way way = {.slot = pipit__prepared_find(&conn->prepared, stmt, when)};
        struct stmt_types *types = way.slot != NULL ? way.slot->types : NULL;

        if (types != NULL && types == bound->types && !bound->is_misfit &&
            pipit__request_reprepares(req) == 0) {
                way.is_binary = types->is_binary;
        } else {
                if (conn_make_ready(conn, when, req, &way) != 0)
                        return -1;
                types = way.slot != NULL ? way.slot->types : NULL;
                bound = pipit__request_bound(req);
        }
        int r = way.slot != NULL
                        ? pipit__stmt_send_prepared(stmt, conn->pq, way.slot->name, &bound->params,
                                                    way.is_binary)
                        : pipit__stmt_send_text(stmt, conn->pq, &bound->params, way.is_binary);
        if (r != 0)
                return -1;
        if (pipit__request_bytes(req) > CONN_LARGE)
                conn->oversized = true;
        if (pipit__stmt_traits(stmt) != 0)
                pipit__prepared_note_sent(&conn->prepared, stmt);
        pipit__request_enter(req, REQUEST_SENT, ops, conn);
        pipit__reply_queue_push_statement(&conn->replies, kind, req, stmt, types);
        return 0;
}
