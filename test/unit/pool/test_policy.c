#include "conn/backlog.h"
#include "pool/policy.h"
#include "request/server_time.h"
#include "runner.h"

#define MS    1000
#define CONNS 4

static struct server_pace pace;
static struct policy policy;
static struct server_time quick, slow, new;
static struct backlog backlogs[CONNS];
static struct policy_ask ask;
static struct policy_deal deal;

static void
setup(void)
{
        pipit__server_pace_init(&pace);
        pipit__policy_init(&policy, &pace, 128);
        quick = (struct server_time){.class = SERVER_QUICK, .uses = 3, .server_us = 10};
        slow = (struct server_time){.class = SERVER_SLOW, .uses = 3, .server_us = 4000};
        new = (struct server_time){0};
        for (int i = 0; i < CONNS; i++)
                backlogs[i] = (struct backlog){0};
        ask = (struct policy_ask){
                .time = &quick, .n_waiting = 1, .shares = true, .now_us = 1000 * MS};
        pace.round_trip.asked_us = ask.now_us;
        pace.least = (struct least){10, &quick};
        pace.least_since_us = ask.now_us;
}

/* The server is so far away. */
static void
far_away(int64_t us)
{
        pipit__round_trip_learn(&pace.round_trip, us, ask.now_us);
}

/* A connection owes so many statements, which take so long each. */
static void
owes(int conn, int n, float each_us)
{
        struct owed_segment segment = {.sent_us = ask.now_us,
                                       .foretold_us = (float)n * each_us,
                                       .longest_us = each_us,
                                       .n_statements = n,
                                       .is_slow = each_us > 1000};

        pipit__backlog_sent(&backlogs[conn], &segment);
}

/* Who gets it; -1: nobody. */
static int
place_on(int n_conns)
{
        struct policy_choice choice;

        pipit__policy_begin(&choice, &policy, &ask, n_conns);
        for (int i = 0; i < n_conns; i++) {
                struct policy_offer offer = {
                        .backlog = &backlogs[i], .may_take = true, .conn = &backlogs[i]};
                pipit__policy_offer(&choice, &offer);
        }
        if (!pipit__policy_decide(&choice, &deal))
                return -1;
        return (int)((struct backlog *)deal.conn - backlogs);
}

START_TEST(who_waits_goes_to_a_connection_that_owes_nothing)
{
        owes(0, 1, 10);
        owes(2, 1, 10);
        ck_assert_int_eq(place_on(CONNS), 1);
}
END_TEST

START_TEST(what_waits_is_split_evenly)
{
        ask.n_waiting = 4;
        ck_assert_int_eq(place_on(CONNS), 0);
        ck_assert_int_eq(deal.n, 1);
        policy.quantum.us = 100;
        ask.n_waiting = 6;
        ck_assert_int_eq(place_on(CONNS), 0);
        ck_assert_int_eq(deal.n, 2);
}
END_TEST

START_TEST(while_there_is_room_a_share_goes_in_two_halves)
{
        ask.n_waiting = 16;
        ck_assert_int_eq(place_on(CONNS), 0);
        ck_assert_int_eq(deal.n, 2);
        policy.quantum.us = 100;
        ck_assert_int_eq(place_on(CONNS), 0);
        ck_assert_int_eq(deal.n, 4);
}
END_TEST

START_TEST(nobody_has_more_than_an_even_share_of_what_is_out_too)
{
        owes(1, 10, 10);
        owes(2, 10, 10);
        owes(3, 10, 10);
        policy.quantum.us = 200;
        ask.n_waiting = 30;
        ck_assert_int_eq(place_on(CONNS), 0);
        ck_assert_int_eq(deal.n, 15);
}
END_TEST

START_TEST(no_segment_is_longer_than_max_pipeline)
{
        ask.n_waiting = 5000;
        ck_assert_int_ge(place_on(CONNS), 0);
        ck_assert_int_eq(deal.n, 128);
}
END_TEST

START_TEST(the_quantum_bounds_a_segment_and_a_backlog_enlarges_it)
{
        quick.server_us = 100;
        ask.n_waiting = 2;
        ck_assert_int_ge(place_on(CONNS), 0);
        ck_assert_float_le(deal.us, 1.5F * policy.quantum.us);
        ask.n_waiting = 40; /* ten for each */
        ck_assert_int_ge(place_on(CONNS), 0);
        ck_assert_float_ge(deal.us, 1000);
        ask.n_waiting = 4000;
        ck_assert_int_ge(place_on(CONNS), 0);
        ck_assert_float_le(deal.us, 1.5F * QUANTUM_MOST_US);
}
END_TEST

START_TEST(far_away_busy_connections_get_more)
{
        far_away(10 * MS);
        for (int i = 0; i < CONNS; i++)
                owes(i, 100 - i, 10);
        ask.n_waiting = 50;
        ck_assert_int_eq(place_on(CONNS), 3);
        ck_assert(!deal.pings);
}
END_TEST

START_TEST(a_pipe_that_is_full_gets_no_more)
{
        far_away(2 * MS);
        owes(0, 700, 10);
        ask.n_waiting = 100;
        ck_assert_int_eq(place_on(1), -1);
}
END_TEST

START_TEST(the_longest_of_the_ways_says_when_a_pipe_is_full)
{
        far_away(2 * MS);
        far_away(6 * MS);
        owes(0, 700, 10);
        ask.n_waiting = 100;
        ck_assert_int_eq(place_on(1), 0);
}
END_TEST

START_TEST(far_away_one_more_always_stands_behind_a_statement)
{
        far_away(2 * MS);
        owes(0, 1, 9000);
        ask.time = &slow;
        ask.shares = false;
        ck_assert_int_eq(place_on(1), 0);
        owes(0, 1, 9000);
        ck_assert_int_eq(place_on(1), -1);
}
END_TEST

START_TEST(nothing_goes_behind_what_is_much_slower)
{
        far_away(10 * MS);
        owes(0, 1, 9000);
        ask.n_waiting = 100;
        ck_assert_int_eq(place_on(1), -1);
        quick.server_us = 3000;
        ck_assert_int_eq(place_on(1), 0);
}
END_TEST

START_TEST(the_last_connections_are_for_what_is_quick)
{
        far_away(2 * MS);
        for (int i = 0; i < CONNS - 1; i++)
                owes(i, 1, 4000);
        ask.time = &slow;
        ask.shares = false;
        ck_assert_int_eq(place_on(CONNS), 0); /* behind another one */
        pace.least = (struct least){0};
        ck_assert_int_eq(place_on(CONNS), CONNS - 1); /* nobody quick is there */
}
END_TEST

START_TEST(a_new_statement_has_a_sync_of_its_own)
{
        far_away(10 * MS);
        owes(0, 5, 10);
        ask.time = &new;
        ask.shares = false;
        ask.n_waiting = 100;
        ck_assert_int_eq(place_on(1), 0);
        ck_assert_int_eq(deal.n, 1);
}
END_TEST

START_TEST(new_statements_neither_flood_a_connection_nor_wait_for_each_other)
{
        ask.time = &new;
        ask.shares = false;
        far_away(10 * MS);
        owes(0, 30, 500);
        ck_assert_int_eq(place_on(1), 0);
        owes(0, 20, 500);
        ck_assert_int_eq(place_on(1), -1);
}
END_TEST

START_TEST(what_will_not_run_dry_lets_others_gather)
{
        policy.quantum.us = 200;
        owes(0, 20, 10);
        ask.n_waiting = 3;
        ck_assert_int_eq(place_on(1), -1);
        ask.n_waiting = 20;
        ck_assert_int_eq(place_on(1), 0);
        ask.n_waiting = 3;
        ask.shares = false;
        ck_assert_int_eq(place_on(1), 0);
}
END_TEST

START_TEST(a_connection_that_is_silent_for_long_gets_no_more)
{
        far_away(2 * MS);
        owes(0, 1, 10);
        owes(1, 5, 10);
        ask.n_waiting = 40;
        ask.now_us += 20 * MS;
        backlogs[1].answered_us = ask.now_us - 1;
        pace.round_trip.asked_us = ask.now_us;
        ck_assert_int_eq(place_on(2), 1);
}
END_TEST

START_TEST(what_runs_dry_gets_no_more)
{
        far_away(10 * MS);
        owes(0, 5, 10);
        backlogs[0].dries = true;
        ask.n_waiting = 40;
        ck_assert_int_eq(place_on(1), -1);
}
END_TEST

START_TEST(with_a_max_pipeline_of_one_nothing_stands_behind_another)
{
        policy.max_batch = 1;
        far_away(10 * MS);
        owes(0, 1, 10);
        ask.n_waiting = 40;
        ck_assert_int_eq(place_on(1), -1);
        ck_assert_int_eq(place_on(2), 1);
        ck_assert_int_eq(deal.n, 1);
}
END_TEST

START_TEST(what_is_owed_has_a_bound)
{
        far_away(1000 * MS);
        quick.server_us = 2;
        owes(0, 16 * 128, 2);
        ask.n_waiting = 4000;
        ck_assert_int_eq(place_on(1), -1);
}
END_TEST

START_TEST(writes_that_commit_together_are_not_split)
{
        ask.time = &slow;
        ask.commits = true;
        ask.n_waiting = 100;
        ck_assert_int_eq(place_on(CONNS), 0);
        ck_assert_int_eq(deal.n, 100);
}
END_TEST

START_TEST(a_ping_goes_in_front_where_nothing_is_owed_and_one_is_due)
{
        ck_assert_int_eq(place_on(1), 0);
        ck_assert(!deal.pings);
        ask.now_us += 10 * MS;
        ck_assert_int_eq(place_on(1), 0);
        ck_assert(deal.pings);
        far_away(10 * MS);
        owes(0, 1, 10);
        ck_assert_int_eq(place_on(1), 0);
        ck_assert(!deal.pings);
}
END_TEST

START_TEST(without_pings_for_long_a_connection_is_to_run_dry)
{
        ck_assert(!pipit__policy_wants_dry(&policy, ask.now_us + 50 * MS));
        ck_assert(pipit__policy_wants_dry(&policy, ask.now_us + 200 * MS));
}
END_TEST

START_TEST(to_turn_a_role_counts_as_a_quantum)
{
        struct policy_choice choice;
        struct policy_offer turned = {.backlog = &backlogs[0],
                                      .may_take = true,
                                      .turns_role = true,
                                      .conn = &backlogs[0]};
        struct policy_offer other = {
                .backlog = &backlogs[1], .may_take = true, .conn = &backlogs[1]};

        far_away(10 * MS);
        for (int more = 1; more < 10; more += 7) {
                owes(0, 1, 10);
                owes(1, more, 10);
                ask.n_waiting = 20;
                pipit__policy_begin(&choice, &policy, &ask, 2);
                pipit__policy_offer(&choice, &turned);
                pipit__policy_offer(&choice, &other);
                ck_assert(pipit__policy_decide(&choice, &deal));
                ck_assert_ptr_eq(deal.conn, more == 1 ? &backlogs[1] : &backlogs[0]);
        }
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("policy");
        TCase *tcase = tcase_create("policy");

        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_test(tcase, who_waits_goes_to_a_connection_that_owes_nothing);
        tcase_add_test(tcase, what_waits_is_split_evenly);
        tcase_add_test(tcase, while_there_is_room_a_share_goes_in_two_halves);
        tcase_add_test(tcase, nobody_has_more_than_an_even_share_of_what_is_out_too);
        tcase_add_test(tcase, no_segment_is_longer_than_max_pipeline);
        tcase_add_test(tcase, the_quantum_bounds_a_segment_and_a_backlog_enlarges_it);
        tcase_add_test(tcase, far_away_busy_connections_get_more);
        tcase_add_test(tcase, a_pipe_that_is_full_gets_no_more);
        tcase_add_test(tcase, the_longest_of_the_ways_says_when_a_pipe_is_full);
        tcase_add_test(tcase, far_away_one_more_always_stands_behind_a_statement);
        tcase_add_test(tcase, nothing_goes_behind_what_is_much_slower);
        tcase_add_test(tcase, the_last_connections_are_for_what_is_quick);
        tcase_add_test(tcase, a_new_statement_has_a_sync_of_its_own);
        tcase_add_test(tcase, new_statements_neither_flood_a_connection_nor_wait_for_each_other);
        tcase_add_test(tcase, what_will_not_run_dry_lets_others_gather);
        tcase_add_test(tcase, a_connection_that_is_silent_for_long_gets_no_more);
        tcase_add_test(tcase, what_runs_dry_gets_no_more);
        tcase_add_test(tcase, with_a_max_pipeline_of_one_nothing_stands_behind_another);
        tcase_add_test(tcase, what_is_owed_has_a_bound);
        tcase_add_test(tcase, writes_that_commit_together_are_not_split);
        tcase_add_test(tcase, a_ping_goes_in_front_where_nothing_is_owed_and_one_is_due);
        tcase_add_test(tcase, without_pings_for_long_a_connection_is_to_run_dry);
        tcase_add_test(tcase, to_turn_a_role_counts_as_a_quantum);
        suite_add_tcase(suite, tcase);
        return suite;
}
