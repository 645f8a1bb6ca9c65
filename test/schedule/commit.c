/*
 * What a session of the model commits, and what it begins and ends for that. See model.h.
 */
#include <string.h>

#include "model_session.h"
#include "world.h"

/* A statement's effect lasts, or does not. */
static void
op_end(struct op *op, bool committed)
{
        op->n_committed += committed;
        /* A write that was declared a read, wrongly, may run again when its connection is lost. */
        if (op->n_committed > 1 && !op->is_read)
                broken("I5: op %d was committed %d times", op->number, op->n_committed);
}

/* All of a transaction is committed. */
static void
atomic_end(struct op *atomic, struct session *session)
{
        session->ended = atomic;
        atomic->session = session->number;
        if (++atomic->n_committed > 1)
                broken("I5: transaction %d was committed again", atomic->number);
}

void
segment_end(struct session *session, bool committed)
{
        struct op *first = session->n_segment > 0 ? &ledger.ops[session->segment[0]] : NULL;

        for (int i = session->n_taken; i < session->n_segment; i++)
                op_end(&ledger.ops[session->segment[i]], committed);
        if (committed && first != NULL && first->atomic != NULL && session->n_taken == 0)
                atomic_end(first->atomic, session);
}

void
segment_open(struct session *session)
{
        for (int i = session->n_taken; i < session->n_segment; i++)
                session->open[session->n_open++] = session->segment[i];
        session->n_taken = session->n_segment;
}

bool
ops_are_deferred(const int *ops, int n)
{
        for (int i = 0; i < n; i++) {
                if (ledger.ops[ops[i]].kind == OP_DEFERRED)
                        return true;
        }
        return false;
}

static bool
open_is_deferred(const struct session *session)
{
        return ops_are_deferred(session->open, session->n_open);
}

/* A transaction that has a BEGIN is over. */
static void
session_end_open(struct session *session, bool committed)
{
        session->status = 'I';
        for (int i = 0; i < session->n_open; i++)
                op_end(&ledger.ops[session->open[i]], committed);
        if (committed && session->n_open > 0)
                atomic_end(ledger.ops[session->open[0]].atomic, session);
        session->n_open = 0;
}

/* COMMIT: what the transaction comes to. */
static void
session_execute_commit(struct session *session)
{
        struct op *atomic = session->n_open > 0 ? ledger.ops[session->open[0]].atomic : NULL;

        segment_open(session);
        if (session->n_open > 0)
                atomic = ledger.ops[session->open[0]].atomic;
        if (session->status != 'T') {
                session_end_open(session, false);
                session_send(session, 'C', "ROLLBACK");
        } else if (session_springs(session, TRAP_EXECUTE_FATAL)) {
                session_fatal(session, "57P01");
        } else if (atomic != NULL &&
                   (open_is_deferred(session) || session_springs(session, TRAP_EXECUTE_ERROR))) {
                const char *state = open_is_deferred(session) ? "23503" : "40001";
                session_end_open(session, false);
                session_refuse(session, atomic->number, state);
        } else {
                session_end_open(session, true);
                session_send(session, 'C', "COMMIT");
        }
}

bool
session_brackets(struct session *session)
{
        const char *sql = session->sql;

        if (strncmp(sql, "BEGIN", 5) == 0) {
                if (session->status != 'I')
                        broken("session %d is in a transaction already", session->number);
                session->status = 'T';
                session_send(session, 'C', "BEGIN");
        } else if (strcmp(sql, "COMMIT") == 0) {
                session_execute_commit(session);
        } else if (strcmp(sql, "ROLLBACK") == 0) {
                segment_open(session);
                session_end_open(session, false);
                session_send(session, 'C', "ROLLBACK");
        } else {
                return false;
        }
        session->brackets = true;
        return true;
}
