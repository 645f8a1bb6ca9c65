"""The benchmark's statistics, and that its points are whole."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
import points  # noqa: E402
from ratios import judge, median, quantile, spread  # noqa: E402


class Statistics(unittest.TestCase):
    def test_a_median_is_the_middle_whatever_the_order(self):
        self.assertEqual(median([9, 1, 5]), 5)
        self.assertEqual(median([4, 1, 3, 2]), 2.5)

    def test_a_quartile_lies_between_its_neighbours(self):
        self.assertEqual(quantile([10, 20, 30, 40, 50], 0.25), 20)
        self.assertEqual(quantile([10, 20, 30, 40], 0.25), 17.5)

    def test_the_spread_of_few_is_all_of_them(self):
        self.assertEqual(spread([3, 1, 9]), (1, 9))
        self.assertEqual(spread([1, 2, 3, 4, 100]), (2, 4))

    def test_a_ratio_is_that_of_each_pair(self):
        judged = judge([10, 40, 90], [10, 20, 30])
        self.assertEqual(judged.pairs, [1, 2, 3])
        self.assertEqual(judged.median, 2)


class Verdicts(unittest.TestCase):
    def verdict(self, ratios, **bound):
        return judge(ratios, [1] * len(ratios), **bound).verdict

    def test_a_narrow_ratio_is_judged_by_its_median(self):
        self.assertEqual(self.verdict([0.89, 0.91, 0.92], at_least=0.90), "kept")
        self.assertEqual(self.verdict([0.87, 0.89, 0.91], at_least=0.90), "MISSED")
        self.assertEqual(self.verdict([1.24, 1.25, 1.26], at_most=1.25), "kept")
        self.assertEqual(self.verdict([1.24, 1.26, 1.27], at_most=1.25), "MISSED")

    def test_a_wide_ratio_is_not_judged(self):
        self.assertEqual(self.verdict([0.8, 1.0, 1.2], at_least=0.90), "too wide to judge")
        self.assertEqual(self.verdict([0.8, 1.0, 1.2], at_most=1.1), "too wide to judge")
        self.assertEqual(self.verdict([0.8, 1.0, 1.2]), "too wide to judge")

    def test_two_pairs_are_not_judged(self):
        self.assertEqual(self.verdict([1.0, 1.0], at_least=0.90), "too few pairs")

    def test_a_wide_ratio_on_one_side_of_the_bound_is_clear(self):
        self.assertEqual(self.verdict([1.8, 2.0, 3.0], at_least=1.5), "kept")
        self.assertEqual(self.verdict([0.2, 0.5, 0.8], at_least=0.9), "MISSED")
        self.assertEqual(self.verdict([2.0, 3.0, 4.0], at_most=1.25), "MISSED")


class Points(unittest.TestCase):
    def test_every_ratio_is_of_two_members_of_its_group(self):
        for group in points.groups():
            for ratio in group.ratios:
                self.assertIn(ratio.member, group.members)
                self.assertIn(ratio.base, group.members)

    def test_one_workload_brings_what_its_ratios_need_and_no_more(self):
        group = points.only("get")[0]
        self.assertIn(points.m("get"), group.members)
        self.assertIn(points.m("select", points.SHARED), group.members)
        self.assertNotIn(points.m("insert"), group.members)
        self.assertNotIn(points.m("select", "pgbench"), group.members)

    def test_no_group_is_empty_but_for_what_does_not_exist(self):
        self.assertEqual(points.only("nothing"), [])
        for group in points.groups():
            self.assertEqual(len(set(group.members)), len(group.members))


if __name__ == "__main__":
    unittest.main()
