/*
 * A server that breaks the protocol. Whatever it sends, each request ends once, never with somebody
 * else's rows, and the next one is served, on a new connection when the old one is in doubt.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

/* The text of a statement that is not the asker's. */
#define FOREIGN "foreign"

static void
send_type_and_length(struct session *session, char type, uint32_t length)
{
        const unsigned char head[] = {(unsigned char)type, (unsigned char)(length >> 24),
                                      (unsigned char)(length >> 16), (unsigned char)(length >> 8),
                                      (unsigned char)length};

        session_raw(session, head, sizeof head);
}

static void
send_copy_in(struct session *session)
{
        session_copy(session, 'G');
}

static void
send_copy_out(struct session *session)
{
        session_copy(session, 'H');
}

static void
send_copy_out_with_data(struct session *session)
{
        session_copy(session, 'H');
        session_message(session, 'd', "1\n", 2);
        session_message(session, 'c', "", 0);
        session_complete(session, "COPY 1");
}

static void
send_copy_both(struct session *session)
{
        session_copy(session, 'W');
}

static void
send_garbage(struct session *session)
{
        session_raw(session, "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a", 10);
}

static void
send_unknown_type(struct session *session)
{
        session_message(session, '@', "what", 4);
}

static void
send_short_length(struct session *session)
{
        send_type_and_length(session, 'D', 3);
        session_text(session, FOREIGN);
}

static void
send_negative_length(struct session *session)
{
        send_type_and_length(session, 'C', UINT32_MAX);
}

static void
send_huge_length(struct session *session)
{
        send_type_and_length(session, 'C', INT32_MAX);
}

static void
send_row_without_description(struct session *session)
{
        session_row(session, 1, &(const char *){FOREIGN});
        session_complete(session, "SELECT 1");
}

static void
send_row_too_wide(struct session *session)
{
        const char *values[] = {FOREIGN, FOREIGN};

        session_columns(session, 1, &(const char *){"text"});
        session_row(session, 2, values);
        session_complete(session, "SELECT 1");
}

static void
send_row_too_narrow(struct session *session)
{
        session_columns(session, 2, (const char *[]){"a", "b"});
        session_row(session, 1, &(const char *){FOREIGN});
        session_complete(session, "SELECT 1");
}

static void
send_value_too_long(struct session *session)
{
        session_columns(session, 1, &(const char *){"text"});
        session_message(session, 'D', "\0\1\0\0\0\77foreign", 13);
        session_complete(session, "SELECT 1");
}

static void
send_value_too_short(struct session *session)
{
        session_columns(session, 1, &(const char *){"text"});
        session_message(session, 'D', "\0\1\0\0\0\1foreign", 13);
        session_complete(session, "SELECT 1");
}

static void
send_cut_description(struct session *session)
{
        session_message(session, 'T', "\0\5text", 6);
        session_complete(session, "SELECT 1");
}

static void
send_two_results(struct session *session)
{
        session_text(session, FOREIGN);
        session_text(session, FOREIGN);
}

static void
send_two_completes(struct session *session)
{
        session_complete(session, "INSERT 0 1");
        session_complete(session, "INSERT 0 1");
}

static void
send_nothing(struct session *session)
{
        (void)session;
}

static void
send_two_syncs(struct session *session)
{
        server_echo(session, session->sql, NULL);
        session_ready(session);
}

static void
send_sync_first(struct session *session)
{
        session_ready(session);
        session_text(session, FOREIGN);
}

static void
send_cut_complete(struct session *session)
{
        session_message(session, 'C', "INSERT", 6);
}

static void
send_suspended(struct session *session)
{
        session_message(session, 's', "", 0);
}

static void
send_authentication(struct session *session)
{
        session_authentication(session, 3);
}

static void
send_encoding(struct session *session)
{
        session_parameter(session, "client_encoding", "SQL_ASCII");
        server_echo(session, session->sql, NULL);
}

static void
send_strings(struct session *session)
{
        session_parameter(session, "standard_conforming_strings", "off");
        server_echo(session, session->sql, NULL);
}

static void
send_cut_message(struct session *session)
{
        session_columns(session, 1, &(const char *){"text"});
        session_raw(session, "D\0\0\0\22\0\1\0\0\0\10req", 14);
        session_flush(session);
        session_finish(session, SESSION_FIN);
}

static void
send_cut_length(struct session *session)
{
        session_raw(session, "D\0\0", 3);
        session_flush(session);
        session_finish(session, SESSION_FIN);
}

static void
send_two_fatals(struct session *session)
{
        session_error(session, "FATAL", "57P01", "the first");
        session_error(session, "FATAL", "57P02", "the second");
        session_flush(session);
        session_finish(session, SESSION_FIN);
}

static void
send_fatal_and_go_on(struct session *session)
{
        session_error(session, "FATAL", "57P01", "the first");
        session_text(session, FOREIGN);
}

static void
send_error_without_sqlstate(struct session *session)
{
        session_error(session, "ERROR", NULL, "for nobody");
}

static const struct oddity {
        const char *name;
        void (*send)(struct session *session);
} oddities[] = {
        {"CopyIn", send_copy_in},
        {"CopyOut", send_copy_out},
        {"CopyOut with data", send_copy_out_with_data},
        {"CopyBoth", send_copy_both},
        {"garbage", send_garbage},
        {"unknown type", send_unknown_type},
        {"short length", send_short_length},
        {"negative length", send_negative_length},
        {"huge length", send_huge_length},
        {"row without description", send_row_without_description},
        {"row too wide", send_row_too_wide},
        {"row too narrow", send_row_too_narrow},
        {"value too long", send_value_too_long},
        {"value too short", send_value_too_short},
        {"cut description", send_cut_description},
        {"two results", send_two_results},
        {"two completes", send_two_completes},
        {"no answer", send_nothing},
        {"two syncs", send_two_syncs},
        {"sync first", send_sync_first},
        {"cut complete", send_cut_complete},
        {"suspended", send_suspended},
        {"authentication", send_authentication},
        {"client_encoding", send_encoding},
        {"standard_conforming_strings", send_strings},
        {"cut message", send_cut_message},
        {"cut length", send_cut_length},
        {"two FATALs", send_two_fatals},
        {"FATAL without an end", send_fatal_and_go_on},
        {"error without SQLSTATE", send_error_without_sqlstate},
};

/* The second statement of the first session meets the oddity. */
static void
odd_on_statement(struct session *session, const char *sql, void *arg)
{
        const struct oddity *oddity = arg;

        if (session->number == 1 && session->n_statements == 2)
                oddity->send(session);
        else
                server_echo(session, sql, NULL);
}

static void
odd_batch(const struct oddity *oddity, struct batch *batch)
{
        struct oddity copy = *oddity;

        wire_server->on_statement = odd_on_statement;
        wire_server->arg = &copy;
        batch_start(batch, 5);
        batch_wait(batch);
        expect_service();
}

/* The promise to the requests behind it: their own answer or an error, and nothing else. */
static void
expect_nothing_foreign(const struct batch *batch, const char *name)
{
        for (int i = 0; i < batch->n; i++) {
                const struct batch_entry *entry = &batch->entries[i];
                ck_assert_int_eq(entry->n_calls, 1);
                if (entry->error.code == PIPIT_OK && !entry->own)
                        ck_abort_msg("%s: request %d got what is not its own", name, i);
        }
}

START_TEST(an_oddity_ends_the_connection_and_each_request_once)
{
        struct batch batch = {0};

        odd_batch(&oddities[_i], &batch);
        expect_nothing_foreign(&batch, oddities[_i].name);
        batch_expect_own(&batch, 0, 1);
        if (wire_server->n_accepted != 2 || batch.entries[4].error.code != PIPIT_ELOST)
                ck_abort_msg("%s: %d connections, %s", oddities[_i].name, wire_server->n_accepted,
                             pipit_code_name((int)batch.entries[4].error.code));
        ck_assert_int_eq(batch.entries[4].error.executed, PIPIT_EXECUTED_UNKNOWN);
        ck_assert_int_eq(batch.n_calls, 5);
}
END_TEST

START_TEST(an_oddity_in_slices_is_the_same)
{
        struct batch batch = {0};

        wire_server->slice = 1;
        odd_batch(&oddities[_i], &batch);
        expect_nothing_foreign(&batch, oddities[_i].name);
        batch_expect_own(&batch, 0, 1);
        ck_assert_int_eq(wire_server->n_accepted, 2);
}
END_TEST

START_TEST(copy_is_refused_in_words)
{
        wire_server->on_statement = odd_on_statement;
        wire_server->arg = &(struct oddity){"copy", oddities[_i].send};
        wire_connect();
        const struct pipit_result *res = query("COPY t FROM STDIN", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_EUNSHARED, "");
        ck_assert_ptr_nonnull(strstr(pipit_error_text(res), "COPY needs a connection of its own"));
}
END_TEST

/* An error that is the server's own, however odd its parts. */
static const char *odd_message;

static void
send_odd_error(struct session *session)
{
        session_error(session, "ERROR", "22012", odd_message);
}

static const struct pipit_result *
odd_error(const char *message)
{
        odd_message = message;
        wire_server->on_statement = odd_on_statement;
        wire_server->arg = &(struct oddity){"error", send_odd_error};
        wire_connect();
        const struct pipit_result *res = query("SELECT 1", PIPIT_NO_PARAMS);
        expect_error(res, PIPIT_ESERVER, "22012");
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 1);
        return res;
}

START_TEST(an_error_without_a_message_has_words_all_the_same)
{
        ck_assert_str_ne(pipit_error_text(odd_error(NULL)), "");
}
END_TEST

START_TEST(an_error_of_a_megabyte_is_whole)
{
        char *message = malloc(1 << 20);

        ck_assert_ptr_nonnull(message);
        memset(message, 'x', (1 << 20) - 1);
        message[(1 << 20) - 1] = '\0';
        ck_assert_int_eq(strcmp(pipit_error_text(odd_error(message)), message), 0);
        free(message);
}
END_TEST

START_TEST(an_error_is_as_the_server_sent_it)
{
        ck_assert_str_eq(pipit_error_text(odd_error("a\nb\x1b[31mc\x01")), "a\nb\x1b[31mc\x01");
}
END_TEST

START_TEST(what_the_log_tells_of_a_fatal_error_has_no_controls)
{
        struct pipit_options options = wire_options();
        struct log_lines lines = {0};

        options.log = on_log;
        options.log_arg = &lines;
        wire_reopen(&options);
        wire_connect();
        session_error(wire_server->sessions, "FATAL", "57P01", "a\nb\x1b[31mc");
        session_flush(wire_server->sessions);
        loop_until(&wire_server->n_closed, 1);
        ck_assert_ptr_nonnull(strstr(lines.last, "a b"));
        ck_assert_int_eq(lines.n_controls, 0);
        pipit_close(live_db);
        live_db = NULL;
}
END_TEST

/* What a server may do, though servers do not. */
static void
send_empty(struct session *session)
{
        session_message(session, 'I', "", 0);
}

static void
send_column_of_negative_length(struct session *session)
{
        session_columns(session, 1, &(const char *){"text"});
        session_message(session, 'D', "\0\1\xff\xff\xff\xfe", 6);
        session_complete(session, "SELECT 1");
}

START_TEST(an_empty_query_succeeds_without_rows)
{
        struct oddity oddity = {"empty", send_empty};
        struct batch batch = {0};

        odd_batch(&oddity, &batch);
        batch_expect_own(&batch, 0, 1);
        ck_assert_int_eq(batch.entries[1].error.code, PIPIT_OK);
        ck_assert_int_eq(batch.entries[1].own, false);
        batch_expect_own(&batch, 2, 5);
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

START_TEST(a_column_of_negative_length_is_null)
{
        struct oddity oddity = {"negative", send_column_of_negative_length};
        struct batch batch = {0};

        odd_batch(&oddity, &batch);
        batch_expect_own(&batch, 0, 1);
        ck_assert_int_eq(batch.entries[1].own, false);
        batch_expect_own(&batch, 2, 5);
}
END_TEST

/* What comes while nothing was asked. */
static void
send_complete(struct session *session)
{
        session_complete(session, "INSERT 0 1");
}

static void
send_columns(struct session *session)
{
        session_columns(session, 1, &(const char *){"text"});
}

static void
send_fatal(struct session *session)
{
        session_error(session, "FATAL", "57P01", "terminating connection");
}

static void
send_error(struct session *session)
{
        session_error(session, "ERROR", "XX000", "for nobody");
}

static void
send_fin(struct session *session)
{
        session_finish(session, SESSION_FIN);
}

static void
send_rst(struct session *session)
{
        session_finish(session, SESSION_RST);
}

static const struct oddity while_idle[] = {
        {"DataRow", send_row_without_description},
        {"RowDescription", send_columns},
        {"CommandComplete", send_complete},
        {"ReadyForQuery", session_ready},
        {"a whole answer", send_two_syncs},
        {"CopyIn", send_copy_in},
        {"garbage", send_garbage},
        {"unknown type", send_unknown_type},
        {"short length", send_short_length},
        {"FATAL", send_fatal},
        {"ERROR", send_error},
        {"ERROR without SQLSTATE", send_error_without_sqlstate},
        {"two FATALs", send_two_fatals},
        {"client_encoding", send_encoding},
        {"FIN", send_fin},
        {"RST", send_rst},
};

START_TEST(an_oddity_while_idle_ends_the_connection)
{
        wire_connect();
        while_idle[_i].send(wire_server->sessions);
        session_flush(wire_server->sessions);
        loop_until(&wire_server->n_closed, 1);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 2);
}
END_TEST

/* The request is started in the same turn in which the bad news comes. */
START_TEST(bad_news_while_idle_are_seen_before_the_next_use)
{
        wire_connect();
        while_idle[_i].send(wire_server->sessions);
        if (wire_server->sessions->end == SESSION_GOES_ON)
                session_flush_now(wire_server->sessions);
        else
                session_close_now(wire_server->sessions);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 2);
        ck_assert_int_eq(wire_server->n_statements, 2);
}
END_TEST

static void
send_notice(struct session *session)
{
        session_notice(session, "NOTICE", "for anybody");
}

static void
send_notification(struct session *session)
{
        session_notification(session, "channel", "payload");
}

static void
send_time_zone(struct session *session)
{
        session_parameter(session, "TimeZone", "UTC");
}

static const struct oddity harmless[] = {
        {"NoticeResponse", send_notice},
        {"NotificationResponse", send_notification},
        {"ParameterStatus", send_time_zone},
};

START_TEST(a_harmless_message_while_idle_costs_nothing)
{
        wire_connect();
        harmless[_i].send(wire_server->sessions);
        session_flush_now(wire_server->sessions);
        expect_service();
        harmless[_i].send(wire_server->sessions);
        session_flush(wire_server->sessions);
        loop_for(5);
        expect_service();
        ck_assert_int_eq(wire_server->n_accepted, 1);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof(table)[0]))

Suite *
test_suite(void)
{
        Suite *suite = suite_create("protocol");
        TCase *tcase = tcase_create("protocol");

        tcase_add_checked_fixture(tcase, wire_setup, wire_teardown);
        tcase_add_loop_test(tcase, an_oddity_ends_the_connection_and_each_request_once, 0,
                            COUNT(oddities));
        tcase_add_loop_test(tcase, an_oddity_in_slices_is_the_same, 0, COUNT(oddities));
        tcase_add_loop_test(tcase, copy_is_refused_in_words, 0, 4);
        tcase_add_test(tcase, an_error_without_a_message_has_words_all_the_same);
        tcase_add_test(tcase, an_error_of_a_megabyte_is_whole);
        tcase_add_test(tcase, an_error_is_as_the_server_sent_it);
        tcase_add_test(tcase, what_the_log_tells_of_a_fatal_error_has_no_controls);
        tcase_add_test(tcase, an_empty_query_succeeds_without_rows);
        tcase_add_test(tcase, a_column_of_negative_length_is_null);
        tcase_add_loop_test(tcase, an_oddity_while_idle_ends_the_connection, 0, COUNT(while_idle));
        tcase_add_loop_test(tcase, bad_news_while_idle_are_seen_before_the_next_use, 0,
                            COUNT(while_idle));
        tcase_add_loop_test(tcase, a_harmless_message_while_idle_costs_nothing, 0, COUNT(harmless));
        suite_add_tcase(suite, tcase);
        return suite;
}
