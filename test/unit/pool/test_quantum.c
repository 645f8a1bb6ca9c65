#include "pool/quantum.h"
#include "request/server_time.h"
#include "runner.h"

#define MS 1000

static struct quantum quantum;
static struct server_pace pace;
static int64_t now_us;
static uint64_t waits;

static void
setup(void)
{
        pipit__quantum_init(&quantum);
        pipit__server_pace_init(&pace);
        now_us = 1000 * MS;
        waits = 0;
}

/* Steps in which processes were busy for so many per cent, and the loop waited in each turn, or
 * never. */
static void
adapt(int n, float busy, bool loop_waits)
{
        for (int i = 0; i < n; i++) {
                pace.busy_us = busy;
                pace.gap_us = 100 - busy;
                for (int turn = 0; turn < 100; turn++) {
                        pipit__quantum_is_due(&quantum, &pace, now_us);
                        waits += loop_waits;
                }
                now_us += 10 * MS;
                ck_assert(pipit__quantum_is_due(&quantum, &pace, now_us));
                pipit__quantum_adapt(&quantum, &pace, waits, now_us);
        }
}

START_TEST(the_quantum_grows_while_processes_are_never_idle)
{
        adapt(1, 95, true);
        ck_assert_float_gt(quantum.us, 60);
        adapt(20, 95, true);
        ck_assert_float_eq(quantum.us, 2000);
}
END_TEST

START_TEST(the_quantum_grows_while_the_loop_never_waits)
{
        adapt(20, 10, false);
        ck_assert_float_eq(quantum.us, 2000);
}
END_TEST

START_TEST(the_quantum_shrinks_while_there_is_room)
{
        adapt(20, 95, true);
        adapt(1, 50, true);
        ck_assert_float_lt(quantum.us, 1700);
        adapt(20, 50, true);
        ck_assert_float_eq(quantum.us, 50);
}
END_TEST

START_TEST(in_between_the_quantum_rests)
{
        adapt(3, 95, true);
        float us = quantum.us;
        adapt(10, 80, true);
        ck_assert_float_eq(quantum.us, us);
}
END_TEST

START_TEST(far_away_a_segment_may_take_a_part_of_the_way)
{
        pipit__round_trip_learn(&pace.round_trip, 32 * MS, now_us);
        now_us += 200 * MS;
        adapt(1, 10, true);
        ck_assert_float_eq(quantum.us, 1000);
}
END_TEST

START_TEST(the_quantum_adapts_in_steps)
{
        quantum.adapted_us = now_us;
        ck_assert(!pipit__quantum_is_due(&quantum, &pace, now_us + 9 * MS));
        ck_assert(pipit__quantum_is_due(&quantum, &pace, now_us + 10 * MS));
        pipit__round_trip_learn(&pace.round_trip, 10 * MS, now_us);
        ck_assert(!pipit__quantum_is_due(&quantum, &pace, now_us + 39 * MS));
        ck_assert(pipit__quantum_is_due(&quantum, &pace, now_us + 40 * MS));
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("quantum");
        TCase *tcase = tcase_create("quantum");

        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_test(tcase, the_quantum_grows_while_processes_are_never_idle);
        tcase_add_test(tcase, the_quantum_grows_while_the_loop_never_waits);
        tcase_add_test(tcase, the_quantum_shrinks_while_there_is_room);
        tcase_add_test(tcase, in_between_the_quantum_rests);
        tcase_add_test(tcase, far_away_a_segment_may_take_a_part_of_the_way);
        tcase_add_test(tcase, the_quantum_adapts_in_steps);
        suite_add_tcase(suite, tcase);
        return suite;
}
