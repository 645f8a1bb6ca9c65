/*
 * A numeric in binary form is groups of four decimal digits, the place of the first group, a sign,
 * and how many digits are shown behind the point. See binary_numeric.h.
 */
#include "value/binary_numeric.h"

enum {
        SIGN_PLUS = 0x0000,
        SIGN_MINUS = 0x4000,
        SIGN_NAN = 0xC000,
        SIGN_INFINITY = 0xD000,
        SIGN_MINUS_INFINITY = 0xF000,
        GROUP_DIGITS = 4,
        GROUP_LIMIT = 10000,
        SCALE_MAX = 16383
};

struct numeric {
        int n_groups;
        int weight;            /* of the first group, as a power of 10000 */
        uint16_t sign;         /* one of SIGN_* */
        int scale;             /* digits that are shown behind the point */
        const uint8_t *groups; /* two bytes each; borrowed from the reader */
};

/* Returns the group of a weight; 0 if there is none. A single group 1 may be 1, 10000 or 0.0001. */
static int
numeric_group(const struct numeric *numeric, int weight)
{
        int i = numeric->weight - weight;

        if (i < 0 || i >= numeric->n_groups)
                return 0;
        return numeric->groups[2 * i] << 8 | numeric->groups[2 * i + 1];
}

/* Reads a numeric; false if the value is none. */
static bool
numeric_read(struct reader *in, struct numeric *ret)
{
        struct numeric numeric = {.n_groups = reader_u16(in)};

        numeric.weight = reader_i16(in);
        numeric.sign = reader_u16(in);
        numeric.scale = reader_u16(in);
        numeric.groups = reader_take(in, 2 * (size_t)numeric.n_groups);
        if (numeric.groups == NULL)
                return false;
        for (int i = 0; i < numeric.n_groups; i++) {
                if (numeric_group(&numeric, numeric.weight - i) >= GROUP_LIMIT)
                        return false;
        }
        *ret = numeric;
        return numeric.scale <= SCALE_MAX;
}

static void
numeric_group_digits(int group, char digits[GROUP_DIGITS])
{
        for (int i = GROUP_DIGITS - 1; i >= 0; i--, group /= 10)
                digits[i] = (char)('0' + group % 10);
}

/* Writes all groups in front of the point, at least one digit. */
static void
numeric_write_whole(const struct numeric *numeric, struct buf *out)
{
        char digits[GROUP_DIGITS];
        int skip = 0;
        int first = numeric->weight > 0 ? numeric->weight : 0;

        numeric_group_digits(numeric_group(numeric, first), digits);
        while (skip < GROUP_DIGITS - 1 && digits[skip] == '0')
                skip++;
        pipit__buf_add(out, digits + skip, (size_t)(GROUP_DIGITS - skip));
        for (int weight = first - 1; weight >= 0; weight--) {
                numeric_group_digits(numeric_group(numeric, weight), digits);
                pipit__buf_add(out, digits, GROUP_DIGITS);
        }
}

static void
numeric_write_fraction(const struct numeric *numeric, struct buf *out)
{
        char digits[GROUP_DIGITS];
        int weight = -1;

        for (int left = numeric->scale; left > 0; left -= GROUP_DIGITS, weight--) {
                numeric_group_digits(numeric_group(numeric, weight), digits);
                pipit__buf_add(out, digits, (size_t)(left < GROUP_DIGITS ? left : GROUP_DIGITS));
        }
}

static void
numeric_write_finite(const struct numeric *numeric, struct buf *out)
{
        if (numeric->sign == SIGN_MINUS)
                pipit__buf_add_char(out, '-');
        numeric_write_whole(numeric, out);
        if (numeric->scale > 0)
                pipit__buf_add_char(out, '.');
        numeric_write_fraction(numeric, out);
}

void
pipit__binary_write_numeric(struct reader *in, struct buf *out)
{
        struct numeric numeric;

        if (!numeric_read(in, &numeric)) {
                reader_fail(in);
                return;
        }
        switch (numeric.sign) {
        case SIGN_PLUS:
        case SIGN_MINUS: numeric_write_finite(&numeric, out); break;
        case SIGN_NAN: pipit__buf_add_text(out, "NaN"); break;
        case SIGN_INFINITY: pipit__buf_add_text(out, "Infinity"); break;
        case SIGN_MINUS_INFINITY: pipit__buf_add_text(out, "-Infinity"); break;
        default: reader_fail(in); break;
        }
}
