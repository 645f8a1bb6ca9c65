"""Medians, quartiles, and whether a ratio can be judged at all.

A ratio is made of the two runs of one pair, which were next to each other, so that what else the
machine did touched both. What counts is the median of the pairs' ratios. Its spread is the middle
half of them, or all of them where there are fewer than five pairs.
"""

from __future__ import annotations

from dataclasses import dataclass

# A spread over this part of the median is too wide, unless all of it lies on one side of the bound.
TOO_WIDE = 0.15


def quantile(numbers, part):
    """Between two numbers, on the line between them."""
    ordered = sorted(numbers)
    place = part * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def median(numbers):
    return quantile(numbers, 0.5)


def spread(numbers):
    """The lower and the upper end of it."""
    if len(numbers) < 5:
        return min(numbers), max(numbers)
    return quantile(numbers, 0.25), quantile(numbers, 0.75)


def relative_spread(numbers):
    low, high = spread(numbers)
    middle = median(numbers)
    return (high - low) / middle if middle else 0.0


@dataclass
class Judged:
    """A ratio with all that is to be said about it."""

    median: float
    low: float
    high: float
    pairs: list
    at_least: float | None
    at_most: float | None
    verdict: str

    def bound(self):
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return f"<= {self.at_most:g}" if self.at_most is not None else ""


def verdict_of(n, middle, low, high, at_least, at_most):
    if n < 3:
        return "too few pairs"
    wide = (high - low) > TOO_WIDE * middle
    if at_least is not None:
        clear, kept = low >= at_least or high < at_least, middle >= at_least
    elif at_most is not None:
        clear, kept = high <= at_most or low > at_most, middle <= at_most
    else:
        return "too wide to judge" if wide else ""
    if wide and not clear:
        return "too wide to judge"
    return "kept" if kept else "MISSED"


def judge(numbers, bases, at_least=None, at_most=None):
    """The ratio of two lists of numbers, pair by pair."""
    pairs = [number / base for number, base in zip(numbers, bases) if base]
    middle = median(pairs)
    low, high = spread(pairs)
    verdict = verdict_of(len(pairs), middle, low, high, at_least, at_most)
    return Judged(middle, low, high, pairs, at_least, at_most, verdict)
