/*
 * Leases. See conn_lease.h.
 */
#include "conn/conn_lease.h"

#include <assert.h>

#include "conn/conn.h"
#include "conn/conn_send.h"

/* How long a server may take to roll back and to forget; then another connection is made. */
#define CONN_CLEAN_MS 5000
/* Statements that the server has prepared, and nobody knows, before a connection is replaced. */
#define CONN_MAX_LOST 64

int
pipit__conn_lease(struct conn *conn, const struct lease_ops *lease_ops, void *arg)
{
        assert(conn->state == CONN_IDLE);
        if (conn->reader) {
                conn->reader = false;
                if (pipit__conn_send_own(conn, "SET default_transaction_read_only = off") != 0) {
                        pipit__conn_break(conn, pipit__pq_message(conn->pq));
                        return -1;
                }
                pipit__conn_flush(conn); /* the lease sends nothing before this is answered */
                if (conn->state == CONN_CLOSED)
                        return -1;
        }
        conn->lease_ops = lease_ops;
        conn->lease_arg = arg;
        pipit__conn_enter(conn, conn->replies.n > 0 ? CONN_BUSY : CONN_LEASED, NULL);
        return 0;
}

/* What the server prepared by name is gone, and every setting is the server's own. 0, or -1. */
static int
conn_renew(struct conn *conn)
{
        conn->replies.dirty = false;
        pipit__prepared_clear(&conn->prepared);
        if (pipit__conn_send_own(conn, "DISCARD ALL") != 0)
                return -1;
        return pipit__conn_send_settings(conn);
}

/* Sends what makes it as it was. 0, or -1. */
static int
conn_clean(struct conn *conn, bool in_transaction)
{
        if (in_transaction && pipit__conn_send_own(conn, "ROLLBACK") != 0)
                return -1;
        return conn->replies.dirty ? conn_renew(conn) : 0;
}

void
pipit__conn_enter_idle_state(struct conn *conn)
{
        if (conn->lease_ops != NULL) {
                pipit__conn_enter(conn, CONN_LEASED, NULL);
                conn->lease_ops->ready(conn->lease_arg);
                return;
        }
        if (conn->prepared.n_lost > CONN_MAX_LOST) {
                pipit__conn_close(conn, "too many of its prepared statements could not be closed");
                return;
        }
        if (conn->oversized) {
                pipit__conn_close(conn, "its buffers had grown");
                return;
        }
        bool in_transaction = pipit__pq_in_transaction(conn->pq);
        if (!in_transaction && !conn->replies.dirty) {
                pipit__conn_enter(conn, CONN_IDLE, NULL);
                return;
        }
        if (conn->state == CONN_CLEANING) {
                pipit__conn_break(conn, "what was left behind on it could not be taken away");
                return;
        }
        pipit__conn_enter(conn, CONN_CLEANING, NULL);
        pipit__timer_set_or_now(conn->limit, CONN_CLEAN_MS);
        if (conn_clean(conn, in_transaction) != 0)
                pipit__conn_break(conn, pipit__pq_message(conn->pq));
        else
                pipit__conn_flush(conn);
}

void
pipit__conn_release(struct conn *conn, bool renew)
{
        conn->lease_ops = NULL;
        conn->replies.dirty |= renew;
        if (conn->state == CONN_LEASED)
                pipit__conn_enter_idle_state(conn);
}
