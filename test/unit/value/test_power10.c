/*
 * The powers of ten, against exact ones: whole numbers of as many words as they need.
 */
#include <string.h>

#include "runner.h"
#include "value/power10.h"

enum { BIG_WORDS = 40 }; /* 1280 bits: a power takes 1100 at most */

/* A whole number, its lowest 32 bits first. */
struct big {
        uint32_t words[BIG_WORDS];
};

static void
big_multiply(struct big *big, uint32_t factor)
{
        uint64_t carry = 0;

        for (int i = 0; i < BIG_WORDS; i++) {
                carry += (uint64_t)big->words[i] * factor;
                big->words[i] = (uint32_t)carry;
                carry >>= 32;
        }
        ck_assert_uint_eq(carry, 0);
}

/* mantissa, that is less than the power's own by so much, times 10^tens times 2^twos. */
static struct big
big_of(struct power10 power, unsigned less, int tens, int twos)
{
        uint64_t low = power.low - less;
        uint64_t high = power.high - (power.low < less ? 1 : 0);
        struct big big = {
                {(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high, (uint32_t)(high >> 32)}};

        for (int i = 0; i < tens; i++)
                big_multiply(&big, 10);
        for (int i = 0; i < twos; i++)
                big_multiply(&big, 2);
        return big;
}

static int
big_compare(const struct big *a, const struct big *b)
{
        for (int i = BIG_WORDS - 1; i >= 0; i--) {
                if (a->words[i] != b->words[i])
                        return a->words[i] < b->words[i] ? -1 : 1;
        }
        return 0;
}

/* How a power, with less in its mantissa, compares with 10^n; both are multiplied until they are
 * whole. */
static int
power_compare(struct power10 power, unsigned less, int n)
{
        static const struct power10 one = {.low = 1};
        struct big ours =
                big_of(power, less, n < 0 ? -n : 0, power.exponent > 0 ? power.exponent : 0);
        struct big exact = big_of(one, 0, n > 0 ? n : 0, power.exponent < 0 ? -power.exponent : 0);

        return big_compare(&ours, &exact);
}

START_TEST(a_power_is_more_than_the_exact_one_by_two_at_most)
{
        for (int n = PIPIT__POWER10_MIN; n <= PIPIT__POWER10_MAX; n++) {
                struct power10 power = pipit__power10(n);

                ck_assert_uint_ge(power.high, UINT64_C(1) << 62);
                ck_assert_int_gt(power_compare(power, 0, n), 0);
                ck_assert_int_le(power_compare(power, 2, n), 0);
        }
}
END_TEST

START_TEST(a_product_has_all_its_bits)
{
        struct wide most = wide_multiply(UINT64_MAX, UINT64_MAX);
        struct wide one = wide_multiply(1, UINT64_MAX);
        struct wide mixed = wide_multiply(0x123456789abcdef0, 0xfedcba9876543210);

        ck_assert_uint_eq(most.high, UINT64_MAX - 1);
        ck_assert_uint_eq(most.low, 1);
        ck_assert_uint_eq(one.high, 0);
        ck_assert_uint_eq(one.low, UINT64_MAX);
        ck_assert_uint_eq(mixed.high, 0x121fa00ad77d7422);
        ck_assert_uint_eq(mixed.low, 0x236d88fe5618cf00);
}
END_TEST

Suite *
test_suite(void)
{
        Suite *suite = suite_create("power10");
        TCase *tcase = tcase_create("power10");

        tcase_add_test(tcase, a_power_is_more_than_the_exact_one_by_two_at_most);
        tcase_add_test(tcase, a_product_has_all_its_bits);
        suite_add_tcase(suite, tcase);
        return suite;
}
