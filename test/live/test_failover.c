/*
 * A primary and its standby under load: the primary ends, or becomes read-only, and the standby is
 * promoted.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "live.h"

#define N_WRITERS 8
#define N_BEFORE  200 /* good writes before the fault, and after it */
#define MAX_IDS   200000

static struct cluster primary, standby;
static struct pipit *admin; /* at the standby */

/* What programs were told of each write, by its id. */
enum told { TOLD_NOTHING, TOLD_GOOD, TOLD_UNKNOWN, TOLD_UNDONE };

static struct load {
        bool over;
        int n_ids;
        int n_out;
        int n_good;
        int n_good_since; /* the standby was ready */
        int n_refused_since_good;
        int64_t ready_ms; /* when the standby could be written to; 0: not yet */
        int64_t good_ms;  /* when the first good write came after that */
        char told[MAX_IDS];
} load;

static int64_t
now_ms(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void load_write(void);

static void
on_written(struct pipit_result *res, void *arg)
{
        intptr_t id = (intptr_t)arg;
        const struct pipit_error *error = pipit_result_error(res);

        load.n_out--;
        if (error == NULL) {
                load.told[id] = TOLD_GOOD;
                load.n_good++;
                load.n_good_since += load.ready_ms != 0;
                if (load.ready_ms != 0 && load.good_ms == 0)
                        load.good_ms = now_ms();
        } else {
                load.told[id] =
                        error->executed == PIPIT_EXECUTED_UNKNOWN ? TOLD_UNKNOWN : TOLD_UNDONE;
                if (load.good_ms != 0 && strcmp(error->sqlstate, "25006") == 0)
                        load.n_refused_since_good++;
        }
        if (!load.over)
                load_write();
}

static void
load_write(void)
{
        intptr_t id = load.n_ids++;

        ck_assert_int_lt(id, MAX_IDS);
        load.n_out++;
        pipit_query(live_db, "INSERT INTO written VALUES ($1)", PIPIT_PARAMS((int)id), on_written,
                    (void *)id);
}

static void
on_promoted(struct pipit_result *res, void *arg)
{
        (void)arg;
        expect_ok(res);
        load.ready_ms = now_ms();
}

static void
setup(void)
{
        struct pipit_options options = {.timeout_ms = 60000, .acquire_timeout_ms = 60000};
        char url[500];

        live_base = event_base_new();
        /* What is told to be committed is at the standby then. */
        cluster_create(&primary, "-c synchronous_standby_names=*");
        cluster_create_standby(&standby, &primary);
        snprintf(url, sizeof url,
                 "host=%s,%s user=postgres dbname=postgres target_session_attrs=read-write",
                 primary.folder, standby.folder);
        live_db = pipit_open(live_base, url, &options);
        admin = pipit_open(live_base, standby.url, NULL);
        load = (struct load){0};
}

static void
teardown(void)
{
        pipit_close(admin);
        live_teardown();
        cluster_remove(&primary);
        cluster_remove(&standby);
}

/* What becomes of the primary. */
static const char *const faults[] = {"fast", "immediate", "kill", "read-only"};

static void
break_primary(const char *fault)
{
        if (strcmp(fault, "read-only") != 0) {
                cluster_stop(&primary, fault);
                return;
        }
        struct pipit *other = pipit_open(live_base, primary.url, NULL);
        expect_ok(query_on(other, "ALTER SYSTEM SET default_transaction_read_only = on",
                           PIPIT_NO_PARAMS));
        expect_ok(query_on(other, "SELECT pg_reload_conf()", PIPIT_NO_PARAMS));
        pipit_close(other);
}

/* Compares what is in the table with what was told. */
static void
check_told(void)
{
        const struct pipit_result *res = query_on(admin, "SELECT id FROM written", PIPIT_NO_PARAMS);
        static char found[MAX_IDS];

        expect_ok(res);
        memset(found, 0, sizeof found);
        for (int row = 0; row < pipit_result_rows(res); row++) {
                int id = atoi(pipit_result_text(res, row, 0));
                found[id] = 1;
                ck_assert_int_ne(load.told[id], TOLD_UNDONE);
        }
        for (int id = 0; id < load.n_ids; id++)
                ck_assert(load.told[id] != TOLD_GOOD || found[id]);
}

START_TEST(writes_go_on_at_the_standby_once_it_is_promoted)
{
        execute("CREATE TABLE written (id int PRIMARY KEY)");
        for (int i = 0; i < N_WRITERS; i++)
                load_write();
        loop_until(&load.n_good, N_BEFORE);
        break_primary(faults[_i]);
        pipit_query(admin, "SELECT pg_promote(true, 60)", PIPIT_NO_PARAMS, on_promoted, NULL);
        loop_until(&load.n_good_since, N_BEFORE);
        load.over = true;
        while (load.n_out > 0)
                event_base_loop(live_base, EVLOOP_ONCE);
        check_told();
        ck_assert_int_eq(load.n_refused_since_good, 0);
        fprintf(stderr, "primary %s: %d ms from the standby's readiness to the first good write\n",
                faults[_i], (int)(load.good_ms - load.ready_ms));
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("failover");
        TCase *tcase = tcase_create("failover");

        tcase_add_checked_fixture(tcase, setup, teardown);
        tcase_set_timeout(tcase, 60);
        tcase_add_loop_test(tcase, writes_go_on_at_the_standby_once_it_is_promoted, 0,
                            (int)(sizeof faults / sizeof faults[0]));
        suite_add_tcase(suite, tcase);
        return suite;
}
