/*
 * Creates that are committed together, with keys that do not come back as they were given: each
 * gets its own row all the same.
 */
#include "batches.h"

#define STAMPED(FIELD) FIELD(timestamptz, at, .primary_key = true) FIELD(integer, v)
#define NAMED(FIELD)   FIELD(varchar, name, .primary_key = true, .max_length = 40) FIELD(integer, v)
PIPIT_MODEL(stamped, STAMPED);
PIPIT_MODEL_DEFINE(stamped, STAMPED);
PIPIT_MODEL(named, NAMED);
PIPIT_MODEL_DEFINE(named, NAMED);

/* Creates of a round, more than a warm-up takes. */
#define N_ROUND 20

static void
group_setup(void)
{
        live_schema_setup();
        reopen_with((struct pipit_options){.max_connections = 1});
        pipit_set_group_writes(live_db, true);
}

/* Starts the rows of a round with keys that the server is going to change. */
static void
start_round(const char *table, int first)
{
        static char names[BATCH][40];

        for (int i = 0; i < N_ROUND; i++) {
                struct stamped stamped = {.at = {INT64_C(1000000) * (first + i) + 123456}, .v = i};
                struct named named = {.name = names[i], .v = i};

                snprintf(names[i], sizeof names[i], "%d.1239   ", first + i);
                if (strcmp(table, "stamped") == 0)
                        joined(stamped_create(live_db, &stamped, on_member, next_member()));
                else
                        joined(named_create(live_db, &named, on_member, next_member()));
        }
}

static int
v_of(const char *table, struct pipit_result *res)
{
        expect_ok(res);
        return strcmp(table, "stamped") == 0 ? stamped_row(res, 0)->v : named_row(res, 0)->v;
}

/* Runs rounds until one was one statement. */
static void
until_together(const char *table)
{
        for (int round = 0; round < 300; round++) {
                batch_begin();
                execute(strcmp(table, "stamped") == 0 ? "DELETE FROM stamped"
                                                      : "DELETE FROM named");
                start_round(table, round * N_ROUND);
                batch_end();
                for (int i = 0; i < N_ROUND; i++)
                        ck_assert_int_eq(v_of(table, members[i].last), i);
                if (n_statements(table) == 1)
                        return;
        }
        ck_abort_msg("creates that wait together never were one statement");
}

static const char *const tables[][2] = {
        {"stamped", "CREATE TABLE stamped (at timestamptz(3) PRIMARY KEY, v int NOT NULL)"},
        {"named", "CREATE TABLE named (name varchar(10) PRIMARY KEY, v int NOT NULL)"},
        {"named", "CREATE TABLE named (name varchar(40), v int NOT NULL)"},
};

START_TEST(a_key_that_the_server_stores_otherwise_has_its_row)
{
        execute(tables[_i][1]);
        until_together(tables[_i][0]);
}
END_TEST

/* A trigger that leaves one row out of each round. */
static void
leave_one_out(const char *table)
{
        char sql[200];

        execute("CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN IF NEW.v = 7 THEN RETURN NULL; END IF; RETURN NEW; END'");
        snprintf(sql, sizeof sql,
                 "CREATE TRIGGER leave_out BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION "
                 "leave_out()",
                 table);
        execute(sql);
}

/* Each that was made has its own row, or is told that whose row it is is not clear; returns whether
 * some are. */
static bool
some_are_unclear(const char *table)
{
        bool unclear = false;

        for (int i = 0; i < N_ROUND; i++) {
                if (!pipit_failed(members[i].last)) {
                        ck_assert_int_eq(v_of(table, members[i].last), i);
                } else if (i != 7) {
                        expect_executed(members[i].last, PIPIT_EINVAL, PIPIT_EXECUTED_YES);
                        unclear = true;
                }
        }
        return unclear;
}

START_TEST(where_a_trigger_leaves_a_row_out_nobody_is_told_a_wrong_one)
{
        bool unclear = false;

        execute(tables[0][1]);
        leave_one_out("stamped");
        for (int round = 0; round < 300 && !unclear; round++) {
                batch_begin();
                execute("DELETE FROM stamped");
                start_round("stamped", 0);
                batch_end();
                expect_sql("SELECT count(*) FROM stamped", "19");
                unclear = some_are_unclear("stamped");
        }
        ck_assert(unclear); /* some were together */
}
END_TEST

/* Starts the rows of a round whose keys come back as they were given; the third and the fifth have
 * the same. */
static void
start_with_one_twice(void)
{
        static char names[BATCH][40];

        for (int i = 0; i < N_ROUND; i++) {
                snprintf(names[i], sizeof names[i], "name %d", i == 5 ? 3 : i);
                joined(named_create(live_db, &(struct named){.name = names[i], .v = i}, on_member,
                                    next_member()));
        }
}

START_TEST(where_a_row_is_left_out_a_key_that_is_given_twice_is_unclear)
{
        bool unclear = false;

        execute(tables[2][1]);
        leave_one_out("named");
        for (int round = 0; round < 300 && !unclear; round++) {
                batch_begin();
                execute("DELETE FROM named");
                start_with_one_twice();
                batch_end();
                expect_sql("SELECT count(*) FROM named", "19");
                unclear = some_are_unclear("named");
        }
        ck_assert(unclear); /* some were together */
        ck_assert(pipit_failed(members[3].last));
        ck_assert(pipit_failed(members[5].last));
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("group_keys");
        TCase *tcase = tcase_create("keys");

        tcase_add_checked_fixture(tcase, group_setup, batch_teardown);
        tcase_set_timeout(tcase, 60);
        tcase_add_loop_test(tcase, a_key_that_the_server_stores_otherwise_has_its_row, 0,
                            sizeof tables / sizeof tables[0]);
        tcase_add_test(tcase, where_a_trigger_leaves_a_row_out_nobody_is_told_a_wrong_one);
        tcase_add_test(tcase, where_a_row_is_left_out_a_key_that_is_given_twice_is_unclear);
        suite_add_tcase(suite, tcase);
        return suite;
}
