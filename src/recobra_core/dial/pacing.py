"""Predictive pacing: place as many calls as the people who are free, or soon will be, can take.

At each moment X calls of those ringing and new will be answered, and Y people will be there for them: the free, and
those who end talk and notes before an answer can come. As many calls are placed as keep

1. the calls expected to find nobody, E[(X - Y)+], within the cap of the calls expected to be answered, E[X];
2. the chance below `surprise` that more find nobody than the day's cap still allows, counted from what has happened.

The second rule makes the cap hold for the day and not only on average: nothing may be lost before something was won,
so that a day begins one call per free person, and goes back to it whenever the cap is near. X and Y are sums of
independent chances and taken as normal with a correction for whole numbers. The idea of pacing on the people who are
about to be free: D. A. Samuelson, Predictive dialing for outbound telephone call centers, Interfaces 29 (1999): 66-81.
The cap of 3 % of answered calls and the two seconds: United States, 16 CFR 310.4(b)(4); kept here over each day.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erfc, exp, floor, pi, sqrt
from typing import Final, Literal

from recobra_core.dial.state import Floor, Limits

Mode = Literal["predictive", "progressive"]
Why = Literal["", "thin_data", "cap_near", "nobody_soon"]
MOST_AT_ONCE: Final = 400
"""The most calls that are placed at one moment, so that the search has an end."""
_EARLY: Final = 0.5
"""An answer may come early: who ends within half the mean time to an answer counts as there for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """How many calls to place now; `why` says why the mode is not predictive."""

    calls: int
    mode: Mode
    why: Why = ""


def pace_calls(state: Floor, *, limits: Limits | None = None) -> Decision:
    """Return how many calls to place now. Never fewer than one per free person not yet dialled for.

    The caller counts each call against the law's limits before placing it, and places none out of hours.
    """
    limits = limits or Limits()
    one_each = max(0, state.free - state.ringing - state.waiting)
    if state.rate.attempts < limits.least_attempts or state.talk.count < limits.least_ends:
        return Decision(calls=one_each, mode="progressive", why="thin_data")
    # Whole calls that may still find nobody today.
    abandonments_left = floor(limits.cap * state.answered_today) - state.abandoned_today
    if abandonments_left < 1:
        return Decision(calls=one_each, mode="progressive", why="cap_near")
    answer_rate = max(limits.least_answer, state.rate.upper_bound(limits.caution))
    people, variance = _expect_people(state, limits)
    # Hardly anybody will be free when the answers come.
    if people <= limits.cap:
        return Decision(calls=one_each, mode="progressive", why="nobody_soon")

    forecast = _Forecast(answer_rate=answer_rate, people=people, variance=variance, abandonments_left=abandonments_left)
    # Both rules only get tighter with more calls in the air, so the most that keep them can be halved towards.
    low = 0
    high = state.ringing + MOST_AT_ONCE
    while low < high:
        middle = (low + high + 1) // 2
        if forecast.keeps_rules(middle, limits):
            low = middle
        else:
            high = middle - 1
    return Decision(calls=max(one_each, low - state.ringing), mode="predictive")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Forecast:
    """What to expect when the answers come: mean and variance of the people there, and the calls that may be lost."""

    answer_rate: float
    people: float
    variance: float
    abandonments_left: int

    def keeps_rules(self, calls: int, limits: Limits) -> bool:
        """Tell if so many calls in the air keep both rules of the module."""
        gap = calls * self.answer_rate - self.people
        deviation = sqrt(calls * self.answer_rate * (1 - self.answer_rate) + self.variance)
        abandoned = _expected_excess(gap, deviation)
        surprise = _chance_above(self.abandonments_left, gap, deviation)
        return abandoned <= limits.cap * calls * self.answer_rate and surprise <= limits.surprise


def _expect_people(state: Floor, limits: Limits) -> tuple[float, float]:
    """Return mean and variance of the people who will be there when an answer comes."""
    seconds = state.ring.mean * _EARLY + limits.patience
    talk_and_wrap = state.talk.followed_by(state.wrap)
    chances = [talk_and_wrap.ends_within(seconds, elapsed=elapsed) for elapsed in state.talking]
    chances += [state.wrap.ends_within(seconds, elapsed=elapsed) for elapsed in state.wrapping]
    mean = state.free + sum(chances) - state.waiting
    variance = sum(chance * (1 - chance) for chance in chances)
    return mean, variance


def _expected_excess(gap: float, deviation: float) -> float:
    """Return E[(X - Y)+] of a normal difference with this mean and deviation."""
    if deviation <= 0:
        return max(0.0, gap)
    z = gap / deviation
    return deviation * exp(-z * z / 2) / sqrt(2 * pi) + gap * 0.5 * erfc(-z / sqrt(2))


def _chance_above(count: int, gap: float, deviation: float) -> float:
    """Return the chance that more than `count` calls find nobody."""
    if deviation <= 0:
        return 1.0 if gap > count else 0.0
    # Half a call more: the correction for whole numbers.
    return 0.5 * erfc((count + 0.5 - gap) / (deviation * sqrt(2)))
