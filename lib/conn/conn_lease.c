/*
 * A lease of a connection: one caller has it for itself, from pipit__conn_lease() until the lease
 * gives it back or the connection is lost.
 *
 * 1. While a lease has the connection, lease_ops is set; a connection whose lease_ops is NULL is
 *    everybody's, or is on its way there.
 * 2. A lease gets a writer: what it runs first is sent after what makes the connection one.
 * 3. A session that a lease has changed is made as it was before anybody else gets the connection
 *    (conn_state.c: conn_clean).
 */
#include <assert.h>

#include "conn/conn_int.h"

/* Makes a reader a writer. The lease sends nothing before that is answered. 0, or -1: the
 * connection was closed. */
static int
conn_become_writer(struct conn *conn)
{
        if (pipit__conn_send_role(conn, false) != 0)
                pipit__conn_break_by_libpq(conn);
        else
                pipit__conn_flush(conn);
        return conn->state != CONN_CLOSED ? 0 : -1;
}

int
pipit__conn_lease(struct conn *conn, const struct lease_ops *lease_ops, void *arg)
{
        assert(conn->state == CONN_IDLE);
        if (conn->reader && !pipit__conn_has_one_sync(conn) && conn_become_writer(conn) != 0)
                return -1;
        conn->lease_ops = lease_ops;
        conn->lease_arg = arg;
        pipit__conn_enter(conn, conn->replies.n > 0 ? CONN_BUSY : CONN_LEASED, NULL);
        return 0;
}

void
pipit__conn_release(struct conn *conn, bool renew)
{
        conn->lease_ops = NULL;
        conn->replies.dirty |= renew;
        conn->closes_due = conn->prepared.n_closing > 0;
        pipit__prepared_note_released(&conn->prepared);
        if (conn->state == CONN_LEASED)
                pipit__conn_enter_next(conn);
}

void
pipit__conn_forget_lease(struct conn *conn)
{
        conn->lease_ops = NULL;
}

void *
pipit__conn_lease_arg(const struct conn *conn)
{
        return conn->lease_ops != NULL ? conn->lease_arg : NULL;
}

void
pipit__conn_roll_back(struct conn *conn)
{
        assert(conn->state == CONN_LEASED);
        pipit__prepared_note_undone(&conn->prepared);
        if (pipit__conn_send_own(conn, "ROLLBACK") != 0) {
                pipit__conn_break_by_libpq(conn);
                return;
        }
        pipit__conn_enter(conn, CONN_BUSY, NULL);
        pipit__conn_flush(conn);
}
