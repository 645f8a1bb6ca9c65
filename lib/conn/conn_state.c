/*
 * The states of a connection: the function that changes them, and what comes next once nothing is
 * owed any more. A connection starts as CONNECTING; CLOSED is the end.
 *
 *  CONNECTING -> SETTING_UP   conn_set_up()               an address has answered
 *  SETTING_UP -> IDLE         conn_idle()                 the settings are answered
 *  IDLE -> BUSY               pipit__conn_send()          a batch was sent
 *  IDLE -> LEASED             pipit__conn_lease()         a lease takes a writer
 *  IDLE -> BUSY               pipit__conn_lease()         a lease takes a reader, made a writer
 *  LEASED -> BUSY             pipit__conn_send() and      the lease has sent something
 *                             its like
 *  BUSY -> CANCELLING         pipit__conn_drained()       all is answered; a cancel is still out
 *  BUSY -> LEASED             conn_lease_goes_on()        all is answered; a lease has it
 *  BUSY -> IDLE               conn_idle()                 all is answered; no lease has it
 *  BUSY -> CLEANING           conn_clean()                all is answered; a lease that has gone
 *                                                         did not leave the session as it was
 *  CANCELLING -> LEASED, IDLE or CLEANING                 as from BUSY, once the cancel has ended
 *  LEASED -> IDLE             conn_idle()                 the lease gives it back
 *  LEASED -> CLEANING         conn_clean()                the same, but not as the session was
 *  CLEANING -> IDLE           conn_idle()                 the session is as it was
 *  each -> CLOSED             pipit__conn_end()           the connection is lost, or of no use
 *                                                         any more, or its owner closes it
 *
 * 1. pipit__conn_enter() is the only function that assigns the state, and it tells the owner.
 * 2. While a cancel is out nothing new is sent, since the cancel could hit that.
 * 3. The session of an idle connection is as it was set up, but for what is prepared and for the
 *    role of a reader.
 * 4. Nothing of a connection is used after it was entered as idle: its owner may have closed it.
 *
 * conn_read.c calls pipit__conn_drained() with the last answer, conn_cancel.c with the end of a
 * cancel, and conn_lease.c calls pipit__conn_enter_next() for a lease that gives back what owes
 * nothing.
 */
#include "base/cold.h"
#include "base/log.h"
#include "conn/conn_int.h"

/* How long a server may take to roll back and to forget; then another connection is made. */
#define CONN_CLEAN_MS 5000
/* Statements that the server has prepared, and nobody knows, before a connection is replaced. */
#define CONN_MAX_LOST 64

static const char *const state_names[] = {[CONN_CONNECTING] = "connecting",
                                          [CONN_SETTING_UP] = "setting up",
                                          [CONN_IDLE] = "idle",
                                          [CONN_BUSY] = "busy",
                                          [CONN_LEASED] = "leased",
                                          [CONN_CLEANING] = "cleaning",
                                          [CONN_CANCELLING] = "cancelling",
                                          [CONN_CLOSED] = "closed"};

void
pipit__conn_enter(struct conn *conn, enum conn_state state, const struct conn_error *failure)
{
        int64_t now = pipit__conn_now(conn);
        enum conn_state from = conn->state;

        pipit__log(conn->config->log, now, PIPIT_LOG_DEBUG, "connection to %s: %s -> %s",
                   conn->host, state_names[from], state_names[state]);
        conn->state = state;
        conn->served = conn->served || (from == CONN_IDLE && state != CONN_CLOSED);
        conn->since_ms = now;
        conn->config->ops->entered(conn, from, failure, conn->config->arg);
}

/* ---- nothing is owed */

static void
conn_lease_goes_on(struct conn *conn)
{
        pipit__conn_enter(conn, CONN_LEASED, NULL);
        conn->lease_ops->ready(conn->lease_arg);
}

static void
conn_idle(struct conn *conn)
{
        if (conn->state == CONN_SETTING_UP)
                pipit__conn_learn_refused(conn);
        pipit__conn_enter(conn, CONN_IDLE, NULL);
}

/* Has the server forget what it prepared by name, and every setting. 0, or -1. */
static int
conn_renew(struct conn *conn)
{
        conn->replies.dirty = false;
        pipit__prepared_clear(&conn->prepared);
        if (pipit__conn_send_own(conn, "DISCARD ALL") != 0)
                return -1;
        return pipit__conn_send_settings(conn);
}

/* Whether the session is not as it was, and can be made so. What others have, too, would be taken
 * from them. */
static bool
conn_is_dirty(const struct conn *conn)
{
        return (conn->replies.dirty || conn->closes_due) && !pipit__conn_has_one_sync(conn);
}

/* Sends what makes the session as it was. A second time is one too many. */
static COLD void
conn_clean(struct conn *conn)
{
        bool in_transaction = pipit__pq_in_transaction(conn->pq);
        bool dirty = conn_is_dirty(conn);

        if (conn->state == CONN_CLEANING) {
                pipit__conn_break(conn, "what was left behind on it could not be taken away");
                return;
        }
        pipit__conn_enter(conn, CONN_CLEANING, NULL);
        pipit__timer_set_or_now(conn->limit, CONN_CLEAN_MS);
        if ((in_transaction && pipit__conn_send_own(conn, "ROLLBACK") != 0) ||
            (dirty && conn->replies.dirty && conn_renew(conn) != 0) ||
            (dirty && conn->closes_due && pipit__conn_send_closes(conn) != 0))
                pipit__conn_break_by_libpq(conn);
        else
                pipit__conn_flush(conn);
}

/* Closes a connection whose server is not what was asked for any more. */
static COLD void
conn_leave(struct conn *conn)
{
        pipit__conn_tell_unsuited(conn);
        pipit__conn_close(conn, "its server is not what target_session_attrs asks for any more");
}

void
pipit__conn_enter_next(struct conn *conn)
{
        if (conn->settings_again)
                pipit__conn_send_settings_again(conn, conn->state == CONN_SETTING_UP
                                                              ? conn->config->connect_timeout_ms
                                                              : CONN_CLEAN_MS);
        else if (conn->lease_ops != NULL)
                conn_lease_goes_on(conn);
        else if (pipit__prepared_n_lost(&conn->prepared) > CONN_MAX_LOST)
                pipit__conn_close(conn, "too many of its prepared statements could not be closed");
        else if (conn->oversized)
                pipit__conn_close(conn, "its buffers had grown");
        else if (pipit__pq_in_transaction(conn->pq) || conn_is_dirty(conn))
                conn_clean(conn);
        else if (!pipit__conn_suits(conn))
                conn_leave(conn);
        else
                conn_idle(conn);
}

void
pipit__conn_drained(struct conn *conn)
{
        pipit__conn_pass_cancel(conn);
        pipit__timer_stop(conn->limit);
        if (conn->cancel_state == CANCEL_FAILED) {
                pipit__conn_close(conn, "a cancel had failed");
        } else if (conn->cancel != NULL) {
                pipit__conn_enter(conn, CONN_CANCELLING, NULL);
        } else {
                conn->cancel_state = CANCEL_NONE;
                pipit__conn_enter_next(conn);
        }
}

/* ---- a state has lasted too long */

void
pipit__conn_on_limit(void *arg)
{
        struct conn *conn = arg;

        switch (conn->state) {
        case CONN_SETTING_UP:
                pipit__conn_break(conn, "the session's settings were not answered in time");
                break;
        case CONN_CLEANING: pipit__conn_close(conn, "it was not clean in time"); break;
        case CONN_BUSY: pipit__conn_on_patience(conn); break;
        case CONN_CONNECTING:
        case CONN_IDLE:
        case CONN_LEASED:
        case CONN_CANCELLING:
        case CONN_CLOSED: break;
        }
}
