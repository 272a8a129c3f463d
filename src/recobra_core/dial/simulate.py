"""Simulation of a day on the telephone as discrete events: what a pacing does to people's time and to who picks up.

The pacing sees only what it could know on a real day: rates and durations so far, never the true ones. The same scene
and seed give the same day.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import log, log1p, sqrt
from random import Random
from typing import Final, NamedTuple

from recobra_core.dial.pacing import Decision, pace_calls
from recobra_core.dial.state import Durations, Floor, Limits, Rate

Pacing = Callable[[Floor], Decision]
_SECONDS_AN_HOUR: Final = 3600
_TICK: Final = 1.0
_RING_SHAPE: Final = 3.0
"""Shape of the gamma distribution of ringing times: most answers come early and a few late."""
_WORST_AFTER: Final = 100
"""Answers after which the share that found nobody is steady enough to look for its worst."""
_RECENT_MOST: Final = 400  # the newest cases from which rates and durations are estimated


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The true rates and durations of a day, which the pacing does not know, in seconds.

    `later_rate` holds from the middle of the day on.
    """

    agents: int
    answer_rate: float
    talk_mean: float = 150.0
    talk_variation: float = 0.9
    wrap_mean: float = 25.0
    wrap_variation: float = 0.6
    ring_mean: float = 9.0
    ring_most: float = 25.0
    hours: float = 8.0
    later_rate: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """Outcome of a day.

    `used` is the share of people's time in talk and notes; `worst` the largest share of answered calls that had found
    nobody at any moment after the first hundred answers.
    """

    attempts: int
    answered: int
    abandoned: int
    used: float
    worst: float

    @property
    def abandonment(self) -> float:
        """Return the share of answered calls that found nobody in time."""
        return self.abandoned / self.answered if self.answered else 0.0


def pace_progressively(state: Floor) -> Decision:
    """Place one call per free person, so that somebody is there for everybody who picks up."""
    return Decision(calls=max(0, state.free - state.ringing - state.waiting), mode="progressive")


def predictive_pacing(limits: Limits | None = None) -> Pacing:
    """Return the predictive pacing of `pace_calls` under some limits."""
    return lambda state: pace_calls(state, limits=limits)


def simulate_day(scene: Scene, *, pacing: Pacing, seed: int, patience: float = 2.0) -> Day:
    """Return the outcome of a day."""
    return _Simulation(scene=scene, pacing=pacing, random=Random(seed), patience=patience).run()  # noqa: S311 - no secret


@dataclass(slots=True)
class _Recent:
    """The newest durations of a kind."""

    values: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT_MOST))
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """Add a duration; past _RECENT_MOST of them the oldest one goes."""
        # Running sums: the pacing asks at every event.
        if len(self.values) == _RECENT_MOST:
            oldest = self.values.popleft()
            self.total -= oldest
            self.squares -= oldest * oldest
        self.values.append(value)
        self.total += value
        self.squares += value * value

    def to_durations(self) -> Durations:
        """Return what can be estimated from the newest durations; zeros where there are none."""
        count = len(self.values)
        if count == 0:
            return Durations(mean=0.0, deviation=0.0, count=0)
        mean = self.total / count
        # The difference of two large sums may come out just below zero.
        variance = max(0.0, self.squares / count - mean * mean)
        return Durations(mean=mean, deviation=sqrt(variance), count=count)


class _Event(NamedTuple):
    """Something that will happen; events are ordered by their time and, at the same time, by their key."""

    at: float
    key: int
    kind: str
    value: float


class _PlacedCall(NamedTuple):
    """A call by the key of the event that ends its ringing, and when it was placed."""

    placed_at: float
    key: int


@dataclass(slots=True)
class _Simulation:
    """A day in progress. An event of a kind is handled by the method `_on_<kind>`.

    `placed` holds the calls whose ringing may not be over, oldest first; `tries` whether the newest calls were
    answered, and `hits` how many of those were; `answers` the keys of answered calls that are not counted yet.
    `talking` and `wrapping` hold since when each person has been at it, by the key of the event that ends it.
    """

    scene: Scene
    pacing: Pacing
    random: Random
    patience: float
    now: float = 0.0
    events: list[_Event] = field(default_factory=list)
    order: int = 0
    free: int = 0
    ringing: int = 0
    waiting: deque[int] = field(default_factory=deque)
    talking: dict[int, float] = field(default_factory=dict)
    wrapping: dict[int, float] = field(default_factory=dict)
    placed: deque[_PlacedCall] = field(default_factory=deque)
    tries: deque[bool] = field(default_factory=lambda: deque(maxlen=_RECENT_MOST))
    hits: int = 0
    answers: set[int] = field(default_factory=set)
    rings: _Recent = field(default_factory=_Recent)
    talks: _Recent = field(default_factory=_Recent)
    wraps: _Recent = field(default_factory=_Recent)
    attempts: int = 0
    answered: int = 0
    abandoned: int = 0
    busy: float = 0.0
    worst: float = 0.0

    def run(self) -> Day:
        """Handle one event after the other; no calls are placed after the end, those in the air are finished."""
        self.free = self.scene.agents
        end = self.scene.hours * _SECONDS_AN_HOUR
        self._schedule(0.0, "tick")
        while self.events:
            event = heapq.heappop(self.events)
            self.now = event.at
            handle = getattr(self, f"_on_{event.kind}")
            handle(event.key, event.value)
            if self.now < end:
                self._place_calls()
                if event.kind == "tick":
                    self._schedule(_TICK, "tick")
        used = min(1.0, self.busy / (self.scene.agents * max(end, self.now)))
        return Day(
            attempts=self.attempts, answered=self.answered, abandoned=self.abandoned, used=used, worst=self.worst
        )

    def _schedule(self, after: float, kind: str, value: float = 0.0) -> int:
        """Plan an event some seconds from now; return its key, which stands for the call or the person it ends."""
        # The key parts events of the same instant.
        self.order += 1
        heapq.heappush(self.events, _Event(at=self.now + after, key=self.order, kind=kind, value=value))
        return self.order

    def _place_calls(self) -> None:
        """Place as many calls as the pacing asks for, and draw for each whether and when it will be answered."""
        rate = self.scene.answer_rate
        middle_of_day = self.scene.hours * _SECONDS_AN_HOUR / 2
        if self.scene.later_rate is not None and self.now > middle_of_day:
            rate = self.scene.later_rate
        decision = self.pacing(self._observe_floor())
        for _call in range(decision.calls):
            self.attempts += 1
            self.ringing += 1
            if self.random.random() < rate:
                rings = self.random.gammavariate(_RING_SHAPE, self.scene.ring_mean / _RING_SHAPE)
                # An answer always comes before the call would be given up as silent.
                rings = min(self.scene.ring_most - 0.1, rings)
                call = self._schedule(rings, "answer", rings)
            else:
                call = self._schedule(self.scene.ring_most, "silence")
            self.placed.append(_PlacedCall(placed_at=self.now, key=call))

    def _observe_floor(self) -> Floor:
        """Return the state of the floor as the pacing may know it: estimates, not the true rates."""
        self._count_finished_calls()
        return Floor(
            free=self.free,
            ringing=self.ringing,
            waiting=len(self.waiting),
            answered_today=self.answered,
            abandoned_today=self.abandoned,
            rate=Rate(answered=self.hits, attempts=len(self.tries)),
            ring=self.rings.to_durations(),
            talk=self.talks.to_durations(),
            wrap=self.wraps.to_durations(),
            talking=tuple(self.now - began for began in self.talking.values()),
            wrapping=tuple(self.now - began for began in self.wrapping.values()),
        )

    def _count_finished_calls(self) -> None:
        """Count the calls that nobody can answer any more, in the order in which they were placed.

        Counted as they end, quick answers would come before the silences of the same moment and those all at once.
        """
        while self.placed and self.placed[0].placed_at <= self.now - self.scene.ring_most:
            call = self.placed.popleft()
            is_answered = call.key in self.answers
            if len(self.tries) == _RECENT_MOST:
                # The oldest try falls out when the next one is added.
                self.hits -= self.tries[0]
            self.tries.append(is_answered)
            self.hits += is_answered
            self.answers.discard(call.key)

    def _on_tick(self, _key: int, _value: float) -> None:
        """Do nothing: with every second the pacing may decide anew, as talks near their end."""

    def _on_silence(self, _key: int, _value: float) -> None:
        self.ringing -= 1

    def _on_answer(self, key: int, rang: float) -> None:
        """Connect a call answered after `rang` seconds to a free person, or let it wait as long as patience lasts."""
        self.ringing -= 1
        self.answers.add(key)
        self.rings.add(rang)
        self.answered += 1
        self.waiting.append(key)
        if self.free:
            self._connect_next()
        else:
            self._schedule(self.patience, "give_up", key)

    def _on_give_up(self, _key: int, call: float) -> None:
        """Count an answered call as abandoned if it is still waiting for somebody."""
        if int(call) in self.waiting:
            self.waiting.remove(int(call))
            self.abandoned += 1
            if self.answered > _WORST_AFTER:
                self.worst = max(self.worst, self.abandoned / self.answered)

    def _connect_next(self) -> None:
        """Connect the call that has waited longest to a free person."""
        self.waiting.popleft()
        self.free -= 1
        seconds = self._draw_duration(self.scene.talk_mean, self.scene.talk_variation)
        self.talking[self._schedule(seconds, "hang_up", seconds)] = self.now

    def _on_hang_up(self, key: int, lasted: float) -> None:
        del self.talking[key]
        self.talks.add(lasted)
        seconds = self._draw_duration(self.scene.wrap_mean, self.scene.wrap_variation)
        self.busy += lasted + seconds
        self.wrapping[self._schedule(seconds, "ready", seconds)] = self.now

    def _on_ready(self, key: int, lasted: float) -> None:
        del self.wrapping[key]
        self.wraps.add(lasted)
        self.free += 1
        if self.waiting:
            self._connect_next()

    def _draw_duration(self, mean: float, variation: float) -> float:
        """Return a log-normal duration; `variation` is the deviation as a share of the mean."""
        spread = log1p(variation**2)
        return self.random.lognormvariate(log(mean) - spread / 2, sqrt(spread))


def build_scenes(*, agents: tuple[int, ...], rates: tuple[float, ...], hours: float) -> Iterator[Scene]:
    """Yield a scene per size of team and rate of answers, with short and with long talks."""
    for size in agents:
        for rate in rates:
            for talk in (60.0, 180.0):
                yield Scene(agents=size, answer_rate=rate, talk_mean=talk, hours=hours)
