/*
 * The shortest text is the nearest one of those with the fewest digits that are read back as the
 * same number. See shortest.h.
 *
 * There is one exception, which is the server's: a text exactly in the middle between two numbers
 * is not taken, since reading it back would depend on how the reader rounds. Nothing depends on the
 * locale, and nothing is tried: a number is multiplied by the one power of ten that leaves one
 * digit too many or none, as Raffaello Giulietti's "The Schubfach way to render doubles" shows.
 */
#include "value/shortest.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "value/number.h"
#include "value/power10.h"

/* A format is one of IEEE 754's, and how its numbers are written. */
struct format {
        int sign_bit;
        int fraction_bits;
        int bias;  /* of the exponent, when the mantissa is a whole number */
        int limit; /* numbers from 10 to this power on are written with an exponent */
};

/* The server's own limits. */
static const struct format single_format = {31, 23, 150, 6};
static const struct format double_format = {63, 52, 1075, 15};
/* The integer types read no exponent. Below 10^16 all digits of a whole number are exact. */
static const struct format param_format = {63, 52, 1075, 16};

/* A positive finite number is a mantissa times 2 to the power of an exponent. */
struct binary {
        uint64_t mantissa;
        int exponent;
        bool narrow; /* a power of two: the next number below is half as far as the one above */
};

/* A decimal is its digits times 10 to the power of its exponent. */
struct decimal {
        uint64_t digits;
        int exponent;
};

/* A number and the middles to its neighbours, in quarters of a power of ten. */
struct quarters {
        uint64_t low;
        uint64_t number;
        uint64_t high;
};

/* Returns the mantissa and the exponent of a number that is finite and not 0; bits have no sign. */
static struct binary
binary_of(uint64_t bits, const struct format *format)
{
        uint64_t hidden = UINT64_C(1) << format->fraction_bits;
        uint64_t fraction = bits & (hidden - 1);
        int exponent = (int)(bits >> format->fraction_bits);

        if (exponent == 0)
                return (struct binary){fraction, 1 - format->bias, false};
        return (struct binary){hidden | fraction, exponent - format->bias,
                               fraction == 0 && exponent > 1};
}

/*
 * Returns the greatest k for which 10^k is no more than the width between the middles: 2^exponent,
 * or three quarters of that. The constants are the logarithms times 2^22; they are good for all
 * exponents that there are.
 */
static int
binary_log10(const struct binary *binary)
{
        int64_t above = INT64_C(1262611) * binary->exponent - (binary->narrow ? 524031 : 0);

        return (int)((above + ((int64_t)324 << 22)) >> 22) - 324;
}

/*
 * Returns a number of quarters times the power, divided by 2^128: exactly, or the odd one of the
 * two whole numbers around it, so that it compares with even numbers as the product does.
 *
 * The power's error makes the product less than 2^-67 too large. What comes nearest to a whole
 * number without being one is 2^-65.5 away from it, of all mantissas and exponents, as continued
 * fractions tell. So a fraction below 2^-66 is none.
 */
static uint64_t
quarters_scale(uint64_t quarters, const struct power10 *power)
{
        struct wide high = wide_multiply(quarters, power->high);
        struct wide low = wide_multiply(quarters, power->low);
        uint64_t fraction = high.low + low.high;
        uint64_t whole = high.high + (fraction < low.high ? 1 : 0);

        return whole | (fraction != 0 || low.low >> 62 != 0 ? 1 : 0);
}

/* Returns a number and its middles in quarters of 10^k, each less than 2^60. */
static struct quarters
quarters_of(const struct binary *binary, int k)
{
        struct power10 power = pipit__power10(-k);
        int shift = binary->exponent + power.exponent + 128;
        uint64_t four = 4 * binary->mantissa;

        return (struct quarters){
                .low = quarters_scale((four - (binary->narrow ? 1 : 2)) << shift, &power),
                .number = quarters_scale(four << shift, &power),
                .high = quarters_scale((four + 2) << shift, &power),
        };
}

/* Whether a whole number is read back, because it is between the middles. */
static bool
quarters_hold(const struct quarters *quarters, uint64_t whole)
{
        return quarters->low < 4 * whole && 4 * whole < quarters->high;
}

/*
 * Returns the whole number that has the fewest digits of those between the middles, or of two the
 * nearer one. There is at least one and there are less than ten of them. So at most one ends in 0,
 * and if one does, every shorter text is the same number.
 */
static uint64_t
quarters_choose(const struct quarters *quarters)
{
        uint64_t below = quarters->number / 4;
        uint64_t tens = below - below % 10;

        if (quarters_hold(quarters, tens))
                return tens;
        if (quarters_hold(quarters, tens + 10))
                return tens + 10;
        bool holds_below = quarters_hold(quarters, below);
        if (holds_below != quarters_hold(quarters, below + 1))
                return holds_below ? below : below + 1;
        uint64_t middle = 4 * below + 2;
        if (quarters->number == middle)
                return below + below % 2;
        return quarters->number < middle ? below : below + 1;
}

static struct decimal
decimal_of(const struct binary *binary)
{
        int k = binary_log10(binary);
        struct quarters quarters = quarters_of(binary, k);
        struct decimal decimal = {quarters_choose(&quarters), k};

        for (; decimal.digits % 10 == 0; decimal.digits /= 10)
                decimal.exponent++;
        return decimal;
}

static char *
text_write(char *out, const char *text, int n)
{
        memcpy(out, text, (size_t)n);
        return out + n;
}

static char *
zeros_write(char *out, int n)
{
        memset(out, '0', (size_t)n);
        return out + n;
}

/* Writes digits with the point behind so many of them, and zeros where there are none. */
static char *
digits_write(char *out, const char *digits, int n_digits, int point)
{
        if (point <= 0) {
                out = zeros_write(text_write(out, "0.", 2), -point);
                return text_write(out, digits, n_digits);
        }
        if (point >= n_digits)
                return zeros_write(text_write(out, digits, n_digits), point - n_digits);
        out = text_write(out, digits, point);
        *out++ = '.';
        return text_write(out, digits + point, n_digits - point);
}

/* Writes an exponent with its sign and two digits at least, as "e-05". */
static char *
exponent_write(char *out, int exponent)
{
        uint64_t size = (uint64_t)abs(exponent);

        *out++ = 'e';
        *out++ = exponent < 0 ? '-' : '+';
        if (size < 10)
                *out++ = '0';
        return out + pipit__number_write_uint(size, out);
}

/* Writes a decimal, with an exponent if its first digit stands before 1e-4 or from the limit on. */
static char *
decimal_write(char *out, struct decimal decimal, int limit)
{
        char digits[PIPIT__NUMBER_SIZE];
        int n_digits = (int)pipit__number_write_uint(decimal.digits, digits);
        int exponent = decimal.exponent + n_digits - 1;

        if (exponent >= -4 && exponent < limit)
                return digits_write(out, digits, n_digits, exponent + 1);
        return exponent_write(digits_write(out, digits, n_digits, 1), exponent);
}

static size_t
number_write(uint64_t bits, const struct format *format, char *out)
{
        uint64_t sign = UINT64_C(1) << format->sign_bit;
        uint64_t infinity = sign - (UINT64_C(1) << format->fraction_bits);
        uint64_t magnitude = bits & (sign - 1);
        char *end = out;

        if (magnitude <= infinity && (bits & sign) != 0)
                *end++ = '-';
        if (magnitude > infinity) {
                end = text_write(end, "NaN", 3);
        } else if (magnitude == infinity) {
                end = text_write(end, "Infinity", 8);
        } else if (magnitude == 0) {
                *end++ = '0';
        } else {
                struct binary binary = binary_of(magnitude, format);
                end = decimal_write(end, decimal_of(&binary), format->limit);
        }
        *end = '\0';
        return (size_t)(end - out);
}

static uint64_t
double_bits(double number)
{
        uint64_t bits = 0;

        memcpy(&bits, &number, sizeof bits);
        return bits;
}

size_t
pipit__shortest_float(float number, char *out)
{
        uint32_t bits = 0;

        memcpy(&bits, &number, sizeof bits);
        return number_write(bits, &single_format, out);
}

size_t
pipit__shortest_double(double number, char *out)
{
        return number_write(double_bits(number), &double_format, out);
}

size_t
pipit__shortest_param(double number, char *out)
{
        return number_write(double_bits(number), &param_format, out);
}
