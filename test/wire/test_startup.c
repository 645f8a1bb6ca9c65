/*
 * Connecting to a server that is not ready, not friendly, or not there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pool/pool.h"
#include "wire.h"

/* The program is linked with --wrap for this: how often a request that starts is told that there is
 * a refusal; -1: as often as it asks. The time of one may be over between two questions. */
static int n_refusals = -1;

const struct conn_error *__real_pipit__pool_refusal(const struct pool *pool);
const struct conn_error *__wrap_pipit__pool_refusal(const struct pool *pool);

const struct conn_error *
__wrap_pipit__pool_refusal(const struct pool *pool)
{
        if (n_refusals == 0)
                return NULL;
        n_refusals -= n_refusals > 0;
        return __real_pipit__pool_refusal(pool);
}

/* What the server says to the first so many sessions, in place of a welcome. */
struct greeting {
        int n_sessions;
        const char *severity;
        const char *sqlstate; /* NULL: none */
        const char *text;
};

static bool
greet(struct session *session, const struct message *message, void *arg)
{
        const struct greeting *greeting = arg;

        if (message->kind != MESSAGE_STARTUP || session->number > greeting->n_sessions)
                return false;
        session_error(session, greeting->severity, greeting->sqlstate, greeting->text);
        session_flush(session);
        session_finish(session, SESSION_FIN);
        return true;
}

static void
greeting_install(struct greeting *greeting)
{
        wire_server->on_message = greet;
        wire_server->arg = greeting;
}

static const char password[] = "hunter2 and more";

static const char *
give_password(void *arg)
{
        ++*(int *)arg;
        return password;
}

static int n_passwords;

/* Requests wait so long for a connection. */
static void
reopen_impatient(int64_t connect_ms, int64_t acquire_ms)
{
        struct pipit_options options = wire_options();

        options.connect_timeout_ms = connect_ms;
        options.acquire_timeout_ms = acquire_ms;
        options.password = give_password;
        options.password_arg = &n_passwords;
        wire_reopen(&options);
}

/* Asks once, and gets a timeout whose message has this in it. */
static void
expect_waited_in_vain(const char *why)
{
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);

        expect_error(res, PIPIT_ETIMEDOUT, "");
        ck_assert_int_eq(pipit_result_error(res)->executed, PIPIT_EXECUTED_NO);
        if (strstr(pipit_error_text(res), why) == NULL)
                ck_abort_msg("no \"%s\" in: %s", why, pipit_error_text(res));
}

static const char *const permanent[] = {"28P01", "28000", "3D000", "42704", "22023", "0A000"};

START_TEST(a_permanent_refusal_is_told_at_once)
{
        struct greeting greeting = {1000, "FATAL", permanent[_i], "not you"};
        struct batch batch = {0};

        greeting_install(&greeting);
        batch_start(&batch, 5);
        batch_wait(&batch);
        batch_expect_error(&batch, 0, 5, PIPIT_ECONNECT, PIPIT_EXECUTED_NO);
        ck_assert_str_eq(batch.entries[4].error.sqlstate, permanent[_i]);
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_ECONNECT, permanent[_i]);
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "not you"));
        /* The second time nobody knocked: that would lock the account. */
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(a_refusal_whose_time_is_over_while_a_request_starts_is_still_its_answer)
{
        struct greeting greeting = {1000, "FATAL", "28P01", "not you"};

        greeting_install(&greeting);
        expect_error(query("SELECT 1", PIPIT_NO_PARAMS), PIPIT_ECONNECT, "28P01");
        n_refusals = 1;
        expect_error(query("SELECT 1", PIPIT_NO_PARAMS), PIPIT_ECONNECT, "28P01");
        n_refusals = -1;
}
END_TEST

static const char *const passing[] = {"57P03", "53300", "57P01", "08006", "XX000"};

START_TEST(a_passing_refusal_is_tried_again)
{
        struct greeting greeting = {2, "FATAL", passing[_i], "not yet"};

        greeting_install(&greeting);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 3);
}
END_TEST

START_TEST(a_refusal_without_sqlstate_is_tried_again)
{
        struct greeting greeting = {2, "FATAL", NULL, "no reason"};

        greeting_install(&greeting);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 3);
}
END_TEST

START_TEST(who_waited_in_vain_is_told_the_refusal)
{
        struct greeting greeting = {1000, "FATAL", "53300", "too many clients"};

        greeting_install(&greeting);
        reopen_impatient(1000, 300);
        expect_waited_in_vain("too many clients");
        ck_assert_int_le(wire_server->n_accepted, 5);
}
END_TEST

/* The steps of a connect at which a server can fall silent. */
static bool
silent_at_once(struct session *session, const struct message *message, void *arg)
{
        (void)session;
        (void)message;
        (void)arg;
        return true;
}

START_TEST(the_text_of_a_refusal_is_one_line_without_controls)
{
        struct greeting greeting = {1000, "FATAL", "28P01", "a\nb\x1b[2J\tc"};

        greeting_install(&greeting);
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_ECONNECT, "28P01");
        for (const char *at = pipit_error_text(res); *at != '\0'; at++)
                ck_assert_int_ge(*at, ' ');
}
END_TEST

START_TEST(a_refusal_of_a_megabyte_is_cut)
{
        char *text = calloc(1, 1 << 20);
        struct greeting greeting = {1, "FATAL", "57P03", text};

        memset(text, 'x', (1 << 20) - 1);
        greeting_install(&greeting);
        expect_service();
        free(text);
}
END_TEST

static bool
silent_in_authentication(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        if (message->kind == MESSAGE_STARTUP) {
                session_authentication(session, 0);
                session_parameter(session, "server_version", "15.0");
                session_flush(session);
        }
        return true;
}

static bool
silent_in_sasl(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        if (message->kind == MESSAGE_STARTUP) {
                session_message(session, 'R', "\0\0\0\x0aSCRAM-SHA-256\0", 19);
                session_flush(session);
        }
        return true;
}

static bool
silent_in_set_up(struct session *session, const struct message *message, void *arg)
{
        (void)arg;
        if (message->kind == MESSAGE_STARTUP)
                server_default(session, message);
        return true;
}

static const server_message_fn silences[] = {silent_at_once, silent_in_authentication,
                                             silent_in_sasl, silent_in_set_up};

START_TEST(a_silent_server_costs_a_connect_timeout)
{
        struct pipit_options options = wire_options();
        int n_asked = 0;

        wire_server->on_message = silences[_i];
        options.connect_timeout_ms = 50;
        options.acquire_timeout_ms = 500;
        options.password = give_password;
        options.password_arg = &n_asked;
        wire_reopen(&options);
        expect_waited_in_vain("in time");
        /* It was tried again, but not without a pause. */
        ck_assert_int_le(wire_server->n_accepted, 10);
}
END_TEST

START_TEST(a_server_that_finds_its_voice_is_used)
{
        reopen_impatient(30, 5000);
        wire_server->on_message = silences[_i];
        struct calls calls = {0};
        pipit_query(live_db, "SELECT 1", PIPIT_NO_PARAMS, on_call, &calls);
        loop_until(&wire_server->n_accepted, 2);
        wire_server->on_message = NULL;
        expect_text(answer(&calls), 0, 0, "SELECT 1");
}
END_TEST

/* A welcome of which so many bytes come, then the link ends. */
static bool
cut_welcome(struct session *session, const struct message *message, void *arg)
{
        const size_t *cut = arg;

        if (message->kind != MESSAGE_STARTUP || session->number > 1)
                return false;
        session_welcome(session);
        size_t n = evbuffer_get_length(session->out);
        if (*cut >= n)
                return false;
        session->released = *cut;
        session_finish(session, SESSION_FIN);
        return true;
}

START_TEST(a_welcome_that_is_cut_is_tried_again)
{
        size_t cut = (size_t)_i * 3;

        wire_server->on_message = cut_welcome;
        wire_server->arg = &cut;
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 2);
}
END_TEST

START_TEST(a_welcome_in_slices_is_right)
{
        wire_server->slice = 1;
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

/* What comes in place of a welcome. */
static const struct {
        const char *bytes;
        size_t n;
} nonsense[] = {
        {"HTTP/1.1 400 Bad Request\r\n\r\n", 28},
        {"\0\0\0\0\0\0\0\0", 8},
        {"R\0\0\0\x08\0\0\0\x63", 9},        /* an authentication that nobody knows */
        {"R\0\0\0\x08\0\0\0\x07", 9},        /* GSSAPI */
        {"R\0\0\0\x04", 5},                  /* an authentication without its number */
        {"R\0\0\0\x0c\0\0\0\x0cwhat", 13},   /* the end of a SASL that never began */
        {"R\x7f\xff\xff\xff\0\0\0\0", 9},    /* longer than any */
        {"R\0\0\0\x01", 5},                  /* shorter than its own length */
        {"Efatal: version 2 only\n\0", 24},  /* an error as before protocol 3 */
        {"v\0\0\0\x0c\0\2\0\0\0\0\0\0", 13}, /* NegotiateProtocolVersion, down to 2 */
        {"D\0\0\0\x0b\0\1\0\0\0\1x", 12},
        {"Z\0\0\0\x05I", 6},
};

static bool
talk_nonsense(struct session *session, const struct message *message, void *arg)
{
        const int *which = arg;

        if (message->kind != MESSAGE_STARTUP || session->number > 1)
                return false;
        session_raw(session, nonsense[*which].bytes, nonsense[*which].n);
        session_flush(session);
        return true;
}

START_TEST(a_server_that_talks_nonsense_is_left)
{
        struct pipit_options options = wire_options();

        options.connect_timeout_ms = 400; /* some of it may be the beginning of something */
        wire_reopen(&options);
        wire_server->on_message = talk_nonsense;
        wire_server->arg = &_i;
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 2);
}
END_TEST

/* Asks for a password, and keeps what it gets. */
struct doorman {
        uint32_t code;
        int n;
        char got[100];
};

static bool
ask_password(struct session *session, const struct message *message, void *arg)
{
        struct doorman *doorman = arg;

        if (message->kind == MESSAGE_STARTUP) {
                session_message(session, 'R', doorman->code == 5 ? "\0\0\0\5salt" : "\0\0\0\3",
                                doorman->code == 5 ? 8 : 4);
                session_flush(session);
                return true;
        }
        if (message->kind != MESSAGE_PASSWORD)
                return false;
        doorman->n++;
        snprintf(doorman->got, sizeof doorman->got, "%s", message->body);
        session_welcome(session);
        session_flush(session);
        return true;
}

static void
password_asked(struct doorman *doorman)
{
        struct pipit_options options = wire_options();
        int n_asked = 0;

        wire_server->on_message = ask_password;
        wire_server->arg = doorman;
        options.password = give_password;
        options.password_arg = &n_asked;
        wire_reopen(&options);
        expect_service();
        ck_assert_int_eq(n_asked, 1);
        ck_assert_int_eq(doorman->n, 1);
}

START_TEST(a_password_in_the_clear_is_given)
{
        struct doorman doorman = {.code = 3};

        password_asked(&doorman);
        ck_assert_str_eq(doorman.got, password);
}
END_TEST

START_TEST(a_password_by_md5_is_not_in_the_clear)
{
        struct doorman doorman = {.code = 5};

        password_asked(&doorman);
        ck_assert_int_eq(strncmp(doorman.got, "md5", 3), 0);
        ck_assert_ptr_null(strstr(doorman.got, "hunter2"));
}
END_TEST

START_TEST(a_password_that_is_missing_is_told_at_once)
{
        struct doorman doorman = {.code = 3};

        wire_server->on_message = ask_password;
        wire_server->arg = &doorman;
        wire_reopen(&(struct pipit_options){.max_connections = 1});
        expect_error(query("SELECT 1", PIPIT_NO_PARAMS), PIPIT_ECONNECT, "");
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(the_password_is_asked_for_at_each_connect)
{
        struct pipit_options options = wire_options();
        struct doorman doorman = {.code = 3};
        int n_asked = 0;

        wire_server->on_message = ask_password;
        wire_server->arg = &doorman;
        options.password = give_password;
        options.password_arg = &n_asked;
        wire_reopen(&options);
        wire_connect();
        server_end_all(wire_server, SESSION_FIN);
        loop_until(&wire_server->n_closed, 1);
        expect_service();
        ck_assert_int_eq(n_asked, 2);
}
END_TEST

/* What a server may say to the question whether it knows TLS. */
static bool
answer_ssl(struct session *session, const struct message *message, void *arg)
{
        const char *text = arg;

        if (message->kind != MESSAGE_SSL)
                return false;
        session_raw(session, text, strlen(text));
        session_flush(session);
        return true;
}

/* Connects with an sslmode to a server that says this; requests wait so long for a connection. */
static void
reopen_with_ssl(const char *sslmode, const char *said, int64_t acquire_ms)
{
        struct pipit_options options = wire_options();
        char url[200];

        wire_server->on_message = answer_ssl;
        wire_server->arg = (void *)(uintptr_t)said;
        options.connect_timeout_ms = acquire_ms;
        options.acquire_timeout_ms = acquire_ms;
        pipit_close(live_db);
        snprintf(url, sizeof url, "postgresql://u@127.0.0.1:%d/db?sslmode=%s", wire_server->port,
                 sslmode);
        live_db = pipit_open(live_base, url, &options);
}

/* A server without TLS is told at once. */
static const struct {
        const char *text;
        int code;
} ssl_answers[] = {{"X", PIPIT_ETIMEDOUT},  {"Zgarbage and more of it", PIPIT_ETIMEDOUT},
                   {"SS", PIPIT_ETIMEDOUT}, {"N", PIPIT_ECONNECT},
                   {"E", PIPIT_ETIMEDOUT},  {"", PIPIT_ETIMEDOUT}};

START_TEST(a_wrong_answer_to_an_ssl_request_is_no_connection)
{
        reopen_with_ssl("require", ssl_answers[_i].text, 120);
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, ssl_answers[_i].code, "");
        ck_assert_int_eq(wire_server->n_statements, 0);
        ck_assert_int_le(wire_server->n_accepted, 6);
}
END_TEST

START_TEST(sslmode_prefer_goes_on_without_tls)
{
        reopen_with_ssl("prefer", "N", 5000);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(text_behind_a_refused_ssl_request_is_no_part_of_the_session)
{
        reopen_with_ssl("prefer", "NR\1\2\3", 120);
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        ck_assert_int_eq(pipit_failed(res), true);
        ck_assert_int_eq(wire_server->n_statements, 0);
}
END_TEST

/* Takes a request for TLS up and hangs up. libpq's next socket gets the number that is let go. */
static bool
hang_up_on_tls(struct session *session, const struct message *message, void *arg)
{
        int *spare = arg;

        if (message->kind != MESSAGE_SSL)
                return false;
        close(*spare);
        session_raw(session, "S", 1);
        session_flush(session);
        session_finish(session, SESSION_FIN);
        return true;
}

START_TEST(a_connect_that_goes_on_with_another_socket_is_watched_there)
{
        struct pipit_options options = wire_options();
        int spare = dup(STDERR_FILENO);
        char url[200];

        wire_server->on_message = hang_up_on_tls;
        wire_server->arg = &spare;
        options.connect_timeout_ms = 3000;
        pipit_close(live_db);
        snprintf(url, sizeof url, "postgresql://u@127.0.0.1:%d/db?sslmode=prefer",
                 wire_server->port);
        live_db = pipit_open(live_base, url, &options);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 2);
}
END_TEST

START_TEST(closing_amid_a_connect_ends_the_requests)
{
        struct batch batch = {0};

        wire_server->on_message = silences[_i];
        reopen_impatient(5000, 5000);
        batch_start(&batch, 3);
        loop_until(&wire_server->n_accepted, 1);
        loop_for(2);
        pipit_close(live_db);
        live_db = NULL;
        batch_wait(&batch);
        batch_expect_error(&batch, 0, 3, PIPIT_ECANCELED, PIPIT_EXECUTED_NO);
        loop_until(&wire_server->n_closed, 1);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

static void
add_refusals(TCase *tcase)
{
        tcase_add_loop_test(tcase, a_permanent_refusal_is_told_at_once, 0, COUNT(permanent));
        tcase_add_test(tcase,
                       a_refusal_whose_time_is_over_while_a_request_starts_is_still_its_answer);
        tcase_add_loop_test(tcase, a_passing_refusal_is_tried_again, 0, COUNT(passing));
        tcase_add_test(tcase, a_refusal_without_sqlstate_is_tried_again);
        tcase_add_test(tcase, who_waited_in_vain_is_told_the_refusal);
        tcase_add_test(tcase, the_text_of_a_refusal_is_one_line_without_controls);
        tcase_add_test(tcase, a_refusal_of_a_megabyte_is_cut);
}

static void
add_handshakes(TCase *tcase)
{
        tcase_add_loop_test(tcase, a_silent_server_costs_a_connect_timeout, 0, COUNT(silences));
        tcase_add_loop_test(tcase, a_server_that_finds_its_voice_is_used, 0, COUNT(silences));
        tcase_add_loop_test(tcase, a_welcome_that_is_cut_is_tried_again, 0, 35);
        tcase_add_test(tcase, a_welcome_in_slices_is_right);
        tcase_add_loop_test(tcase, a_server_that_talks_nonsense_is_left, 0, COUNT(nonsense));
        tcase_add_test(tcase, a_password_in_the_clear_is_given);
        tcase_add_test(tcase, a_password_by_md5_is_not_in_the_clear);
        tcase_add_test(tcase, a_password_that_is_missing_is_told_at_once);
        tcase_add_test(tcase, the_password_is_asked_for_at_each_connect);
        tcase_add_loop_test(tcase, closing_amid_a_connect_ends_the_requests, 0, COUNT(silences));
}

Suite *
test_suite(void)
{
        Suite *suite = suite_create("startup");
        TCase *tcase = tcase_create("unix");
        TCase *tcp = tcase_create("tcp");

        tcase_add_checked_fixture(tcase, wire_setup, wire_teardown);
        tcase_add_checked_fixture(tcp, wire_setup_tcp, wire_teardown);
        add_refusals(tcase);
        add_handshakes(tcase);
        tcase_add_loop_test(tcp, a_wrong_answer_to_an_ssl_request_is_no_connection, 0,
                            COUNT(ssl_answers));
        tcase_add_test(tcp, sslmode_prefer_goes_on_without_tls);
        tcase_add_test(tcp, text_behind_a_refused_ssl_request_is_no_part_of_the_session);
        tcase_add_test(tcp, a_connect_that_goes_on_with_another_socket_is_watched_there);
        suite_add_tcase(suite, tcase);
        suite_add_tcase(suite, tcp);
        return suite;
}
