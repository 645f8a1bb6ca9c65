/*
 * Types of a prepared statement that are out of date, or may be: what then goes out, and that it
 * waits for nothing.
 */
#include <stdio.h>
#include <string.h>

#include "conn/conn_int.h"
#include "wire.h"

static struct tape tape;
static int n_types;         /* that Parse messages have named */
static uint16_t format;     /* of the first parameter of the last Bind; 0 when it says none */
static char parsed[8][100]; /* the names of the latest Parse messages */
static int n_parsed;
static uint32_t param_type; /* that is told of each parameter */
static uint32_t column_type;
static int64_t later_ms; /* so much later it is for what is prepared */

struct prepared_moment __real_pipit__conn_moment(const struct conn *conn);
struct prepared_moment __wrap_pipit__conn_moment(const struct conn *conn);

struct prepared_moment
__wrap_pipit__conn_moment(const struct conn *conn)
{
        static int64_t start_ms; /* the clock of this test stands still but for later_ms */
        struct prepared_moment moment = __real_pipit__conn_moment(conn);

        if (start_ms == 0)
                start_ms = moment.now_ms;
        moment.now_ms = start_ms + later_ms;
        return moment;
}

static unsigned
read_16(const char *at)
{
        return (unsigned)(unsigned char)at[0] << 8 | (unsigned char)at[1];
}

static void
note_parse(const struct message *message)
{
        const char *name = message->body;
        const char *sql = name + strlen(name) + 1;

        n_types += (int)read_16(sql + strlen(sql) + 1);
        snprintf(parsed[n_parsed++ % 8], sizeof parsed[0], "%s", name);
}

static void
note_bind(const struct message *message)
{
        const char *name = message->body + strlen(message->body) + 1;
        const char *at = name + strlen(name) + 1;

        format = read_16(at) > 0 ? (uint16_t)read_16(at + 2) : 0;
}

/* Tells the types of a prepared statement: one parameter and one column. */
static void
describe(struct session *session)
{
        const char param[] = {0, 1, 0, 0, (char)(param_type >> 8), (char)param_type};
        char column[] = "\0\1text\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

        column[15] = (char)(column_type >> 8);
        column[16] = (char)column_type;
        session_message(session, 't', param, sizeof param);
        session_message(session, 'T', column, 2 + 5 + 18);
}

static bool
on_message(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        tape_note(&tape, session, message);
        if (session->is_set_up && message->kind == MESSAGE_PARSE)
                note_parse(message);
        if (message->kind == MESSAGE_BIND)
                note_bind(message);
        if (session->failed || message->kind != MESSAGE_DESCRIBE || message->body[0] != 'S')
                return false;
        describe(session);
        return true;
}

/* A connection that is idle, of which everything is noted from now on. */
static void
setup(void)
{
        param_type = 701;
        column_type = 25;
        wire_setup();
        wire_server->on_message = on_message;
        wire_connect();
        tape.n = n_types = n_parsed = 0;
        later_ms = 0;
}

#define SQL "SELECT $1 AS a"

/* What goes out for a statement of one value before anything is answered. */
static void
expect_flight(struct pipit *scope, const char *sql, double value, const char *kinds)
{
        struct calls calls = {0};
        int syncs = wire_server->n_syncs;

        for (const char *at = kinds; *at != '\0'; at++)
                syncs += *at == 'S';
        wire_server->held = true;
        tape.n = 0;
        pipit_query(scope, sql, PIPIT_PARAMS(value), on_call, &calls);
        loop_until(&wire_server->n_syncs, syncs);
        ck_assert_str_eq(tape.kinds, kinds);
        ck_assert_int_eq(calls.n, 0);
        server_release(wire_server);
        expect_ok(answer(&calls));
        tape.n = 0;
}

static void
expect_use(const char *kinds)
{
        expect_flight(live_db, SQL, 0.5, kinds);
}

/* ---- the steady state */

START_TEST(no_parse_names_a_type)
{
        expect_use("PDBDES");
        later_ms = 10000;
        expect_use("PDBDES");
        ck_assert_int_eq(n_parsed, 2);
        ck_assert_int_eq(n_types, 0);
}
END_TEST

START_TEST(a_statement_that_is_known_is_bound_and_run_and_nothing_more)
{
        struct batch batch = {.sql = SQL};

        expect_use("PDBDES");
        ck_assert_int_eq(format, 0);
        for (int i = 0; i < 3; i++) {
                expect_use("BDES");
                ck_assert_int_eq(format, 1);
        }
        batch_start(&batch, 3);
        batch_wait(&batch);
        ck_assert_str_eq(tape.kinds, "PBDESPBDESPBDES"); /* "request 0" is no float8 */
}
END_TEST

/* ---- values */

START_TEST(a_value_that_does_not_fit_brings_the_text_along_in_the_same_flight)
{
        param_type = 700;
        expect_use("PDBDES");
        n_parsed = 0;
        expect_flight(live_db, SQL, 0.1, "PBDES");
        ck_assert_str_eq(parsed[0], "");
        ck_assert_int_eq(n_parsed, 1);
        ck_assert_int_eq(n_types, 0);
        ck_assert_int_eq(format, 0);
        expect_use("BDES");
        ck_assert_int_eq(format, 1);
}
END_TEST

START_TEST(a_value_that_does_not_fit_has_it_prepared_anew_at_most_once_a_second)
{
        param_type = 700;
        expect_use("PDBDES");
        later_ms = 999;
        expect_flight(live_db, SQL, 0.1, "PBDES");
        later_ms = 1000;
        param_type = 701;
        expect_flight(live_db, SQL, 0.1, "PDBDES");
        ck_assert_str_ne(parsed[(n_parsed - 1) % 8], "");
        /* Now it fits. */
        expect_flight(live_db, SQL, 0.1, "CSBDES");
        expect_flight(live_db, SQL, 0.1, "BDES");
}
END_TEST

START_TEST(values_by_the_types_of_another_connection_are_written_anew)
{
        struct pipit_options options = wire_options();

        options.max_connections = 2;
        wire_reopen(&options);
        struct pipit *session = pipit_session_open(live_db);
        expect_ok(query_on(session, "SELECT 1", PIPIT_NO_PARAMS));
        wire_connect();
        ck_assert_int_eq(wire_server->n_accepted, 3);
        expect_flight(session, SQL, 0.5, "PDBDES");
        expect_flight(session, SQL, 0.5, "BDES");
        ck_assert_int_eq(format, 1);
        param_type = 1700; /* the other connection is told so */
        expect_use("PDBDES");
        expect_use("BDES");
        expect_flight(session, SQL, 0.5, "BDES");
        ck_assert_int_eq(format, 0);
        pipit_close(session);
}
END_TEST

/* ---- age and versions */

START_TEST(after_ten_seconds_it_is_prepared_anew_in_the_flight_of_its_use)
{
        expect_use("PDBDES");
        later_ms = 9000;
        expect_use("BDES");
        later_ms = 10000;
        expect_use("PDBDES");
        ck_assert_str_ne(parsed[0], parsed[1]);
        expect_use("CSBDES");
        later_ms = 19000;
        expect_use("BDES");
}
END_TEST

static char answer_tag[40];

static void
complete_with_tag(struct session *session, const char *sql, void *arg)
{
        (void)arg;
        if (strncmp(sql, "SELECT", 6) == 0) {
                server_echo(session, sql, NULL);
                return;
        }
        if (strcmp(sql, "DISCARD ALL") == 0)
                session_forget(session);
        session_no_columns(session);
        session_complete(session, answer_tag);
}

/* Runs a statement that is answered by this tag. */
static void
run_with_tag(const char *sql, const char *tag)
{
        wire_server->on_statement = complete_with_tag;
        snprintf(answer_tag, sizeof answer_tag, "%s", tag);
        expect_ok(query(sql, PIPIT_NO_PARAMS));
        tape.n = 0;
}

START_TEST(after_a_change_of_the_schema_each_is_prepared_anew_once_it_is_a_second_old)
{
        expect_use("PDBDES");
        run_with_tag("ALTER 1", "ALTER TABLE");
        later_ms = 900;
        expect_use("PDBDES"); /* the session is another: it said ALTER itself */
        expect_use("CSBDES");
        later_ms = 1500;
        expect_use("BDES");
        run_with_tag("change_it()", "DROP TABLE");
        later_ms = 1800;
        expect_use("BDES");
        later_ms = 1900;
        expect_use("PDBDES");
        expect_use("CSBDES");
        later_ms = 9000;
        expect_use("BDES");
}
END_TEST

START_TEST(a_session_that_sets_its_search_path_has_its_texts_prepared_anew)
{
        struct pipit *session = pipit_session_open(live_db);

        wire_server->on_statement = complete_with_tag;
        strcpy(answer_tag, "SET");
        expect_flight(session, SQL, 0.5, "PDBDES");
        expect_flight(session, SQL, 0.5, "BDES");
        expect_ok(query_on(session, "SET search_path TO a", PIPIT_NO_PARAMS));
        expect_flight(session, SQL, 0.5, "PDBDES");
        expect_flight(session, SQL, 0.5, "CSBDES");
        expect_flight(session, SQL, 0.5, "BDES");
        pipit_close(session);
        run_with_tag("SELECT 1", "SELECT 1");
        expect_use("PDBDES");
}
END_TEST

/* ---- columns */

START_TEST(an_answer_with_other_columns_has_it_prepared_anew)
{
        column_type = 23;
        expect_use("PDBDES");
        column_type = 25;
        expect_use("BDES");
        expect_use("PDBDES");
        expect_use("CSBDES");
}
END_TEST

/* ---- names */

START_TEST(a_session_prepares_anew_as_often_as_it_has_to)
{
        struct pipit *session = pipit_session_open(live_db);

        wire_server->on_statement = complete_with_tag;
        strcpy(answer_tag, "SET");
        for (int i = 0; i < 80; i++) {
                expect_ok(query_on(session, "SET search_path TO a", PIPIT_NO_PARAMS));
                expect_ok(query_on(session, SQL, PIPIT_PARAMS(0.5)));
        }
        ck_assert_int_eq(wire_server->n_accepted, 1);
        pipit_close(session);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("stale");
        TCase *tcase = tcase_create("stale");

        tcase_add_checked_fixture(tcase, setup, wire_teardown);
        tcase_add_test(tcase, no_parse_names_a_type);
        tcase_add_test(tcase, a_statement_that_is_known_is_bound_and_run_and_nothing_more);
        tcase_add_test(tcase, a_value_that_does_not_fit_brings_the_text_along_in_the_same_flight);
        tcase_add_test(tcase, a_value_that_does_not_fit_has_it_prepared_anew_at_most_once_a_second);
        tcase_add_test(tcase, values_by_the_types_of_another_connection_are_written_anew);
        tcase_add_test(tcase, after_ten_seconds_it_is_prepared_anew_in_the_flight_of_its_use);
        tcase_add_test(tcase,
                       after_a_change_of_the_schema_each_is_prepared_anew_once_it_is_a_second_old);
        tcase_add_test(tcase, a_session_that_sets_its_search_path_has_its_texts_prepared_anew);
        tcase_add_test(tcase, an_answer_with_other_columns_has_it_prepared_anew);
        tcase_add_test(tcase, a_session_prepares_anew_as_often_as_it_has_to);
        suite_add_tcase(suite, tcase);
        return suite;
}
