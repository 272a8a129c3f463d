"""A strategy in the words of the screen: segments, steps, stops and their days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import get_language

from recobra_core.decide import Step, Strategy, describe_step, describe_stops
from recobra_core.decide.steps import AfterStep, AtDpd, Send
from recobra_core.rules import Language, Rule

ICONS = {"message": "send", "task": "checklist", "stage": "topology-star-3", "hold": "player-pause"}


@dataclass(frozen=True, kw_only=True)
class Said:
    """A step or segment as a person reads it."""

    key: str
    name: str
    text: str
    icon: str = ""


@dataclass(frozen=True, kw_only=True)
class Stop:
    """One day of the schedule: days past due (negative: before the due date) and what may happen from then on."""

    day: int
    entries: tuple[tuple[Said, int], ...]

    @property
    def distance(self) -> int:
        """Return the days from the due date, without sign."""
        return abs(self.day)


def language() -> Language:
    """Return the language of the screen as the core names it."""
    return "en" if get_language() == "en" else "es"


def steps(strategy: Strategy) -> list[Said]:
    """Return the steps in order, in words."""
    return [_step(step) for step in strategy.steps]


def segments(strategy: Strategy) -> list[Said]:
    """Return the segments in order, in words."""
    return [Said(key=item.key, name=item.name, text=rule(item.rule)) for item in strategy.segments]


def stops(strategy: Strategy) -> list[str]:
    """Return what silences an account, in words."""
    return describe_stops(strategy, lang=language())


def rule(of: Rule) -> str:
    """Return a rule as a sentence."""
    return of.in_words(language())


def channels(strategy: Strategy) -> list[str]:
    """Return the channels a strategy uses, in the order in which it names them."""
    return list(dict.fromkeys(way for step in strategy.steps if isinstance(step.do, Send) for way in step.do.channels))


def schedule(strategy: Strategy) -> tuple[list[Stop], list[Said]]:
    """Return the days on which steps become due, repetitions included, and the steps that wait for an event."""
    days: dict[str, int] = {}
    found: dict[int, list[tuple[Said, int]]] = {}
    waiting = []
    for step in strategy.steps:
        day = _day(step, days)
        if day is None:
            waiting.append(_step(step))
            continue
        days[step.key] = day
        for occurrence, at in enumerate(_occurrences(step, day), start=1):
            found.setdefault(at, []).append((_step(step), occurrence))
    return [Stop(day=day, entries=tuple(found[day])) for day in sorted(found)], waiting


def _step(step: Step) -> Said:
    return Said(key=step.key, name=step.name, text=describe_step(step, lang=language()), icon=ICONS[step.do.track])


def _day(step: Step, days: dict[str, int]) -> int | None:
    if isinstance(step.when, AtDpd):
        return step.when.days
    if isinstance(step.when, AfterStep) and step.when.step in days:
        return days[step.when.step] + step.when.days
    return None


def _occurrences(step: Step, first: int) -> Iterable[int]:
    times, every = (step.repeat.times, step.repeat.every_days) if step.repeat else (1, 0)
    last = step.last_dpd
    return [day for day in (first + every * n for n in range(times)) if last is None or day <= last]
