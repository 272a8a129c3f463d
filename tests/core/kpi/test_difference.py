"""Differences between groups, against published figures."""

import pytest

from recobra_core.kpi.difference import Amounts, judge_difference, means_difference, shares_difference, wilson_interval

# R. G. Newcombe, Statistics in Medicine 17 (1998): 873-890, table II, method 10.
NEWCOMBE = [
    ((56, 70), (48, 80), 0.0524, 0.3339),
    ((9, 10), (3, 10), 0.1705, 0.8090),
    ((6, 7), (2, 7), 0.0582, 0.8062),
    ((5, 56), (0, 29), -0.0381, 0.1926),
    ((0, 10), (0, 20), -0.1611, 0.2775),
    ((0, 10), (0, 10), -0.2775, 0.2775),
    ((10, 10), (0, 20), 0.6791, 1.0000),
    ((10, 10), (0, 10), 0.6075, 1.0000),
]
# The same, pages 857-872, table I, method 3.
WILSON = [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]


@pytest.mark.parametrize(("treated", "control", "low", "high"), NEWCOMBE)
def test_the_difference_of_shares_is_newcombes(treated, control, low, high):
    found = shares_difference(treated=treated, control=control)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@pytest.mark.parametrize(("successes", "count", "low", "high"), WILSON)
def test_a_share_has_wilsons_interval(successes, count, low, high):
    found = wilson_interval(successes=successes, count=count)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


def of(*paid):
    return Amounts(count=len(paid), total=sum(paid), squares=sum(each * each for each in paid))


def test_the_difference_of_means_is_welchs():
    treated, control = of(*[0, 300] * 50), of(*[0, 100] * 50)
    found = means_difference(treated=treated, control=control)
    # Variances 22727.27 and 2525.25: standard error sqrt(252.5253) = 15.8911.
    assert found.estimate == 100
    assert round(found.low, 3) == round(100 - 1.959964 * 15.8911, 3)
    assert means_difference(treated=of(1, 2), control=control) is None


def test_large_amounts_lose_nothing_in_the_sums():
    base = 10**15
    assert of(*(base + each for each in (0, 2, 4))).variance == 4


@pytest.mark.parametrize(
    ("treated", "control", "finding"),
    [
        ((300, 1000), (200, 1000), "better"),
        ((200, 1000), (300, 1000), "worse"),
        ((5, 20), (0, 20), "not_enough"),
        ((25, 100), (20, 100), "not_enough"),
        ((3000, 10000), (3010, 10000), "no_difference"),
    ],
)
def test_a_wide_interval_is_not_enough_to_say_anything(treated, control, finding):
    smallest = min(treated[1], control[1])
    assert judge_difference(shares_difference(treated=treated, control=control), smallest=smallest) == finding


@pytest.mark.parametrize(("successes", "count"), [(0, 0), (3, 2), (-1, 5)])
def test_what_is_no_share_is_refused(successes, count):
    with pytest.raises(ValueError, match="no share"):
        wilson_interval(successes=successes, count=count)
