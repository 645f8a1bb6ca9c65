/*
 * The ledger. See ledger.h.
 */
#include "ledger.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "model_session.h"
#include "world.h"

/* How long it takes at most until all is well again. */
#define HEALTHY_MS 15000

struct ledger ledger;

void
ledger_clear(void)
{
        ledger = (struct ledger){.in_callback = ledger.in_callback, .torn = -1};
}

bool
op_is_out(const struct op *op)
{
        return op->request != 0 && op->n_calls == 0;
}

void
ledger_disturb(void)
{
        ledger.disturbed = true;
        ledger.n_faults++;
}

struct op *
ledger_add(enum op_kind kind, int generation)
{
        if (ledger.n == LEDGER_MAX)
                return NULL;
        struct op *op = &ledger.ops[ledger.n];
        *op = (struct op){.started_ms = world.now_ms,
                          .n_faults = ledger.n_faults,
                          .turn = world_turns() - world.turning,
                          .alone = true,
                          .number = ledger.n,
                          .kind = kind,
                          .generation = generation,
                          .nonce = NONCE_STEP * (int64_t)(ledger.n + 1) + kind,
                          .deadline_ms = INT64_MAX,
                          .first_part = LEDGER_MAX};
        for (int i = 0; i < ledger.n; i++)
                op->alone &= !op_is_out(&ledger.ops[i]);
        ledger.n++;
        return op;
}

struct op *
ledger_at(int number)
{
        if (number < 0 || number >= ledger.n)
                broken("the server got the statement of op %d, which there is not", number);
        return &ledger.ops[number];
}

/* The kinds that can succeed. */
static bool
op_can_succeed(const struct op *op)
{
        return op->kind <= OP_LONG || op->kind == OP_DRAIN ||
               (op->kind == OP_DEFERRED && op->atomic != NULL);
}

static void
op_check_rows(const struct op *op, const struct pipit_result *res)
{
        int rows = op->columns > 0 ? op->rows : 0;
        char nonce[32];

        snprintf(nonce, sizeof nonce, "%" PRId64, op->nonce);
        if (pipit_result_columns(res) != op->columns || pipit_result_rows(res) != rows)
                broken("I3: op %d (%s) got %d columns, %d rows, and not %d, %d", op->number,
                       op_name(op->kind), pipit_result_columns(res), pipit_result_rows(res),
                       op->columns, rows);
        for (int i = 0; i < rows; i++) {
                const char *text = pipit_result_text(res, i, 0);
                if (text == NULL || strcmp(text, nonce) != 0)
                        broken("I3: op %d got %s in row %d, and not its own %s", op->number,
                               text != NULL ? text : "NULL", i, nonce);
        }
        if (op->kind != OP_EMPTY && pipit_result_affected(res) != op->rows)
                broken("I3: op %d got %" PRId64 " affected rows, and not %d", op->number,
                       pipit_result_affected(res), op->rows);
}

static void
op_check_order(const struct op *op)
{
        for (int i = op->number + 1; i < ledger.n; i++) {
                const struct op *other = &ledger.ops[i];
                if (op_keeps_order(other) && other->n_calls > 0 && other->code == PIPIT_OK &&
                    other->session == op->session && other->kind != OP_DRAIN)
                        broken("I4: op %d ended behind op %d of the same connection", op->number,
                               other->number);
        }
}

/* It is committed, once; or there was nothing of it. */
static void
atomic_check_success(const struct op *op)
{
        if (op->n_committed != op_has_run(op))
                broken("I6: transaction %d succeeded, and was committed %d times", op->number,
                       op->n_committed);
        if (op->rolls_back)
                broken("I6: transaction %d succeeded, and was to roll back", op->number);
}

static void
op_check_success(const struct op *op, const struct pipit_result *res)
{
        if (op->kind == OP_DRAIN)
                return;
        if (op->kind == OP_ATOMIC) {
                atomic_check_success(op);
                return;
        }
        if (!op_can_succeed(op))
                broken("I6: op %d (%s) succeeded", op->number, op_name(op->kind));
        if (op->cancelled && !op->ended)
                broken("op %d succeeded behind its cancel", op->number);
        bool early = (op->is_read && !op_writes(op)) || op->atomic != NULL;
        uint64_t since = early ? op->answered_at : op->ready_at;
        bool again = op->is_read && op->n_committed > 1; /* declared a read, wrongly */
        if (op->session == 0 || (op->n_committed != 1 && !early && !again))
                broken("I6: op %d succeeded, and was committed %d times", op->number,
                       op->n_committed);
        const struct session *session = model_numbered(op->session);
        if (session->harmed_at > 0 && session->harmed_at < since)
                broken("I8: op %d succeeded on a connection in a wrong encoding", op->number);
        if (since == 0 || session->delivered < since)
                broken("I6: op %d succeeded before it was answered", op->number);
        if (op_keeps_order(op))
                op_check_order(op);
        op_check_rows(op, res);
}

/* In a healthy world only what was late before. */
static bool
op_may_be_late(const struct op *op)
{
        if (ledger.healed_ms > 0 && world.now_ms > ledger.healed_ms + HEALTHY_MS)
                return false;
        return op->was_due || op->deadline_ms <= world.now_ms || ledger.time_moved;
}

/* What was lost while it was idle must cost nobody an answer. */
static bool
op_may_be_lost(const struct op *op)
{
        bool untouched = op->alone && op->n_faults == ledger.n_faults &&
                         op->started_ms == world.now_ms && !world_memory_failed() &&
                         op->turn != ledger.torn;

        return (ledger.disturbed || ledger.time_moved) && !untouched;
}

/* What is hit in the place of another runs again where it may, and else is told what it was. */
static bool
op_may_be_told_of_a_hit(const struct op *op, const struct pipit_error *error)
{
        return op->is_hit && !op_may_share(op) && error->executed == PIPIT_EXECUTED_ROLLED_BACK &&
               strstr(error->message, "cancel of another") != NULL;
}

static bool op_may_fail_like(const struct op *op, const struct pipit_error *error);

/* A transaction has the failure of one of its parts, and its parts have its own. */
static bool
atomic_may_fail_like(const struct op *atomic, const struct pipit_error *error)
{
        for (int i = 0; i < ledger.n; i++) {
                const struct op *part = &ledger.ops[i];
                if (part->atomic == atomic && op_may_fail_like(part, error))
                        return true;
        }
        return false;
}

/* A part is not run again, whatever was wrong with what was prepared for it. */
static bool
part_may_fail_like(const struct op *part, const struct pipit_error *error)
{
        switch ((int)error->code) {
        case PIPIT_EROLLBACK: return true;
        case PIPIT_ESERVER:
                return part->n_prepared > 0 || part->is_hit ||
                       strcmp(part->atomic->sent_state, error->sqlstate) == 0;
        case PIPIT_ECANCELED: return part->atomic->cancelled || part->generation <= ledger.ended;
        case PIPIT_ETIMEDOUT: return op_may_be_late(part->atomic);
        case PIPIT_ELOST: return ledger.disturbed || ledger.time_moved;
        default: return false;
        }
}

/* Whether there is a reason for this failure. */
static bool
op_may_fail_like(const struct op *op, const struct pipit_error *error)
{
        bool ended = op->generation <= ledger.ended;

        if (op->atomic != NULL && part_may_fail_like(op, error))
                return true;

        switch (error->code) {
        case PIPIT_ESERVER:
                if (strcmp(error->sqlstate, "57014") == 0)
                        return op_may_be_told_of_a_hit(op, error);
                /* Without memory what was prepared cannot be prepared anew. The server may not have
                 * come to whose text it was that it refused. */
                return strcmp(op->sent_state, error->sqlstate) == 0 ||
                       (op->n_prepared > 0 && world_memory_failed()) ||
                       (op->session == 0 && error->sqlstate[0] == '4' && ledger.disturbed);
        case PIPIT_ECANCELED: return op->cancelled || ended;
        case PIPIT_ECLOSED: return op->started_late;
        case PIPIT_ETIMEDOUT: return op_may_be_late(op);
        case PIPIT_ENOMEM: return world_memory_failed();
        case PIPIT_ELOST: return op_may_be_lost(op);
        case PIPIT_ECONNECT: return ledger.disturbed || ledger.time_moved;
        case PIPIT_EUNSHARED: return op->kind >= OP_SETS && op->kind <= OP_COPIES_IN;
        case PIPIT_ETYPE: return op->kind == OP_NUL;
        case PIPIT_ELIMIT: return true;
        case PIPIT_EINVAL: return world_memory_failed() && op->started_late;
        case PIPIT_OK:
        case PIPIT_ENOTFOUND:
        case PIPIT_EBLOCKING:
        case PIPIT_ETHREAD:
        case PIPIT_EFORK:
        case PIPIT_EDEADLK: break;
        case PIPIT_EROLLBACK: return op->rolls_back;
        }
        return false;
}

/* What was undone, to be run again, was not. */
static bool
op_was_executed(const struct op *op)
{
        bool lasts = op_may_share(op) || op->kind == OP_ATOMIC;

        return lasts ? op->n_committed > 0 : op->session != 0;
}

static void
op_check_failure(const struct op *op, const struct pipit_error *error)
{
        if (error->message == NULL || error->message[0] == '\0')
                broken("op %d failed without a word", op->number);
        if (!op_may_fail_like(op, error) &&
            !(op->kind == OP_ATOMIC && atomic_may_fail_like(op, error)))
                broken("op %d (%s) failed for no reason with %s %s: %s", op->number,
                       op_name(op->kind), pipit_code_name((int)error->code), error->sqlstate,
                       error->message);
        if (error->executed == PIPIT_EXECUTED_NO && op_was_executed(op))
                broken("I6: op %d was executed: %s", op->number, error->message);
}

void
op_on_done(struct pipit_result *res, void *arg)
{
        struct op *op = arg;
        const struct pipit_error *error = pipit_result_error(res);
        bool was_harnessing = world.harnessing;

        world.harnessing = true;
        if (!world.turning || world.inside > 0)
                broken("I2: op %d called back inside a call", op->number);
        if (op->n_calls++ > 0)
                broken("I1: op %d called back again", op->number);
        if (op->request == 0)
                broken("I1: op %d called back, and its start had returned 0", op->number);
        op->scope = NULL;
        op->code = error != NULL ? (int)error->code : PIPIT_OK;
        op->executed = error != NULL ? error->executed : PIPIT_EXECUTED_YES;
        trace("op %d: %s%s%s", op->number, pipit_code_name(op->code), error != NULL ? ": " : "",
              error != NULL ? error->message : "");
        world_note((uint64_t)op->number << 32 | (unsigned)-op->code << 8 | op->executed);
        world_note((uint64_t)world.now_ms);
        if (error == NULL)
                op_check_success(op, res);
        else
                op_check_failure(op, error);
        if (ledger.in_callback != NULL)
                ledger.in_callback();
        world.harnessing = was_harnessing;
}

void
op_on_then(struct pipit_result *res, void *arg)
{
        struct op *op = arg;

        (void)res;
        if (op->n_calls != 1 || ++op->n_then_calls > op->n_then)
                broken("I1: op %d has %d calls behind its callback, and %d were added", op->number,
                       op->n_then_calls, op->n_then);
}

/* Whether the connection of a read is gone, from either side, so that the read runs again. */
static bool
op_waits_elsewhere(const struct op *op)
{
        const struct session *session = model_numbered(op->session);
        struct pollfd link = {.fd = session->fd, .events = POLLRDHUP};

        if (!op->is_read || op->atomic != NULL)
                return false;
        return session->fd < 0 || session->eof || session->ending || poll(&link, 1, 0) > 0;
}

bool
op_is_answered(const struct op *op)
{
        return op->session != 0 && op->ready_at > 0 && !op_waits_elsewhere(op) &&
               model_numbered(op->session)->delivered >= op->ready_at;
}

void
ledger_check_quiet(int open_generation)
{
        for (int i = 0; i < ledger.n; i++) {
                const struct op *op = &ledger.ops[i];
                if (!op_is_out(op))
                        continue;
                if (op->generation != open_generation)
                        broken("I1: op %d is out, and its database is closed", op->number);
                if (op->deadline_ms < world.now_ms - 2)
                        broken("I15: op %d is overdue by %" PRId64 " ms", op->number,
                               world.now_ms - op->deadline_ms);
                if (op_is_answered(op))
                        broken("I1: op %d is answered, and its caller is not told", op->number);
        }
}

static void
op_check_end(const struct op *op)
{
        if (op->request == 0) {
                if (op->n_calls > 0 || op->session != 0)
                        broken("I1: op %d ran, and its start had returned 0", op->number);
                return;
        }
        if (op->n_calls != 1 || op->n_then_calls != op->n_then)
                broken("I1: op %d (%s) called back %d times, and %d of %d behind it", op->number,
                       op_name(op->kind), op->n_calls, op->n_then_calls, op->n_then);
        if (op->code == PIPIT_OK || op->kind == OP_DRAIN)
                return;
        if (op->executed == PIPIT_EXECUTED_NO && op_was_executed(op))
                broken("I6: op %d was said not to be sent, and was executed", op->number);
        if (op->executed == PIPIT_EXECUTED_ROLLED_BACK && op->n_committed > 0 &&
            op->kind != OP_SETS)
                broken("I6: op %d was said to be rolled back, and was committed", op->number);
        if (op->executed == PIPIT_EXECUTED_YES && op->n_committed != 1)
                broken("I6: op %d was said to be executed, and was not committed", op->number);
}

void
ledger_check_end(void)
{
        for (int i = 0; i < ledger.n; i++)
                op_check_end(&ledger.ops[i]);
}
