/*
 * A power of ten is the product of one that the table has, each 27th, and of a power below 10^27,
 * which is a power of five in one word and a power of two. See power10.h.
 *
 * A mantissa of the table is the exact one, or the next greater one. The unit test compares all
 * powers with whole numbers of any size.
 */
#include "value/power10.h"

enum { POWER_STEP = 27, POWER_FIRST = -297 };

static const struct power10 powers[] = {
        {0xa76c582338ed2621, 0xaf2af2b80af6f24f, -1114}, /* 10^-297 */
        {0x873e4f75e2224e68, 0x5a7744a6e804a292, -1024},
        {0xda7f5bf590966848, 0xaf39a475506a899f, -935},
        {0xb080392cc4349dec, 0xbd8d794d96aacfb4, -845},
        {0x8e938662882af53e, 0x547eb47b7282ee9d, -755},
        {0xe65829b3046b0afa, 0x0cb4a5a3112a5113, -666},
        {0xba121a4650e4ddeb, 0x92f34d62616ce414, -576},
        {0x964e858c91ba2655, 0x3a6a07f8d510f870, -486},
        {0xf2d56790ab41c2a2, 0xfae27299423fb9c4, -397},
        {0xc428d05aa4751e4c, 0xaa97e14c3c26b887, -307},
        {0x9e74d1b791e07e48, 0x775ea264cf55347e, -217},
        {0x8000000000000000, 0x0000000000000000, -127}, /* 10^0 */
        {0xcecb8f27f4200f3a, 0x0000000000000000, -38},
        {0xa70c3c40a64e6c51, 0x999090b65f67d924, 52},
        {0x86f0ac99b4e8dafd, 0x69a028bb3ded71a4, 142},
        {0xda01ee641a708de9, 0xe80e6f4820cc9496, 231},
        {0xb01ae745b101e9e4, 0x5ec05dcff72e7f90, 321},
        {0x8e41ade9fbebc27d, 0x14588f13be847308, 411},
        {0xe5d3ef282a242e81, 0x8f1668c8a86da5fb, 500},
        {0xb9a74a0637ce2ee1, 0x6d953e2bd7173693, 590},
        {0x95f83d0a1fb69cd9, 0x4abdaf101564f98f, 680},
        {0xf24a01a73cf2dccf, 0xbc633b39673c8ced, 769},
        {0xc3b8358109e84f07, 0x0a862f80ec4700c9, 859},
        {0x9e19db92b4e31ba9, 0x6c07a2c26a8346d2, 949}, /* 10^324 */
};

static const uint64_t fives[POWER_STEP] = {
        1,
        5,
        25,
        125,
        625,
        3125,
        15625,
        78125,
        390625,
        1953125,
        9765625,
        48828125,
        244140625,
        1220703125,
        6103515625,
        30517578125,
        152587890625,
        762939453125,
        3814697265625,
        19073486328125,
        95367431640625,
        476837158203125,
        2384185791015625,
        11920928955078125,
        59604644775390625,
        298023223876953125,
        1490116119384765625,
};

struct power10
pipit__power10(int n)
{
        struct power10 power = powers[(n - POWER_FIRST) / POWER_STEP];
        int rest = (n - POWER_FIRST) % POWER_STEP;
        int zeros = __builtin_clzll(fives[rest]);
        struct wide high = wide_multiply(power.high, fives[rest] << zeros);
        struct wide low = wide_multiply(power.low, fives[rest] << zeros);

        /* The words of the product from the second on, one more than is exact. */
        uint64_t second = high.low + low.high;
        uint64_t first = high.high + (second < low.high ? 1 : 0);
        return (struct power10){first + (second == UINT64_MAX ? 1 : 0), second + 1,
                                power.exponent + rest - zeros + 64};
}
