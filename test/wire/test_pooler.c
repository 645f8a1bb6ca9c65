/*
 * A pooler that lends sessions for transactions: what goes out to it and in which order, what is
 * never left in a session, and how pipit finds out that there is one.
 */
#include <stdio.h>
#include <string.h>

#include "wire.h"

#define N 5

/* What came, one behind the other: the texts of statements, and S for a Sync. */
static char seen[4000];
static int n_owed; /* Syncs without an answer */
static int n_owed_most;
static bool named;       /* something was prepared by name */
static const char *fail; /* the request whose statement fails; NULL: none does */
static int n_failures;   /* how often it is to fail yet */
static const char *sqlstate;
static char set_up[3000]; /* the text with which the last session was set up */
static char startup[400]; /* the last startup packet, with spaces for its NULs */

/* Who answers: the texts that the server gives, in this order; the last one stays. */
static const char *const *pids;
static struct log_lines lines;
static int n_about_pooler;

static void
note(const char *text)
{
        size_t length = strlen(seen);

        ck_assert_uint_lt(length + strlen(text) + 2, sizeof seen);
        snprintf(seen + length, sizeof seen - length, "%s;", text);
}

static bool
sql_is(const char *sql, const char *word)
{
        return strncmp(sql, word, strlen(word)) == 0;
}

static void
on_statement(struct session *session, const char *sql, void *arg)
{
        static const char *const commands[] = {"BEGIN", "COMMIT", "ROLLBACK", "SET", "LISTEN"};

        for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
                if (!sql_is(sql, commands[i]))
                        continue;
                session_complete(session, commands[i]);
                return;
        }
        if (fail != NULL && n_failures > 0 && strcmp(session->value, fail) == 0) {
                n_failures--;
                session_error(session, "ERROR", sqlstate, "says no");
                return;
        }
        server_echo(session, sql, arg);
}

/* Answers who the session is. */
static bool
answer_pid(struct session *session)
{
        static const char *const names[] = {"isolation", "statement_timeout", "pid", "began"};

        if (pids == NULL || strstr(session->sql, "pg_stat_get_activity") == NULL)
                return false;
        const char *values[] = {"read committed", "0", pids[0], "0001"};
        if (pids[1] != NULL)
                pids++;
        session_columns(session, 4, names);
        session_row(session, 4, values);
        session_complete(session, "SELECT 1");
        return true;
}

static void
note_parse(const struct session *session, const char *name)
{
        const char *sql = name + strlen(name) + 1;

        named = named || name[0] != '\0';
        if (session->is_set_up)
                note(sql);
        else
                snprintf(set_up, sizeof set_up, "%s", sql);
}

static bool
on_message(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        if (message->kind == MESSAGE_STARTUP) {
                snprintf(startup, sizeof startup, "%.*s", (int)message->length, message->body);
                for (size_t i = 0; i + 1 < message->length && i + 1 < sizeof startup; i++)
                        startup[i] = message->body[i] != '\0' ? message->body[i] : ' ';
        } else if (message->kind == MESSAGE_PARSE) {
                note_parse(session, message->body);
        } else if (message->kind == MESSAGE_SYNC && session->is_set_up) {
                note("S");
                n_owed_most = ++n_owed > n_owed_most ? n_owed : n_owed_most;
        }
        return message->kind == MESSAGE_EXECUTE && answer_pid(session);
}

/* The next message of a client that waits for its answer comes after that. */
static bool
on_message_one(struct session *session, const struct message *message, void *arg)
{
        if (message->kind == MESSAGE_PARSE && n_owed > 0)
                n_owed = 0;
        return on_message(session, message, arg);
}

static void
on_lines(enum pipit_log_level level, const char *line, void *arg)
{
        n_about_pooler += strstr(line, "PIPIT_POOLER_TRANSACTION") != NULL;
        on_log(level, line, arg);
}

static struct pipit_options
pooled_options(enum pipit_pooler pooler)
{
        struct pipit_options options = wire_options();

        options.pooler = pooler;
        options.log = on_lines;
        options.log_arg = &lines;
        return options;
}

static void
reopen(enum pipit_pooler pooler, const char *search_path)
{
        struct pipit_options options = pooled_options(pooler);

        options.search_path = search_path;
        wire_reopen(&options);
        wire_know("SELECT $1");
        seen[0] = '\0';
        n_owed = n_owed_most = 0;
}

static void
setup(void)
{
        wire_setup();
        wire_server->on_message = on_message;
        wire_server->on_statement = on_statement;
        fail = NULL;
        n_failures = 0;
        sqlstate = "22012";
        named = false;
        pids = NULL;
        n_about_pooler = 0;
        reopen(PIPIT_POOLER_TRANSACTION, NULL);
}

static struct calls one;

static void
run_one(struct pipit *tx, void *arg)
{
        (void)arg;
        one = (struct calls){0};
        ask_on(tx, "SELECT 1", &one);
}

/* ---- in transaction mode */

#define PATH       "SELECT pg_catalog.set_config('search_path', $1, true);"
#define LOCAL_PATH "SET LOCAL search_path = \"public\", \"pg_temp\";"
#define FIVE       "SELECT $1;SELECT $1;SELECT $1;SELECT $1;SELECT $1;"
#define READS      "BEGIN READ ONLY;" LOCAL_PATH FIVE "COMMIT;S;"

START_TEST(reads_that_wait_together_have_a_transaction_that_cannot_write)
{
        struct batch batch = {.reads = true};

        batch_start(&batch, N);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, N);
        ck_assert_str_eq(seen, READS);
}
END_TEST

START_TEST(what_failed_is_rolled_back_before_anything_else_goes_out)
{
        struct batch batch = {.reads = true};

        fail = "request 2";
        n_failures = 1;
        batch_start(&batch, N);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, 2);
        batch_expect_error(&batch, 2, 3, PIPIT_ESERVER, PIPIT_EXECUTED_ROLLED_BACK);
        batch_expect_own(&batch, 3, N);
        ck_assert_str_eq(seen, READS "ROLLBACK;S;" PATH "SELECT $1;S;" PATH "SELECT $1;S;");
}
END_TEST

START_TEST(a_read_that_sharing_may_have_failed_runs_again_alone)
{
        struct batch batch = {.reads = true};

        fail = "request 2";
        n_failures = 1;
        sqlstate = "40P01";
        batch_start(&batch, N);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, N);
        ck_assert(sql_is(seen, READS "ROLLBACK;S;"));
        ck_assert_ptr_nonnull(strstr(seen, PATH "SELECT $1;S;"));
}
END_TEST

START_TEST(a_read_that_writes_is_told_so)
{
        struct batch batch = {.reads = true};

        fail = "request 0";
        n_failures = 1;
        sqlstate = "25006";
        batch_start(&batch, N);
        batch_wait(&batch);
        batch_expect_error(&batch, 0, 1, PIPIT_ESERVER, PIPIT_EXECUTED_ROLLED_BACK);
        batch_expect_own(&batch, 1, N);
}
END_TEST

START_TEST(one_sync_is_on_its_way_at_a_time)
{
        struct batch batch = {0};

        wire_server->on_message = on_message_one;
        wire_server->held = true;
        batch_start(&batch, N);
        loop_for(50);
        ck_assert_int_eq(n_owed_most, 1);
        ck_assert_str_eq(seen, PATH "SELECT $1;S;");
        wire_server->held = false;
        server_release(wire_server);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, N);
        ck_assert_int_eq(n_owed_most, 1);
}
END_TEST

START_TEST(nothing_has_a_name)
{
        struct batch batch = {.reads = true};

        batch_start(&batch, N);
        batch_wait(&batch);
        expect_service();
        ck_assert(!named);
}
END_TEST

/* Before the first answer of a connection nothing is known of how its session writes values, which
 * elsewhere has types asked for by name. */
START_TEST(what_a_connection_does_first_has_no_name_either)
{
        struct pipit_options options = pooled_options(PIPIT_POOLER_TRANSACTION);
        struct calls done = {0};

        wire_reopen(&options);
        pipit_atomic(live_db, run_one, on_call, &done);
        expect_ok(answer(&done));
        ck_assert(!named);
}
END_TEST

START_TEST(a_session_is_only_asked)
{
        ck_assert_ptr_null(strstr(set_up, "set_config"));
        ck_assert_ptr_nonnull(strstr(set_up, "isolation"));
        ck_assert_ptr_nonnull(strstr(startup, "client_encoding UTF8"));
        ck_assert_ptr_null(strstr(startup, "options"));
}
END_TEST

START_TEST(without_a_search_path_none_is_set)
{
        struct batch batch = {.reads = true};

        reopen(PIPIT_POOLER_TRANSACTION, "");
        batch_start(&batch, N);
        batch_wait(&batch);
        expect_service();
        ck_assert_str_eq(seen, "BEGIN READ ONLY;" FIVE "COMMIT;S;SELECT $1;S;");
}
END_TEST

START_TEST(a_transaction_has_its_search_path_behind_its_begin)
{
        struct calls done = {0};

        pipit_atomic(live_db, run_one, on_call, &done);
        expect_ok(answer(&done));
        ck_assert(sql_is(seen, "BEGIN;" LOCAL_PATH "SELECT 1;"));
        ck_assert_ptr_nonnull(strstr(seen, "COMMIT;S;"));
        ck_assert_ptr_null(strstr(seen, "DISCARD"));
}
END_TEST

/* Known statements, that are committed by their Sync. */
START_TEST(a_transaction_without_begin_has_its_search_path_in_front)
{
        struct pipit_transaction options = {.commit_early = true};
        struct calls done = {0};

        pipit_atomic(live_db, run_one, on_call, &done);
        answer(&done);
        seen[0] = '\0';
        done = (struct calls){0};
        pipit_atomic_with(live_db, &options, run_one, on_call, &done);
        expect_ok(answer(&done));
        ck_assert_str_eq(seen, PATH "SELECT 1;S;");
}
END_TEST

START_TEST(a_transaction_that_set_something_leaves_the_session_to_others)
{
        struct pipit *tx = pipit_begin(live_db, NULL);
        struct calls calls = {0};

        expect_ok(query_on(tx, "SET LOCAL work_mem = '1MB'", PIPIT_NO_PARAMS));
        pipit_commit(tx, on_call, &calls);
        expect_ok(answer(&calls));
        expect_service();
        ck_assert_ptr_null(strstr(seen, "DISCARD"));
}
END_TEST

START_TEST(sessions_are_refused_with_the_reason)
{
        struct calls calls = {0};

        ck_assert_uint_ne(pipit_session(live_db, run_one, on_call, &calls), 0);
        expect_error(answer(&calls), PIPIT_EUNSHARED, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(calls.last), "pooler"));
        struct pipit *session = pipit_session_open(live_db);
        ck_assert_int_eq(pipit_scope_error(session)->code, PIPIT_EUNSHARED);
        expect_error(query_on(session, "SELECT 1", PIPIT_NO_PARAMS), PIPIT_EUNSHARED, "");
        pipit_close(session);
        expect_service();
}
END_TEST

static const char *const listens[] = {"LISTEN a", " \n listen a", "-- note\nLISTEN a",
                                      "/* note */ Listen a"};
#define N_LISTENS ((int)(sizeof listens / sizeof listens[0]))

START_TEST(listen_is_refused_and_not_sent)
{
        struct pipit *tx = pipit_begin(live_db, NULL);

        expect_error(query(listens[_i], PIPIT_NO_PARAMS), PIPIT_EUNSHARED, "");
        expect_error(query_on(tx, listens[_i], PIPIT_NO_PARAMS), PIPIT_EUNSHARED, "");
        pipit_close(tx);
        expect_service();
        ck_assert_ptr_null(strcasestr(seen, "listen"));
}
END_TEST

START_TEST(what_changed_a_session_may_have_stayed_there)
{
        struct pipit_result *res = query("SET work_mem = '1MB'", PIPIT_NO_PARAMS);

        expect_executed(res, PIPIT_EUNSHARED, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "stayed"));
        expect_service();
}
END_TEST

/* ---- finding out; the server's key is 4711 */

static const char *const nobody[] = {"", NULL};
static const char *const itself[] = {"0000004711", NULL};
static const char *const one_other[] = {"0000000042", NULL};
static const char *const two_others[] = {"0000000042", "0000000043", NULL};

/* Reads that share have the connection made a reader, which asks. */
static void
run_reads(void)
{
        struct batch batch = {.reads = true};

        batch_start(&batch, N);
        batch_wait(&batch);
        batch_expect_own(&batch, 0, N);
}

START_TEST(a_server_that_answers_for_itself_is_no_pooler)
{
        pids = _i == 0 ? itself : nobody;
        reopen(PIPIT_POOLER_AUTO, NULL);
        run_reads();
        ck_assert_ptr_null(strstr(seen, "pg_backend_pid"));
        ck_assert_int_eq(n_about_pooler, 0);
        ck_assert(wire_server->sessions->reader);
}
END_TEST

START_TEST(a_pooler_is_logged_once_and_changes_nothing)
{
        pids = one_other;
        reopen(PIPIT_POOLER_AUTO, NULL);
        ck_assert_int_eq(n_about_pooler, 1);
        run_reads();
        ck_assert_ptr_nonnull(strstr(seen, "pg_stat_get_activity"));
        ck_assert_ptr_null(strstr(seen, "BEGIN READ ONLY"));
        ck_assert(named);
        expect_ok(query("SELECT $1", PIPIT_PARAMS("x"))); /* a writer again */
        struct pipit *session = pipit_session_open(live_db);
        expect_ok(query_on(session, "SELECT 1", PIPIT_NO_PARAMS));
        pipit_close(session);
        ck_assert_int_eq(n_about_pooler, 1);
}
END_TEST

START_TEST(a_session_is_made_read_only_only_if_it_is_the_one_that_was_set_up)
{
        pids = one_other;
        reopen(PIPIT_POOLER_AUTO, NULL);
        run_reads();
        ck_assert_ptr_nonnull(strstr(seen, "CASE WHEN pg_catalog.int4eq(pg_catalog.pg_backend_pid()"
                                           ", 42) THEN pg_catalog.set_config("));
        ck_assert_ptr_null(strstr(seen, "SET default_transaction_read_only = on"));
}
END_TEST

START_TEST(two_sessions_that_answer_one_connection_are_transaction_mode)
{
        pids = two_others;
        reopen(PIPIT_POOLER_AUTO, NULL);
        run_reads();
        ck_assert_int_eq(n_about_pooler, 2);
        ck_assert_ptr_nonnull(strstr(lines.last, "two sessions"));
        seen[0] = '\0';
        run_reads();
        ck_assert_str_eq(seen, READS);
        expect_error(query_on(pipit_session_open(live_db), "SELECT 1", PIPIT_NO_PARAMS),
                     PIPIT_EUNSHARED, "");
        ck_assert_int_eq(n_about_pooler, 2);
}
END_TEST

START_TEST(session_mode_that_is_set_is_not_asked_about)
{
        pids = two_others;
        reopen(PIPIT_POOLER_SESSION, NULL);
        run_reads();
        run_reads();
        ck_assert_ptr_null(strstr(seen, "pg_backend_pid"));
        ck_assert_ptr_nonnull(strstr(seen, "SET default_transaction_read_only = on"));
        ck_assert_int_eq(n_about_pooler, 0);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("pooler");
        TCase *tcase = tcase_create("pooler");

        tcase_add_checked_fixture(tcase, setup, wire_teardown);
        tcase_add_test(tcase, reads_that_wait_together_have_a_transaction_that_cannot_write);
        tcase_add_test(tcase, what_failed_is_rolled_back_before_anything_else_goes_out);
        tcase_add_test(tcase, a_read_that_sharing_may_have_failed_runs_again_alone);
        tcase_add_test(tcase, a_read_that_writes_is_told_so);
        tcase_add_test(tcase, one_sync_is_on_its_way_at_a_time);
        tcase_add_test(tcase, nothing_has_a_name);
        tcase_add_test(tcase, what_a_connection_does_first_has_no_name_either);
        tcase_add_test(tcase, a_session_is_only_asked);
        tcase_add_test(tcase, without_a_search_path_none_is_set);
        tcase_add_test(tcase, a_transaction_has_its_search_path_behind_its_begin);
        tcase_add_test(tcase, a_transaction_without_begin_has_its_search_path_in_front);
        tcase_add_test(tcase, a_transaction_that_set_something_leaves_the_session_to_others);
        tcase_add_test(tcase, sessions_are_refused_with_the_reason);
        tcase_add_loop_test(tcase, listen_is_refused_and_not_sent, 0, N_LISTENS);
        tcase_add_test(tcase, what_changed_a_session_may_have_stayed_there);
        tcase_add_loop_test(tcase, a_server_that_answers_for_itself_is_no_pooler, 0, 2);
        tcase_add_test(tcase, a_pooler_is_logged_once_and_changes_nothing);
        tcase_add_test(tcase, a_session_is_made_read_only_only_if_it_is_the_one_that_was_set_up);
        tcase_add_test(tcase, two_sessions_that_answer_one_connection_are_transaction_mode);
        tcase_add_test(tcase, session_mode_that_is_set_is_not_asked_about);
        suite_add_tcase(suite, tcase);
        return suite;
}
