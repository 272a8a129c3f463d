"""State of the floor for the pacing: people, calls, estimates and limits. Seconds throughout."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import erfc, log, log1p, sqrt
from typing import Final

_CHANCE_MIN: Final = 1e-9
"""Chances this small are lost in the rounding of floating point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """How long something lasts, estimated from `count` cases; taken as log-normal, which talk times follow closely.

    L. Brown et al., Statistical analysis of a telephone call center, JASA 100 (2005): 36-50, section 4.2.
    """

    mean: float
    deviation: float
    count: int

    def ends_within(self, seconds: float, *, elapsed: float) -> float:
        """Return the probability that what has lasted `elapsed` ends within `seconds`."""
        still_on = self._chance_longer(elapsed)
        # Far beyond anything seen: nothing can be said, so it is taken to go on.
        if still_on <= _CHANCE_MIN:
            return 0.0
        return 1.0 - self._chance_longer(elapsed + seconds) / still_on

    def followed_by(self, other: Durations) -> Durations:
        """Return how long one after the other lasts, taken as independent."""
        # Variances add up; the estimate is as thin as the thinner of the two.
        deviation = sqrt(self.deviation**2 + other.deviation**2)
        return Durations(mean=self.mean + other.mean, deviation=deviation, count=min(self.count, other.count))

    def _chance_longer(self, seconds: float) -> float:
        """Return the probability of lasting longer than `seconds`: the upper tail of the log-normal."""
        if seconds <= 0:
            return 1.0
        if self.mean <= 0:
            return 0.0
        # The variance of the logarithm that gives this mean and deviation.
        spread = log1p((self.deviation / self.mean) ** 2)
        if spread <= 0:
            return 1.0 if seconds < self.mean else 0.0
        return 0.5 * erfc((log(seconds / self.mean) + spread / 2) / sqrt(2 * spread))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How often calls were answered by a person: `answered` of `attempts`.

    Count a call only once nobody can answer it any more, in the order of placing: answers come quickly and silences
    late, so that of calls still in the air too many or too few would seem to be answered.
    """

    answered: int
    attempts: int

    def upper_bound(self, z: float) -> float:
        """Return Wilson's upper bound: what it may well be at worst, as an answer is what can find nobody there."""
        # Nothing tried: every call may be answered.
        if self.attempts == 0:
            return 1.0
        share = self.answered / self.attempts
        extra = z * z / self.attempts
        half = z * sqrt(share * (1 - share) / self.attempts + extra / (4 * self.attempts))
        return min(1.0, (share + extra / 2 + half) / (1 + extra))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of the pacing. `cap` is the share of answered calls of a day that may find nobody within `patience`.

    Nobody is taken to answer less often than `least_answer`: so many calls would be in the air that a better hour
    could not be met. `surprise` is the chance that may be left of passing the day's cap. `caution` is the normal
    quantile by which the rate of answers is taken above what was seen (1.645: 95 %). Below `least_attempts` calls or
    `least_ends` ended talks the data are thin, and one call is placed per free person.
    """

    cap: float = 0.03
    patience: float = 2.0
    least_attempts: int = 60
    least_ends: int = 20
    surprise: float = 0.001
    least_answer: float = 0.05
    caution: float = 1.645

    def __post_init__(self) -> None:
        if not 0 <= self.cap < 1 or self.patience < 0:
            raise ValueError("The cap is a share from 0 to 1 and the patience is not negative.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """The floor at one moment. `talking` and `wrapping` hold how long each person has been at it.

    `ringing` are calls that nobody has answered yet; `waiting` were answered and still wait for somebody. `ring` is
    the time from dialling to an answer. `answered_today` and `abandoned_today` count since the day began.
    """

    free: int
    ringing: int
    answered_today: int
    abandoned_today: int
    rate: Rate
    ring: Durations
    talk: Durations
    wrap: Durations
    waiting: int = 0
    talking: tuple[float, ...] = field(default=())
    wrapping: tuple[float, ...] = field(default=())

    def __post_init__(self) -> None:
        if min(self.free, self.ringing, self.waiting, self.answered_today, self.abandoned_today) < 0:
            raise ValueError("People and calls are not negative.")
