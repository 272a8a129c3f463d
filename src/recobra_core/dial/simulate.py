"""A day on the telephone as discrete events: what a way of pacing does to people's time and to those who pick up.

Everything the pacing is told it could know: rates and durations as seen so far, never the true ones. Seeded: the
same scene and seed give the same day.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import log, log1p, sqrt
from random import Random
from typing import Final

from recobra_core.dial.pacing import Decision, pace_calls
from recobra_core.dial.state import Durations, Floor, Limits, Rate

Pacing = Callable[[Floor], Decision]
_TICK: Final = 1.0
_SEEN: Final = 400  # the newest cases from which rates and durations are estimated


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A day that is true: nobody told the pacing. Seconds; `later_rate` holds from the middle of the day on."""

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
    """What became of a day.

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
    """Place one call per free person: nobody ever picks up for nothing."""
    return Decision(calls=max(0, state.free - state.ringing - state.waiting), mode="progressive")


def predictive_pacing(limits: Limits | None = None) -> Pacing:
    """Return the pacing of `recobra_core.dial`."""
    return lambda state: pace_calls(state, limits=limits)


def simulate_day(scene: Scene, *, pacing: Pacing, seed: int, patience: float = 2.0) -> Day:
    """Live through a day."""
    return _Day(scene=scene, pacing=pacing, random=Random(seed), patience=patience).run()  # noqa: S311 - no secret


@dataclass(slots=True)
class _Seen:
    """The newest durations of a kind."""

    kept: deque[float] = field(default_factory=lambda: deque(maxlen=_SEEN))
    total: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        if len(self.kept) == _SEEN:
            old = self.kept.popleft()
            self.total, self.squares = self.total - old, self.squares - old * old
        self.kept.append(value)
        self.total, self.squares = self.total + value, self.squares + value * value

    def durations(self) -> Durations:
        count = len(self.kept)
        mean = self.total / count if count else 0.0
        variance = max(0.0, self.squares / count - mean * mean) if count else 0.0
        return Durations(mean=mean, deviation=sqrt(variance), count=count)


@dataclass(slots=True)
class _Day:
    scene: Scene
    pacing: Pacing
    random: Random
    patience: float
    now: float = 0.0
    events: list[tuple[float, int, str, float]] = field(default_factory=list)
    order: int = 0
    free: int = 0
    ringing: int = 0
    waiting: deque[int] = field(default_factory=deque)
    talking: dict[int, float] = field(default_factory=dict)
    wrapping: dict[int, float] = field(default_factory=dict)
    placed: deque[tuple[float, int]] = field(default_factory=deque)
    tries: deque[bool] = field(default_factory=lambda: deque(maxlen=_SEEN))
    hits: int = 0
    answers: set[int] = field(default_factory=set)
    rings: _Seen = field(default_factory=_Seen)
    talks: _Seen = field(default_factory=_Seen)
    wraps: _Seen = field(default_factory=_Seen)
    attempts: int = 0
    answered: int = 0
    abandoned: int = 0
    busy: float = 0.0
    worst: float = 0.0

    def run(self) -> Day:
        self.free, end = self.scene.agents, self.scene.hours * 3600
        self._at(0.0, "tick")
        while self.events:
            self.now, key, kind, value = heapq.heappop(self.events)
            getattr(self, f"_{kind}")(key, value)
            if self.now < end:
                self._dial()
                if kind == "tick":
                    self._at(_TICK, "tick")
        used = min(1.0, self.busy / (self.scene.agents * max(end, self.now)))
        return Day(
            attempts=self.attempts, answered=self.answered, abandoned=self.abandoned, used=used, worst=self.worst
        )

    def _at(self, after: float, kind: str, value: float = 0.0) -> int:
        self.order += 1
        heapq.heappush(self.events, (self.now + after, self.order, kind, value))
        return self.order

    def _dial(self) -> None:
        for _call in range(self.pacing(self._floor()).calls):
            self.attempts += 1
            self.ringing += 1
            if self.random.random() < self._rate():
                after = min(self.scene.ring_most - 0.1, self.random.gammavariate(3.0, self.scene.ring_mean / 3))
                call = self._at(after, "answer", after)
            else:
                call = self._at(self.scene.ring_most, "silence")
            self.placed.append((self.now, call))

    def _rate(self) -> float:
        later = self.scene.later_rate
        return later if later is not None and self.now > self.scene.hours * 1800 else self.scene.answer_rate

    def _floor(self) -> Floor:
        self._ripen()
        return Floor(
            free=self.free,
            ringing=self.ringing,
            waiting=len(self.waiting),
            answered_today=self.answered,
            abandoned_today=self.abandoned,
            rate=Rate(answered=self.hits, attempts=len(self.tries)),
            ring=self.rings.durations(),
            talk=self.talks.durations(),
            wrap=self.wraps.durations(),
            talking=tuple(self.now - began for began in self.talking.values()),
            wrapping=tuple(self.now - began for began in self.wrapping.values()),
        )

    def _ripen(self) -> None:
        """Count the calls that nobody can answer any more, in the order in which they were placed.

        Counted as they end, quick answers would come before the silences of the same moment and those all at once.
        """
        while self.placed and self.placed[0][0] <= self.now - self.scene.ring_most:
            call = self.placed.popleft()[1]
            if len(self.tries) == _SEEN:
                self.hits -= self.tries[0]
            self.tries.append(call in self.answers)
            self.hits += call in self.answers
            self.answers.discard(call)

    def _tick(self, _key: int, _value: float) -> None:
        """Time passes: who talks is nearer to the end."""

    def _silence(self, _key: int, _value: float) -> None:
        self.ringing -= 1

    def _answer(self, key: int, rang: float) -> None:
        self.ringing -= 1
        self.answers.add(key)
        self.rings.add(rang)
        self.answered += 1
        self.waiting.append(key)
        if self.free:
            self._connect()
        else:
            self._at(self.patience, "give_up", key)

    def _give_up(self, _key: int, call: float) -> None:
        if int(call) in self.waiting:
            self.waiting.remove(int(call))
            self.abandoned += 1
            if self.answered > 100:
                self.worst = max(self.worst, self.abandoned / self.answered)

    def _connect(self) -> None:
        self.waiting.popleft()
        self.free -= 1
        lasts = self._lasting(self.scene.talk_mean, self.scene.talk_variation)
        self.talking[self._at(lasts, "hang_up", lasts)] = self.now

    def _hang_up(self, key: int, lasted: float) -> None:
        del self.talking[key]
        self.talks.add(lasted)
        lasts = self._lasting(self.scene.wrap_mean, self.scene.wrap_variation)
        self.busy += lasted + lasts
        self.wrapping[self._at(lasts, "ready", lasts)] = self.now

    def _ready(self, key: int, lasted: float) -> None:
        del self.wrapping[key]
        self.wraps.add(lasted)
        self.free += 1
        if self.waiting:
            self._connect()

    def _lasting(self, mean: float, variation: float) -> float:
        spread = log1p(variation**2)
        return self.random.lognormvariate(log(mean) - spread / 2, sqrt(spread))


def build_scenes(*, agents: tuple[int, ...], rates: tuple[float, ...], hours: float) -> Iterator[Scene]:
    """Give a scene per size of team and rate of answers, with short and with long talks."""
    for size in agents:
        for rate in rates:
            for talk in (60.0, 180.0):
                yield Scene(agents=size, answer_rate=rate, talk_mean=talk, hours=hours)
