#include "conn/backlog.h"
#include "request/server_time.h"
#include "runner.h"

#define MS 1000

static struct backlog backlog;
static struct server_pace pace;

static void
setup(void)
{
        backlog = (struct backlog){0};
        pipit__server_pace_init(&pace);
}

static struct owed_segment
send_at(int64_t sent_us, int n, float foretold_us)
{
        struct owed_segment segment = {.sent_us = sent_us,
                                       .foretold_us = foretold_us,
                                       .longest_us = n > 0 ? foretold_us / (float)n : 0,
                                       .n_statements = n};

        pipit__backlog_sent(&backlog, &segment);
        return segment;
}

static struct answered_segment
answer_at(const struct owed_segment *segment, int64_t now_us)
{
        return pipit__backlog_answered(&backlog, &pace, segment, now_us);
}

START_TEST(what_is_sent_is_owed_until_it_is_answered)
{
        struct owed_segment one = send_at(1000, 4, 80);
        struct owed_segment two = send_at(1001, 1, 50);

        ck_assert_int_eq(backlog.n_segments, 2);
        ck_assert_int_eq(backlog.n_statements, 5);
        ck_assert_float_eq(backlog.owed_us, 130);
        ck_assert_float_eq(backlog.front_us, 50);
        answer_at(&one, 1100);
        ck_assert_int_eq(backlog.n_statements, 1);
        ck_assert_float_eq(backlog.owed_us, 50);
        ck_assert_float_eq(backlog.front_us, 50);
        answer_at(&two, 1200);
        ck_assert_float_eq(backlog.owed_us, 0);
        ck_assert_float_eq(backlog.front_us, 0);
}
END_TEST

START_TEST(what_is_slow_is_counted_while_it_is_owed)
{
        struct owed_segment slow = {.sent_us = 1000, .n_statements = 1, .is_slow = true};

        pipit__backlog_sent(&backlog, &slow);
        ck_assert_int_eq(backlog.n_slow, 1);
        answer_at(&slow, 2000);
        ck_assert_int_eq(backlog.n_slow, 0);
}
END_TEST

START_TEST(a_connection_that_runs_dry_does_so_once)
{
        struct owed_segment one = send_at(1000, 1, 10);

        backlog.dries = true;
        answer_at(&one, 1100);
        ck_assert(!backlog.dries);
        backlog.dries = true;
        send_at(2000, 1, 10);
        ck_assert(!backlog.dries);
}
END_TEST

START_TEST(a_ping_teaches_the_way)
{
        struct owed_segment ping = {.sent_us = 1000, .is_ping = true};

        pipit__backlog_sent(&backlog, &ping);
        ck_assert_int_eq(answer_at(&ping, 3000).n_statements, 0);
        ck_assert_float_eq(pace.round_trip.most_us, 2000);
}
END_TEST

START_TEST(a_sync_of_pipits_own_teaches_nothing)
{
        struct owed_segment own = send_at(1000, 0, 0);

        ck_assert_int_eq(answer_at(&own, 900 * MS).n_statements, 0);
        ck_assert_uint_eq(pace.round_trip.n, 0);
        ck_assert_float_eq(pace.busy_us, 0);
}
END_TEST

START_TEST(what_the_network_may_have_taken_is_none_of_the_servers_time)
{
        struct owed_segment one = send_at(100 * MS, 1, 10);

        pipit__round_trip_learn(&pace.round_trip, 2 * MS, 1);
        pipit__round_trip_learn(&pace.round_trip, 10 * MS, 2);
        ck_assert_float_eq(answer_at(&one, 109 * MS).us, 0);
        one = send_at(200 * MS, 1, 10);
        ck_assert_float_eq(answer_at(&one, 210 * MS + 300).us, 300);
}
END_TEST

START_TEST(behind_another_answer_all_of_the_time_is_the_servers)
{
        struct owed_segment one = send_at(100 * MS, 1, 10);
        struct owed_segment two = send_at(100 * MS, 1, 10);

        pipit__round_trip_learn(&pace.round_trip, 2 * MS, 1);
        ck_assert(!answer_at(&one, 102 * MS + 50).is_sure);
        struct answered_segment timing = answer_at(&two, 102 * MS + 90);
        ck_assert(timing.is_sure);
        ck_assert_float_eq(timing.us, 40);
}
END_TEST

START_TEST(what_takes_much_longer_than_foretold_is_odd)
{
        struct owed_segment one = send_at(1000, 1, 100);

        ck_assert(!answer_at(&one, 1600).is_odd);
        one = send_at(2000, 1, 100);
        ck_assert(answer_at(&one, 2700).is_odd);
        one = send_at(3000, 10, 1000);
        ck_assert(!answer_at(&one, 6000).is_odd);
}
END_TEST

START_TEST(a_process_is_busy_for_what_it_runs_and_idle_in_front_of_it)
{
        struct owed_segment one = send_at(1000, 1, 100);

        answer_at(&one, 1100);
        one = send_at(1150, 1, 100);
        answer_at(&one, 1250);
        ck_assert_float_eq(pace.busy_us, 200);
        ck_assert_float_eq(pace.gap_us, 50);
        one = send_at(900 * MS, 1, 100); /* the program had nothing to ask */
        answer_at(&one, 900 * MS + 100);
        ck_assert_float_eq(pace.gap_us, 50);
}
END_TEST

START_TEST(a_connection_is_silent_from_its_last_answer_or_its_first_sending)
{
        ck_assert_int_eq(pipit__backlog_silent_us(&backlog, 500), 0);
        struct owed_segment one = send_at(1000, 1, 100);
        send_at(1500, 1, 100);
        ck_assert_int_eq(pipit__backlog_silent_us(&backlog, 1600), 600);
        answer_at(&one, 1700);
        ck_assert_int_eq(pipit__backlog_silent_us(&backlog, 1800), 100);
        pipit__backlog_lose(&backlog);
        ck_assert_int_eq(pipit__backlog_silent_us(&backlog, 9000), 0);
}
END_TEST

START_TEST(each_text_of_a_segment_is_wrong_by_as_much_as_all_are)
{
        struct answered_segment timing = {
                .us = 300, .foretold_us = 150, .n_statements = 2, .is_sure = true};
        struct server_time quick = {.class = SERVER_QUICK, .uses = 3, .server_us = 50};
        struct server_time other = {.class = SERVER_QUICK, .uses = 3, .server_us = 100};

        for (int i = 0; i < 16; i++)
                pipit__answered_segment_teach(&timing, &pace, &quick, 1);
        ck_assert_float_gt(quick.server_us, 90);
        pipit__answered_segment_teach(&timing, &pace, &other, 1);
        ck_assert_float_eq(other.server_us, 106.25F);
}
END_TEST

START_TEST(uses_of_one_text_share_the_time)
{
        struct answered_segment timing = {.us = 100, .n_statements = 10, .is_sure = true};
        struct server_time of_text = {0};

        pipit__answered_segment_teach(&timing, &pace, &of_text, 10);
        ck_assert_float_eq(of_text.server_us, 10);
        ck_assert_uint_eq(of_text.uses, 10);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("backlog");
        TCase *tcase = tcase_create("backlog");

        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_test(tcase, what_is_sent_is_owed_until_it_is_answered);
        tcase_add_test(tcase, what_is_slow_is_counted_while_it_is_owed);
        tcase_add_test(tcase, a_connection_that_runs_dry_does_so_once);
        tcase_add_test(tcase, a_ping_teaches_the_way);
        tcase_add_test(tcase, a_sync_of_pipits_own_teaches_nothing);
        tcase_add_test(tcase, what_the_network_may_have_taken_is_none_of_the_servers_time);
        tcase_add_test(tcase, behind_another_answer_all_of_the_time_is_the_servers);
        tcase_add_test(tcase, what_takes_much_longer_than_foretold_is_odd);
        tcase_add_test(tcase, a_process_is_busy_for_what_it_runs_and_idle_in_front_of_it);
        tcase_add_test(tcase, a_connection_is_silent_from_its_last_answer_or_its_first_sending);
        tcase_add_test(tcase, each_text_of_a_segment_is_wrong_by_as_much_as_all_are);
        tcase_add_test(tcase, uses_of_one_text_share_the_time);
        suite_add_tcase(suite, tcase);
        return suite;
}
