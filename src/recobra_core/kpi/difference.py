"""Differences between two groups and how sure they are: for control groups and variants.

Shares: Wilson's score interval for one, Newcombe's hybrid score interval (method 10) for their difference
(R. G. Newcombe, Statistics in Medicine 17, 1998: 857-872 and 873-890). Amounts: Welch's interval for the difference of
two means with the normal quantile, fit for groups of some hundreds; for fewer than LEAST_FOR_AMOUNTS there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final, Literal

Z95: Final = 1.959963984540054
LEAST_FOR_AMOUNTS: Final = 30
LEAST_IN_A_GROUP: Final = 30
WIDE: Final = 0.04
"""An interval of shares wider than this (four points of a hundred) that holds zero says nothing either way."""

Conclusion = Literal["better", "worse", "no_difference", "not_enough"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with its 95 % interval, in the unit of what was compared."""

    estimate: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """Return the distance between the two ends."""
        return self.high - self.low

    @property
    def holds_zero(self) -> bool:
        """Tell if zero lies within the interval, so that there may be no difference."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """What a group of `count` members paid, those with nothing included: sum and sum of squares, in minor units."""

    count: int
    total: int
    squares: int

    @property
    def mean(self) -> float:
        """Return the mean per member."""
        return self.total / self.count

    @property
    def variance(self) -> float:
        """Return the unbiased variance; the sums are whole numbers, so nothing cancels."""
        return (self.squares * self.count - self.total**2) / (self.count * (self.count - 1))


def wilson_interval(*, successes: int, count: int, z: float = Z95) -> Interval:
    """Return a share with Wilson's score interval. Raises ValueError where there is nobody."""
    if not 0 <= successes <= count or count == 0:
        raise ValueError(f"{successes} of {count} is no share.")
    share = successes / count
    spread = z * z / count
    center = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return Interval(estimate=share, low=max(0.0, center - half), high=min(1.0, center + half))


def shares_difference(*, treated: tuple[int, int], control: tuple[int, int], z: float = Z95) -> Interval:
    """Return the difference of two shares (successes, count), treated less control, by Newcombe's method 10."""
    treated_successes, treated_count = treated
    control_successes, control_count = control
    left = wilson_interval(successes=treated_successes, count=treated_count, z=z)
    right = wilson_interval(successes=control_successes, count=control_count, z=z)
    gap = left.estimate - right.estimate
    # The difference is lowest where the treated share is at its lower end and the control's at its upper one.
    below = sqrt((left.estimate - left.low) ** 2 + (right.high - right.estimate) ** 2)
    above = sqrt((left.high - left.estimate) ** 2 + (right.estimate - right.low) ** 2)
    return Interval(estimate=gap, low=gap - below, high=gap + above)


def means_difference(*, treated: Amounts, control: Amounts, z: float = Z95) -> Interval | None:
    """Return the difference of what members pay on average, treated less control; None for small groups."""
    if min(treated.count, control.count) < LEAST_FOR_AMOUNTS:
        return None
    gap = treated.mean - control.mean
    half = z * sqrt(treated.variance / treated.count + control.variance / control.count)
    return Interval(estimate=gap, low=gap - half, high=gap + half)


def judge_difference(difference: Interval, *, smallest: int) -> Conclusion:
    """Return the conclusion that a difference of shares allows; `smallest` is the size of the smaller group."""
    if smallest < LEAST_IN_A_GROUP:
        return "not_enough"
    if not difference.holds_zero:
        return "better" if difference.low > 0 else "worse"
    # Zero within a narrow interval is a finding; within a wide one it is ignorance.
    return "not_enough" if difference.width > WIDE else "no_difference"
