"""What lib/value/shortest.c takes for granted about all numbers, by exact arithmetic."""

import unittest
from fractions import Fraction

EXPONENTS = range(-1074, 972)
MOST = 4 * (2**53 - 1) + 2  # quarters


def log10(exponent, narrow):
    """binary_log10(), with its constants."""
    return (1262611 * exponent - (524031 if narrow else 0)) >> 22


def closest(ratio, most):
    """How near a product of 1 to most and the ratio comes to a whole number that it is not: that of
    the last convergent of its continued fraction whose denominator is no more."""
    whole, last_whole, part, last_part = 1, 0, 0, 1
    rest, divisor = ratio.numerator, ratio.denominator
    distance = ratio.denominator
    while divisor:
        quotient, remainder = divmod(rest, divisor)
        whole, last_whole = quotient * whole + last_whole, whole
        part, last_part = quotient * part + last_part, part
        if part > most:
            break
        rest, divisor = divisor, remainder
        distance = abs(ratio.numerator * part - ratio.denominator * whole) or distance
    return Fraction(distance, ratio.denominator)


class Closest(unittest.TestCase):
    def test_the_power_of_ten_is_the_greatest_in_the_gap(self):
        for exponent in EXPONENTS:
            for narrow in (False, True):
                gap = Fraction(2) ** exponent * (Fraction(3, 4) if narrow else 1)
                power = Fraction(10) ** log10(exponent, narrow)
                self.assertTrue(power <= gap < 10 * power, (exponent, narrow))

    def test_a_fraction_is_told_from_the_error_of_a_power(self):
        for exponent in EXPONENTS:
            for narrow in (False, True):
                power = Fraction(10) ** -log10(exponent, narrow)
                ratio = power * Fraction(2) ** exponent
                # A mantissa has 127 bits at least, and is 2 too large at most.
                error = MOST * ratio * Fraction(2, 2**126)
                self.assertLess(error, Fraction(1, 2**66))
                self.assertGreater(closest(ratio, MOST), Fraction(1, 2**66))


if __name__ == "__main__":
    unittest.main()
