#include <stdlib.h>
#include <string.h>

#include "histogram.h"
#include "runner.h"

#define N_VALUES 20000

static struct histogram histogram;

static void
setup(void)
{
        memset(&histogram, 0, sizeof histogram);
}

START_TEST(a_quantile_of_nothing_is_0)
{
        ck_assert_uint_eq(histogram_quantile(&histogram, 0.5), 0);
}
END_TEST

static const struct {
        uint64_t value;
        uint64_t least;
        uint64_t most;
} alone[] = {
        {0, 0, 0},
        {1, 1, 1},
        {1023, 1023, 1023},
        {2047, 2047, 2047},
        {2048, 2048, 2049},
        {1000000, 1000000, 1001000},
        {UINT64_C(60000000000), UINT64_C(60000000000), UINT64_C(60060000000)},
        {UINT64_MAX, (UINT64_C(1) << 40) - 1, (UINT64_C(1) << 40) - 1},
};

START_TEST(a_value_comes_out_as_it_is_or_by_a_thousandth_more)
{
        histogram_add(&histogram, alone[_i].value);
        ck_assert_uint_ge(histogram_quantile(&histogram, 0.5), alone[_i].least);
        ck_assert_uint_le(histogram_quantile(&histogram, 0.5), alone[_i].most);
}
END_TEST

static int
compare(const void *left, const void *right)
{
        uint64_t a = *(const uint64_t *)left;
        uint64_t b = *(const uint64_t *)right;

        return (a > b) - (a < b);
}

static const double parts[] = {0.0001, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0};

/* Values over many powers of two, as latencies are. */
START_TEST(a_quantile_is_that_of_the_sorted_values)
{
        static uint64_t values[N_VALUES];
        uint32_t random = 2463534242;

        for (int i = 0; i < N_VALUES; i++) {
                random ^= random << 13;
                random ^= random >> 17;
                random ^= random << 5;
                values[i] = random >> (random % 24);
                histogram_add(&histogram, values[i]);
        }
        qsort(values, N_VALUES, sizeof(values[0]), compare);
        size_t rank = (size_t)(parts[_i] * N_VALUES + 0.5);
        uint64_t exact = values[rank - 1];
        ck_assert_uint_ge(histogram_quantile(&histogram, parts[_i]), exact);
        ck_assert_uint_le(histogram_quantile(&histogram, parts[_i]), exact + exact / 1000);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("bench_histogram");
        TCase *tcase = tcase_create("histogram");

        tcase_add_checked_fixture(tcase, setup, NULL);
        tcase_add_test(tcase, a_quantile_of_nothing_is_0);
        tcase_add_loop_test(tcase, a_value_comes_out_as_it_is_or_by_a_thousandth_more, 0,
                            sizeof alone / sizeof alone[0]);
        tcase_add_loop_test(tcase, a_quantile_is_that_of_the_sorted_values, 0,
                            sizeof parts / sizeof parts[0]);
        suite_add_tcase(suite, tcase);
        return suite;
}
