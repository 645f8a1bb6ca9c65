/*
 * The load: reads that must come back with their own number, writes that go into the ledger, and
 * statements that must fail. Each callback is counted, each answer is looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chaos.h"

/* No request has longer than that. */
#define TIMEOUT_MS 3000
/* What ends so much behind its time is late, on a machine that has other things to do too. */
#define LATE_MS 5000

static const struct {
        const char *sql;
        int columns;
        int rows;
        int nonce; /* its column */
} reads[] = {
        {"SELECT $1::bigint", 1, 1, 0},
        {"SELECT $1::bigint AS n, $1::bigint % 7 = 0, now()", 3, 1, 0},
        {"SELECT NULL::int, 1.5::float8, $1::bigint, gen_random_uuid(), 'text'", 5, 1, 2},
        {"SELECT g, $1::bigint FROM generate_series(1, 40) g", 2, 40, 1},
        {"SELECT repeat('x', 30000), $1::bigint", 2, 1, 1},
        {"SELECT pg_sleep(0.01), $1::bigint, 7", 3, 1, 1},
};

static const struct {
        const char *sql;
        const char *sqlstate;
} errors[] = {
        {"SELECT $1::bigint / 0", "22012"},
        {"SELEC $1::bigint", "42601"},
        {"SELECT $1::bigint FROM no_such_table", "42P01"},
};

static const char *const writes[] = {
        "INSERT INTO ledger (op, nonce) VALUES ($1, $2) RETURNING nonce",
        "INSERT INTO ledger (op, nonce) VALUES ($1, $2)",
};

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

static const char *
slot_sql(const struct slot *slot)
{
        switch (slot->kind) {
        case OP_READ: return reads[slot->shape].sql;
        case OP_WRITE: return writes[slot->shape];
        case OP_REFUSED: return "INSERT INTO refused (op, parent) VALUES ($1, -1)";
        case OP_ERROR: return errors[slot->shape].sql;
        case OP_TRANSFER: return "a transfer";
        }
        return NULL;
}

static void
slot_release(struct slot *slot)
{
        struct load *load = slot->load;

        slot->next = NULL;
        if (load->free_last != NULL)
                load->free_last->next = slot;
        else
                load->free_first = slot;
        load->free_last = slot;
}

static struct slot *
slot_take(struct load *load)
{
        struct slot *slot = load->free_first;

        if (slot == NULL)
                return NULL;
        load->free_first = slot->next;
        if (load->free_first == NULL)
                load->free_last = NULL;
        return slot;
}

static void
load_wrong(struct slot *slot, const struct pipit_result *res)
{
        struct load *load = slot->load;
        const struct pipit_error *error = pipit_result_error(res);

        load->n_wrong++;
        snprintf(load->wrong, sizeof load->wrong, "%s: %d rows, %d columns, %s %s", slot_sql(slot),
                 pipit_result_rows(res), pipit_result_columns(res),
                 error != NULL ? error->sqlstate : "", pipit_error_text(res));
        fprintf(stderr, "chaos: wrong answer: %s\n", load->wrong);
}

/* The value of every row is this number. */
static bool
answer_has(const struct pipit_result *res, int column, int64_t nonce)
{
        for (int i = 0; i < pipit_result_rows(res); i++) {
                int64_t value = -1;
                if (pipit_result_int64(res, i, column, &value) != 0 || value != nonce)
                        return false;
        }
        return true;
}

static bool
answer_is_right(const struct slot *slot, const struct pipit_result *res)
{
        int64_t nonce = ledger_nonce(&slot->load->ledger, slot->op);
        int rows = pipit_result_rows(res);
        int columns = pipit_result_columns(res);

        switch (slot->kind) {
        case OP_READ:
                return rows == reads[slot->shape].rows && columns == reads[slot->shape].columns &&
                       answer_has(res, reads[slot->shape].nonce, nonce);
        case OP_WRITE:
                return strcmp(pipit_result_tag(res), "INSERT 0 1") == 0 &&
                       rows == (slot->shape == 0) && answer_has(res, 0, nonce);
        case OP_REFUSED:
        case OP_ERROR: return false;
        case OP_TRANSFER: return bank_answer_is_right(slot);
        }
        return false;
}

/* Errors of the statement itself are those that this statement must give. */
static bool
error_is_right(const struct slot *slot, const struct pipit_error *error)
{
        bool own = strncmp(error->sqlstate, "22", 2) == 0 ||
                   strncmp(error->sqlstate, "23", 2) == 0 ||
                   strncmp(error->sqlstate, "25", 2) == 0 || strncmp(error->sqlstate, "42", 2) == 0;

        if (slot->kind == OP_TRANSFER)
                return bank_error_is_right(slot, error);
        if (!own)
                return true;
        if (slot->kind == OP_REFUSED)
                return strcmp(error->sqlstate, "23503") == 0;
        return slot->kind == OP_ERROR && strcmp(error->sqlstate, errors[slot->shape].sqlstate) == 0;
}

static enum ledger_state
load_count(struct load *load, const struct pipit_error *error)
{
        if (error == NULL) {
                load->n_ok++;
                return LEDGER_COMMITTED;
        }
        if (error->executed == PIPIT_EXECUTED_UNKNOWN) {
                load->n_unknown++;
                return LEDGER_UNKNOWN;
        }
        if (error->code == PIPIT_ESERVER || error->executed == PIPIT_EXECUTED_YES)
                load->n_error++;
        else
                load->n_refused++;
        return error->executed == PIPIT_EXECUTED_YES ? LEDGER_COMMITTED : LEDGER_REFUSED;
}

static void load_start(struct load *load, bool calm);

static void
slot_check_over(struct slot *slot)
{
        if (slot->n_calls == 0 || slot->n_then == 0)
                return;
        slot->open = false;
        slot->load->n_open--;
        slot_release(slot);
}

void
load_on_then(struct pipit_result *res, void *arg)
{
        struct slot *slot = arg;

        (void)res;
        if (!slot->open || slot->n_then != 0) {
                slot->load->n_doubled++;
                return;
        }
        slot->n_then = 1;
        slot_check_over(slot);
}

void
load_on_answer(struct pipit_result *res, void *arg)
{
        struct slot *slot = arg;
        struct load *load = slot->load;
        const struct pipit_error *error = pipit_result_error(res);
        enum ledger_state state;

        if (!slot->open || slot->n_calls != 0) {
                load->n_doubled++;
                return;
        }
        load->n_inline += load->starting;
        load->n_late += clock_ms() - slot->started_ms > TIMEOUT_MS + LATE_MS;
        slot->n_calls = 1;
        state = load_count(load, error);
        if (slot->kind == OP_TRANSFER && state == LEDGER_COMMITTED && slot->transfer.undone)
                state = LEDGER_REFUSED;
        load->n_committed += slot->kind == OP_TRANSFER && state == LEDGER_COMMITTED;
        if (slot->kind == OP_WRITE || slot->kind == OP_TRANSFER)
                load->ledger.states[slot->op] = (unsigned char)state;
        if (error == NULL ? !answer_is_right(slot, res) : !error_is_right(slot, error))
                load_wrong(slot, res);
        slot_check_over(slot);
        /* Some are started in callbacks, as programs do. */
        if (error == NULL && load->n_open < load->n_target && dice_percent(&load->dice, 50))
                load_start(load, load->calm);
}

static void
slot_fill(struct slot *slot, struct load *load)
{
        int64_t what = dice_between(&load->dice, 0, 99);
        bool write = what >= 55 && what < 85 && load->ledger.n < load->ledger.n_states;

        /* A number of its own: nothing but its own answer has the nonce of it. */
        slot->op = load->n_requests | (int64_t)1 << 40;
        slot->request = 0;
        slot->n_calls = 0;
        slot->n_then = -1;
        slot->generation = load->generation;
        slot->started_ms = clock_ms();
        slot->kind = OP_READ;
        slot->shape = (int)dice_between(&load->dice, 0, COUNT(reads) - 1);
        if (write) {
                slot->kind = OP_WRITE;
                slot->shape = (int)dice_between(&load->dice, 0, COUNT(writes) - 1);
                slot->op = load->ledger.n++;
                load->ledger.states[slot->op] = LEDGER_OPEN;
        } else if (what >= 91) {
                slot->kind = OP_REFUSED;
        } else if (what >= 85) {
                slot->kind = OP_ERROR;
                slot->shape = (int)dice_between(&load->dice, 0, COUNT(errors) - 1);
        }
        if (load->bank && slot->kind == OP_WRITE && dice_percent(&load->dice, 80))
                slot->kind = OP_TRANSFER;
}

/* What programs do to requests that are out. */
static void
slot_disturb(struct slot *slot)
{
        struct load *load = slot->load;

        if (slot->n_then < 0 && dice_percent(&load->dice, 5) &&
            pipit_then(load->db, slot->request, load_on_then, slot) == 0)
                slot->n_then = 0;
        if (dice_percent(&load->dice, 2)) {
                pipit_set_timeout(load->db, slot->request, dice_between(&load->dice, 0, 60));
                load->n_cancels++;
        }
        if (dice_percent(&load->dice, 1)) {
                pipit_cancel(load->db, slot->request);
                load->n_cancels++;
        }
}

static pipit_request
slot_send(struct slot *slot)
{
        struct load *load = slot->load;
        int64_t nonce = ledger_nonce(&load->ledger, slot->op);
        struct pipit_params one = PIPIT_PARAMS(slot->kind == OP_REFUSED ? slot->op : nonce);
        struct pipit_params two = PIPIT_PARAMS(slot->op, nonce);

        if (slot->kind == OP_TRANSFER)
                return bank_send(slot);
        if (load->declares && slot->kind == OP_READ && slot->op % 4 != 0)
                return pipit_read(load->db, slot_sql(slot), one, load_on_answer, slot);
        return pipit_query(load->db, slot_sql(slot), slot->kind == OP_WRITE ? two : one,
                           load_on_answer, slot);
}

static void
load_start(struct load *load, bool calm)
{
        struct slot *slot = slot_take(load);
        bool outer = load->starting;

        if (slot == NULL)
                return;
        slot_fill(slot, load);
        if (slot->kind == OP_TRANSFER) {
                bank_fill(slot, calm);
                load->n_transfers++;
        } else if (calm && slot->kind != OP_WRITE) {
                slot->kind = OP_READ;
                slot->shape = 0;
        }
        slot->open = true;
        load->n_open++;
        load->n_requests++;
        load->starting = true;
        slot->request = slot_send(slot);
        if (!calm && slot->request != 0)
                slot_disturb(slot);
        load->starting = outer;
        if (slot->request == 0) {
                load->n_refused++;
                slot->n_calls = 1;
                slot_check_over(slot);
        }
}

static void
load_cancel_some(struct load *load)
{
        struct slot *slot = &load->slots[dice_between(&load->dice, 0, N_SLOTS - 1)];

        if (!slot->open || slot->generation != load->generation)
                return;
        pipit_cancel(load->db, slot->request);
        load->n_cancels++;
}

static void
load_on_tick(int fd, short what, void *arg)
{
        struct load *load = arg;

        (void)fd;
        (void)what;
        for (int i = 0; i < 16 && load->n_open < load->n_target; i++)
                load_start(load, load->calm);
        if (!load->calm)
                load_cancel_some(load);
}

static bool
load_open(struct load *load)
{
        struct pipit_options options = {
                .min_connections = 2,
                .max_connections = (int)dice_between(&load->dice, 4, 8),
                .max_connecting = (int)dice_between(&load->dice, 1, 4),
                .max_pipeline = (int)dice_between(&load->dice, 1, 16),
                .timeout_ms = TIMEOUT_MS,
                .acquire_timeout_ms = 1500,
                .connect_timeout_ms = 1000,
                .lifetime_ms = 4000,
                .pooler = load->pooler,
        };

        load->generation++;
        load->db = pipit_open(load->base, load->url, &options);
        return load->db != NULL;
}

bool
load_init(struct load *load, struct event_base *base, const char *url, uint64_t seed,
          int64_t n_ledger)
{
        struct timeval tv = {0, 2000};

        load->base = base;
        load->dice.state = seed;
        snprintf(load->url, sizeof load->url, "%s", url);
        for (int i = 0; i < N_SLOTS; i++) {
                load->slots[i].load = load;
                slot_release(&load->slots[i]);
        }
        load->tick = event_new(base, -1, EV_PERSIST, load_on_tick, load);
        return load->tick != NULL && event_add(load->tick, &tv) == 0 &&
               ledger_init(&load->ledger, n_ledger, seed) && load_open(load);
}

void
load_start_calm(struct load *load, int n)
{
        load->calm = true;
        load->n_target = 0;
        for (int i = 0; i < n; i++)
                load_start(load, true);
}

void
load_pause(struct load *load)
{
        if (load->n_target > 0)
                load->n_target = (int)dice_between(&load->dice, 1, 120);
}

void
load_reopen(struct load *load)
{
        pipit_close(load->db);
        load->n_cancels++;
        if (!load_open(load))
                load->n_target = 0;
}
