/*
 * Transfers from one account to another, all at the same time. Each is a transaction that looks at
 * the balance before it takes anything: it rolls back when that is too small, and runs again when
 * another transfer came in between.
 */
#include <event2/event.h>
#include <pipit/pipit.h>
#include <stdio.h>
#include <stdlib.h>

#define N_TRANSFERS 5

#define EXAMPLE_ACCOUNT(FIELD)                                                                     \
        FIELD(integer, id, .primary_key = true)                                                    \
        FIELD(integer, balance)
PIPIT_MODEL(example_account, EXAMPLE_ACCOUNT);
PIPIT_MODEL_DEFINE(example_account, EXAMPLE_ACCOUNT);

struct bank {
        struct pipit *db;
        int n_open;
        int n_moved;
        int n_refused;
        int status;
};

struct transfer {
        struct bank *bank;
        int from;
        int to;
        int sum;
        bool refused; /* there was not enough, or no account */
};

static void
on_total(struct pipit_result *res, void *arg)
{
        struct bank *bank = arg;

        if (pipit_failed(res)) {
                fprintf(stderr, "transfer: %s\n", pipit_error_text(res));
                bank->status = EXIT_FAILURE;
        } else {
                printf("Moved: %d, refused: %d\n", bank->n_moved, bank->n_refused);
                printf("Total: %s\n", pipit_result_text(res, 0, 0));
        }
        pipit_close(bank->db);
}

/* The end of the transaction, whatever became of it: called once. */
static void
on_transferred(struct pipit_result *res, void *arg)
{
        struct transfer *transfer = arg;
        struct bank *bank = transfer->bank;

        if (!pipit_failed(res)) {
                bank->n_moved++;
        } else if (transfer->refused) {
                bank->n_refused++;
        } else {
                fprintf(stderr, "transfer: %s\n", pipit_error_text(res));
                bank->status = EXIT_FAILURE;
        }
        if (pipit_result_attempts(res) > 1)
                fprintf(stderr, "transfer: %d attempts\n", pipit_result_attempts(res));
        if (--bank->n_open == 0)
                pipit_query(bank->db, "SELECT sum(balance) FROM example_account", PIPIT_NO_PARAMS,
                            on_total, bank);
}

static void
on_balance(struct pipit_result *res, void *arg)
{
        struct transfer *transfer = arg;
        struct pipit *tx = pipit_result_scope(res);
        int32_t balance = 0;

        if (pipit_failed(res))
                return; /* on_transferred() is told why */
        transfer->refused = pipit_result_int32(res, 0, 0, &balance) != 0 || balance < transfer->sum;
        if (transfer->refused) {
                pipit_rollback(tx, NULL, NULL);
                return;
        }
        pipit_query(tx, "UPDATE example_account SET balance = balance - $1 WHERE id = $2",
                    PIPIT_PARAMS(transfer->sum, transfer->from), NULL, NULL);
        pipit_query(tx, "UPDATE example_account SET balance = balance + $1 WHERE id = $2",
                    PIPIT_PARAMS(transfer->sum, transfer->to), NULL, NULL);
}

/* Runs once for each attempt, so it begins with everything as at first. */
static void
transfer_body(struct pipit *tx, void *arg)
{
        struct transfer *transfer = arg;

        transfer->refused = false;
        pipit_query(tx, "SELECT balance FROM example_account WHERE id = $1",
                    PIPIT_PARAMS(transfer->from), on_balance, transfer);
}

/* Waits for a request of the set-up, which may block. */
static bool
did(struct pipit *sync, pipit_request request)
{
        struct pipit_result *res = pipit_wait(sync, request);

        if (pipit_failed(res))
                fprintf(stderr, "transfer: %s\n", pipit_error_text(res));
        return !pipit_failed(res);
}

/* Two accounts, one of them with money. */
static bool
make_accounts(struct pipit *db)
{
        struct example_account rich = {.id = 1, .balance = 30};
        struct example_account poor = {.id = 2, .balance = 0};
        struct pipit *sync = pipit_allow_sync(db);
        bool made = did(sync, example_account_drop_table(sync, PIPIT_IF_EXISTS, NULL, NULL)) &&
                    did(sync, example_account_create_table(sync, 0, NULL, NULL)) &&
                    did(sync, example_account_create(sync, &rich, NULL, NULL)) &&
                    did(sync, example_account_create(sync, &poor, NULL, NULL));

        pipit_close(sync);
        return made;
}

int
main(void)
{
        static const struct pipit_transaction options = {.isolation = PIPIT_SERIALIZABLE,
                                                         .max_attempts = 50};
        struct event_base *base = event_base_new();
        struct pipit *db = pipit_open(base, getenv("DATABASE_URL"), NULL);
        struct bank bank = {.db = db, .status = EXIT_SUCCESS};
        struct transfer transfers[N_TRANSFERS];

        if (!make_accounts(db))
                bank.status = EXIT_FAILURE;
        for (int i = 0; i < N_TRANSFERS && bank.status == EXIT_SUCCESS; i++) {
                transfers[i] = (struct transfer){.bank = &bank, .from = 1, .to = 2, .sum = 10};
                if (pipit_atomic_with(db, &options, transfer_body, on_transferred, &transfers[i]))
                        bank.n_open++;
        }
        if (bank.n_open > 0)
                event_base_dispatch(base);
        else
                pipit_close(db);
        event_base_free(base);
        return bank.status;
}
