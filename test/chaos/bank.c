/*
 * Transfers: two accounts and a row of the ledger, in transactions of all forms: in one batch, one
 * statement behind the other, nested, with parts that fail and are healed, with COMMIT along, in a
 * session, held, by hand. Both accounts change and the row is there, or none of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chaos.h"

#define N_STEPS 3
/* Of a transaction by hand, until it is ended; names nothing. */
#define NO_NUMBER ((pipit_request)-1)

/* Form of a transfer. */
enum {
        PLAIN,
        EARLY,
        CHAINED,
        NESTED,
        DEEPER,
        HEALED,
        MAY_FAIL,
        HELD,
        IN_SESSION,
        BY_HAND,
        BY_HAND_CHAINED,
        N_GOOD, /* from here on none is to be committed */
        FAILS = N_GOOD,
        ROLLS_BACK,
        ROLLED_BACK_BY_HAND,
        N_FORMS
};

/* What a held transaction goes on with. */
struct later {
        struct slot *slot;
        int64_t op;
        int n_bodies;
};

static void
bank_blame(struct slot *slot, const char *what, const struct pipit_result *res)
{
        const struct pipit_error *error = res != NULL ? pipit_result_error(res) : NULL;

        slot->load->n_wrong++;
        fprintf(stderr, "chaos: transfer %lld of form %d: %s: %s %s\n", (long long)slot->op,
                slot->transfer.form, what, error != NULL ? error->sqlstate : "",
                error != NULL ? error->message : "");
}

/* Errors that no statement of a transfer can have by itself, whatever happens around it. */
static bool
error_is_foreign(const struct pipit_error *error)
{
        static const char *const classes[] = {"22", "23", "25", "2D", "3B", "42"};

        for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
                if (strncmp(error->sqlstate, classes[i], 2) == 0)
                        return true;
        }
        return false;
}

/* What every callback of a statement or of a nested transaction does first. */
static void
step_ended(struct slot *slot)
{
        slot->transfer.n_out--;
        if (!slot->open || slot->n_calls > 0)
                bank_blame(slot, "a callback behind that of the transaction", NULL);
}

static void bank_on_done(struct pipit_result *res, void *arg);
static void bank_step(struct slot *slot, struct pipit *tx, int step);

/* It must not be committed without what has failed here. */
static void
bank_give_up(struct slot *slot, struct pipit *tx)
{
        if (slot->transfer.form != BY_HAND_CHAINED) {
                pipit_rollback(tx, NULL, NULL);
                return;
        }
        slot->transfer.undone = true;
        slot->request = pipit_rollback(tx, bank_on_done, slot);
}

static void
bank_go_on(struct slot *slot, struct pipit *tx)
{
        struct transfer *transfer = &slot->transfer;
        bool chained = transfer->form == CHAINED || transfer->form == BY_HAND_CHAINED;

        if (chained && transfer->n_good < N_STEPS)
                bank_step(slot, tx, transfer->n_good);
        else if (transfer->form == BY_HAND_CHAINED)
                slot->request = pipit_commit(tx, bank_on_done, slot);
        else if (transfer->form == ROLLS_BACK)
                pipit_rollback(tx, NULL, NULL);
}

static void
on_step(struct pipit_result *res, void *arg)
{
        struct slot *slot = arg;
        struct pipit *tx = pipit_result_scope(res);
        const struct pipit_error *error = pipit_result_error(res);
        int64_t nonce = -1;

        step_ended(slot);
        if (error != NULL) {
                if (error_is_foreign(error))
                        bank_blame(slot, "an error of others", res);
                bank_give_up(slot, tx);
                return;
        }
        bool good = pipit_result_rows(res) == 1 && pipit_result_int64(res, 0, 0, &nonce) == 0 &&
                    nonce == ledger_nonce(&slot->load->ledger, slot->op);
        if (!good)
                bank_blame(slot, "somebody else's answer", res);
        slot->transfer.n_good++;
        bank_go_on(slot, tx);
}

/* One of the three statements. */
static void
bank_step(struct slot *slot, struct pipit *tx, int step)
{
        struct transfer *transfer = &slot->transfer;
        struct load *load = slot->load;
        int64_t nonce = ledger_nonce(&load->ledger, slot->op);
        bool takes = step == transfer->swapped;
        pipit_request request;

        transfer->n_out++;
        if (step < 2)
                request = pipit_query(tx,
                                      "UPDATE account SET balance = balance + $1::bigint "
                                      "WHERE id = $2 RETURNING $3::bigint",
                                      PIPIT_PARAMS(takes ? -transfer->amount : transfer->amount,
                                                   takes ? transfer->source : transfer->target,
                                                   nonce),
                                      on_step, slot);
        else
                request = pipit_query(tx,
                                      "INSERT INTO ledger (op, nonce, source, target, amount) "
                                      "VALUES ($1, $2, $3, $4, $5) RETURNING nonce",
                                      PIPIT_PARAMS(slot->op, nonce, transfer->source,
                                                   transfer->target, transfer->amount),
                                      on_step, slot);
        if (request == 0) {
                transfer->n_out--;
        } else if (!load->calm && transfer->form != BY_HAND && dice_percent(&load->dice, 1)) {
                pipit_cancel(tx, request);
                load->n_cancels++;
        }
}

static void
bank_steps(struct slot *slot, struct pipit *tx, int step)
{
        while (step < N_STEPS)
                bank_step(slot, tx, step++);
}

/* ---- parts that fail */

static void
on_in_vain(struct pipit_result *res, void *arg)
{
        struct slot *slot = arg;
        const struct pipit_error *error = pipit_result_error(res);

        step_ended(slot);
        if (error == NULL)
                bank_blame(slot, "no error", res);
        else if (error_is_foreign(error) && strcmp(error->sqlstate, "22012") != 0)
                bank_blame(slot, "an error of others", res);
}

static void
on_undone(struct pipit_result *res, void *arg)
{
        (void)res;
        step_ended(arg);
}

static pipit_request
start_in_vain(struct slot *slot, struct pipit *tx)
{
        pipit_request request = pipit_query(
                tx, "UPDATE account SET balance = balance - 7 / (id - id) WHERE id = $1",
                PIPIT_PARAMS(slot->transfer.target), on_in_vain, slot);

        slot->transfer.n_out += request != 0;
        return request;
}

/* Takes from an account, and fails. */
static void
body_in_vain(struct pipit *tx, void *arg)
{
        struct slot *slot = arg;
        pipit_request request =
                pipit_query(tx, "UPDATE account SET balance = balance - 1000 WHERE id = $1",
                            PIPIT_PARAMS(slot->transfer.source), on_undone, slot);

        slot->transfer.n_out += request != 0;
        start_in_vain(slot, tx);
}

/* ---- nested ones */

static void
on_nested(struct pipit_result *res, void *arg)
{
        struct slot *slot = arg;

        step_ended(slot);
        if (pipit_failed(res))
                bank_give_up(slot, pipit_result_scope(res));
}

static void
start_nested(struct slot *slot, struct pipit *tx, pipit_body body, pipit_cb done)
{
        slot->transfer.n_out += pipit_atomic(tx, body, done, slot) != 0;
}

static void
body_inner(struct pipit *tx, void *arg)
{
        bank_step(arg, tx, 1);
}

static void
body_nested(struct pipit *tx, void *arg)
{
        struct slot *slot = arg;

        bank_step(slot, tx, 0);
        if (slot->transfer.form == DEEPER)
                start_nested(slot, tx, body_inner, on_nested);
        else
                bank_step(slot, tx, 1);
}

/* ---- held ones */

static void
on_later(int fd, short what, void *arg)
{
        struct later later = *(struct later *)arg;
        struct transfer *transfer = &later.slot->transfer;

        (void)fd;
        (void)what;
        free(arg);
        if (later.slot->op != later.op || transfer->held == NULL ||
            transfer->n_bodies != later.n_bodies)
                return;
        bank_steps(later.slot, transfer->held, 1);
        pipit_release(transfer->held);
}

static void
bank_hold(struct slot *slot, struct pipit *tx)
{
        struct load *load = slot->load;
        struct timeval tv = {0, dice_between(&load->dice, 0, 5000)};
        struct later *later = malloc(sizeof *later);

        if (later == NULL)
                abort();
        *later = (struct later){slot, slot->op, slot->transfer.n_bodies};
        slot->transfer.held = tx;
        bank_step(slot, tx, 0);
        pipit_hold(tx);
        event_base_once(load->base, -1, EV_TIMEOUT, on_later, later, &tv);
}

/* ---- how they begin and end */

static void
bank_run(struct slot *slot, struct pipit *tx)
{
        switch (slot->transfer.form) {
        case CHAINED:
        case BY_HAND_CHAINED: bank_step(slot, tx, 0); return;
        case HELD: bank_hold(slot, tx); return;
        case NESTED:
        case DEEPER:
                start_nested(slot, tx, body_nested, on_nested);
                bank_step(slot, tx, 2);
                return;
        case HEALED: start_nested(slot, tx, body_in_vain, on_in_vain); break;
        case MAY_FAIL: pipit_may_fail(tx, start_in_vain(slot, tx)); break;
        case FAILS: start_in_vain(slot, tx); break;
        default: break;
        }
        bank_steps(slot, tx, 0);
}

static void
bank_body(struct pipit *tx, void *arg)
{
        struct slot *slot = arg;
        struct transfer *transfer = &slot->transfer;

        transfer->n_bodies++;
        if (pipit_attempt(tx) != transfer->n_bodies || transfer->n_out != 0 || slot->n_calls != 0)
                bank_blame(slot, "the body runs out of turn", NULL);
        slot->load->n_retries += transfer->n_bodies > 1;
        transfer->n_good = 0;
        bank_run(slot, tx);
}

static bool
is_by_hand(const struct transfer *transfer)
{
        return transfer->form == BY_HAND || transfer->form == BY_HAND_CHAINED ||
               transfer->form == ROLLED_BACK_BY_HAND;
}

static void
bank_on_done(struct pipit_result *res, void *arg)
{
        struct slot *slot = arg;
        struct transfer *transfer = &slot->transfer;

        transfer->held = NULL;
        if (transfer->n_out != 0)
                bank_blame(slot, "done before its statements", res);
        if (!is_by_hand(transfer) && pipit_result_attempts(res) != transfer->n_bodies)
                bank_blame(slot, "the attempts are counted wrongly", res);
        /* What it leaves behind in the session is no trouble of whoever has the connection next. */
        if (transfer->form == IN_SESSION && !pipit_failed(res))
                pipit_query(pipit_result_scope(res), "SET search_path = nowhere", PIPIT_NO_PARAMS,
                            NULL, NULL);
        load_on_answer(res, slot);
}

bool
bank_answer_is_right(const struct slot *slot)
{
        const struct transfer *transfer = &slot->transfer;

        return transfer->undone || (transfer->form < N_GOOD && transfer->n_good == N_STEPS);
}

bool
bank_error_is_right(const struct slot *slot, const struct pipit_error *error)
{
        return !error_is_foreign(error) ||
               (slot->transfer.form == FAILS && strcmp(error->sqlstate, "22012") == 0);
}

static void
on_session_done(struct pipit_result *res, void *arg)
{
        struct slot *slot = arg;

        if (slot->n_calls == 0 && slot->transfer.n_bodies > 0)
                bank_blame(slot, "the session ends before its transaction", res);
        if (slot->n_calls == 0)
                load_on_answer(res, slot);
        load_on_then(res, slot);
}

static void
session_body(struct pipit *session, void *arg)
{
        struct slot *slot = arg;

        pipit_atomic_with(session, &slot->transfer.options, bank_body, bank_on_done, slot);
}

static pipit_request
bank_begin(struct slot *slot)
{
        struct pipit *tx = pipit_begin(slot->load->db, &slot->transfer.options);

        if (tx == NULL)
                return 0;
        slot->request = NO_NUMBER;
        bank_run(slot, tx);
        if (slot->transfer.form == BY_HAND)
                slot->request = pipit_commit(tx, bank_on_done, slot);
        else if (slot->transfer.form == ROLLED_BACK_BY_HAND)
                slot->request = pipit_rollback(tx, bank_on_done, slot);
        return slot->request;
}

void
bank_fill(struct slot *slot, bool calm)
{
        static const int attempts[] = {0, 0, 1, 10};
        struct dice *dice = &slot->load->dice;
        struct transfer *transfer = &slot->transfer;
        int64_t hot = dice_percent(dice, 30) ? 4 : N_ACCOUNTS;

        *transfer = (struct transfer){
                .form = (int)dice_between(dice, 0, calm ? N_GOOD - 1 : N_FORMS - 1),
                .amount = dice_between(dice, 1, 99),
                .source = dice_between(dice, 1, hot),
        };
        if (transfer->form == IN_SESSION && slot->load->pooler == PIPIT_POOLER_TRANSACTION)
                transfer->form = PLAIN; /* there are none */
        transfer->target = transfer->source % N_ACCOUNTS + 1 + dice_between(dice, 0, hot - 3);
        transfer->target = (transfer->target - 1) % N_ACCOUNTS + 1;
        transfer->swapped = calm ? transfer->source > transfer->target : dice_percent(dice, 50);
        transfer->undone = transfer->form == ROLLED_BACK_BY_HAND;
        transfer->options.commit_early = transfer->form == EARLY;
        if (calm)
                return;
        transfer->options.isolation =
                (enum pipit_isolation)dice_between(dice, 0, PIPIT_SERIALIZABLE);
        transfer->options.max_attempts = attempts[dice_between(dice, 0, 3)];
}

pipit_request
bank_send(struct slot *slot)
{
        struct load *load = slot->load;

        if (is_by_hand(&slot->transfer))
                return bank_begin(slot);
        if (slot->transfer.form != IN_SESSION)
                return pipit_atomic_with(load->db, &slot->transfer.options, bank_body, bank_on_done,
                                         slot);
        slot->request = pipit_session(load->db, session_body, on_session_done, slot);
        slot->n_then = slot->request != 0 ? 0 : -1;
        return slot->request;
}
