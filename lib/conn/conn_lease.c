/*
 * Leases. See conn_lease.h.
 */
#include "conn/conn_lease.h"

#include <assert.h>

#include "conn/conn.h"
#include "conn/conn_send.h"

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

void
pipit__conn_release(struct conn *conn, bool renew)
{
        conn->lease_ops = NULL;
        conn->replies.dirty |= renew;
        if (conn->state == CONN_LEASED)
                pipit__conn_enter_next(conn);
}
