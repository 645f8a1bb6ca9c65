/*
 * Transactions where memory runs out: each allocation that one makes fails once, and the total
 * stays what it was.
 */
#include "bank.h"
#include "oom.h"

/* A transfer, as programs write it: what a start returns is not looked at. */
struct transfer {
        struct calls done; /* first */
        struct calls inner;
        int n_bodies;
};

static void
transfer(struct pipit *scope, void *arg)
{
        struct transfer *t = arg;

        t->n_bodies++;
        pipit_query(scope, "UPDATE account SET balance = balance - $1 WHERE id = $2",
                    PIPIT_PARAMS(10, 1), NULL, NULL);
        pipit_query(scope, "UPDATE account SET balance = balance + $1 WHERE id = $2",
                    PIPIT_PARAMS(10, 2), NULL, NULL);
}

/* It keeps nothing, which would need memory. */
static void
on_end(struct pipit_result *res, void *arg)
{
        struct calls *calls = arg;

        calls->n += pipit_failed(res) ? 100 : 1;
}

static pipit_request
start_plain(struct transfer *t)
{
        return pipit_atomic(live_db, transfer, on_end, t);
}

static pipit_request
start_early(struct transfer *t)
{
        struct pipit_transaction options = {.commit_early = true, .timeout_ms = 10000};

        return pipit_atomic_with(live_db, &options, transfer, on_end, t);
}

static void
on_inner(struct pipit_result *res, void *arg)
{
        on_end(res, &((struct transfer *)arg)->inner);
}

static void
run_outer(struct pipit *scope, void *arg)
{
        pipit_atomic(scope, transfer, on_inner, arg);
}

static pipit_request
start_nested(struct transfer *t)
{
        return pipit_atomic(live_db, run_outer, on_end, t);
}

static pipit_request
start_in_session(struct transfer *t)
{
        return pipit_session(live_db, run_outer, on_end, t);
}

static void
run_again(struct pipit *scope, void *arg)
{
        transfer(scope, arg);
        if (pipit_attempt(scope) == 1)
                pipit_query(scope, RAISE("40001"), PIPIT_NO_PARAMS, NULL, NULL);
}

static pipit_request
start_again(struct transfer *t)
{
        return pipit_atomic(live_db, run_again, on_end, t);
}

static pipit_request
start_by_hand(struct transfer *t)
{
        struct pipit *tx = pipit_begin(live_db, NULL);
        struct pipit *nested = pipit_begin(tx, NULL);

        transfer(nested, t);
        pipit_commit(nested, on_inner, t);
        pipit_request request = pipit_commit(tx, on_end, &t->done);
        if (request == 0)
                pipit_close(tx);
        return request;
}

static pipit_request (*const starts[])(struct transfer *t) = {
        start_plain, start_early, start_nested, start_in_session, start_again, start_by_hand};

#define N_STARTS ((int)(sizeof starts / sizeof *starts))

/* All of it is there when it succeeded, else nothing: what is nested may fail alone, and a session
 * tells nothing of what is in it. */
static void
expect_kept(bool succeeded, int way)
{
        int32_t now = 0;
        struct pipit_result *res =
                query("SELECT min(balance) FILTER (WHERE id = 2), sum(balance)::text FROM account",
                      PIPIT_NO_PARAMS);

        expect_text(res, 0, 1, "100");
        ck_assert_int_eq(pipit_result_int32(res, 0, 0, &now), 0);
        if (starts[way] != start_in_session)
                ck_assert_int_eq(now, succeeded ? 60 : 50);
        execute("UPDATE account SET balance = 50");
}

/* One run where the n-th allocation fails; whether one did. */
static bool
run_short_of(int n, int way)
{
        struct transfer t = {.n_bodies = 0};

        /* Nothing is known and nothing prepared. */
        bank_reopen((struct pipit_options){.max_connections = 1});
        if (n % 2 == 0)
                execute("SELECT 1");
        oom_after(n / 2);
        pipit_request request = starts[way](&t);
        /* Check's own asserts allocate. */
        while (request != 0 && t.done.n == 0)
                event_base_loop(live_base, EVLOOP_ONCE);
        bool failed = oom_stop();
        ck_assert(request == 0 ? t.done.n == 0 : t.done.n == 1 || t.done.n == 100);
        int calls = t.done.n;
        expect_kept(calls == 1 && t.inner.n < 100, way);
        ck_assert_int_eq(t.done.n, calls);
        return failed;
}

START_TEST(the_total_stays_whatever_allocation_fails)
{
        int n = 0;
        int n_well = 0;

        execute("UPDATE account SET balance = 50");
        execute("ALTER TABLE account DROP CONSTRAINT account_positive");
        /* Two runs for each: one makes its connection, one has it. */
        while (n_well < 2) {
                n_well = run_short_of(n, _i) ? 0 : n_well + 1;
                n++;
        }
        ck_assert_int_gt(n, 20);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("transaction_memory");
        TCase *tcase = tcase_create("transaction_memory");

        tcase_add_checked_fixture(tcase, bank_setup, bank_teardown);
        tcase_set_timeout(tcase, 120);
        tcase_add_loop_test(tcase, the_total_stays_whatever_allocation_fails, 0, N_STARTS);
        suite_add_tcase(suite, tcase);
        return suite;
}
