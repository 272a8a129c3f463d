"""Strategies in words: segments, steps and the days of the schedule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from recobra.kit.language import screen_language
from recobra_core.decide import Step, Strategy, describe_step
from recobra_core.decide.steps import AfterStep, AtDpd, Send

ICONS = {"message": "send", "task": "checklist", "stage": "topology-star-3", "hold": "player-pause"}


@dataclass(frozen=True, kw_only=True)
class Description:
    """A step or segment in words."""

    key: str
    name: str
    text: str
    icon: str = ""


@dataclass(frozen=True, kw_only=True)
class ScheduleDay:
    """A day of the schedule, in days past due (negative: before the due date), with its steps.

    Each step comes with the number of its occurrence, from 1.
    """

    day: int
    entries: tuple[tuple[Description, int], ...]

    @property
    def distance(self) -> int:
        """Return the days from the due date, without sign."""
        return abs(self.day)


def describe_steps(strategy: Strategy) -> list[Description]:
    """Return the steps in order, in words."""
    return [_describe_step(step) for step in strategy.steps]


def describe_segments(strategy: Strategy) -> list[Description]:
    """Return the segments in order, in words."""
    return [
        Description(key=segment.key, name=segment.name, text=segment.rule.in_words(screen_language()))
        for segment in strategy.segments
    ]


def list_channels(strategy: Strategy) -> list[str]:
    """Return the channels a strategy uses, in the order in which it names them."""
    sends = [step.do for step in strategy.steps if isinstance(step.do, Send)]
    return list(dict.fromkeys(channel for send in sends for channel in send.channels))


def build_schedule(strategy: Strategy) -> tuple[list[ScheduleDay], list[Description]]:
    """Return the days on which steps become due, repetitions included, and the steps that wait for an event."""
    first_days: dict[str, int] = {}
    entries: dict[int, list[tuple[Description, int]]] = {}
    waiting = []
    for step in strategy.steps:
        first_day = _first_day(step, first_days)
        if first_day is None:
            waiting.append(_describe_step(step))
            continue
        first_days[step.key] = first_day
        for occurrence, day in enumerate(_occurrence_days(step, first_day), start=1):
            entries.setdefault(day, []).append((_describe_step(step), occurrence))
    return [ScheduleDay(day=day, entries=tuple(entries[day])) for day in sorted(entries)], waiting


def _describe_step(step: Step) -> Description:
    """Return a step in words, with the icon of its action."""
    text = describe_step(step, lang=screen_language())
    return Description(key=step.key, name=step.name, text=text, icon=ICONS[step.do.track])


def _first_day(step: Step, first_days: dict[str, int]) -> int | None:
    """Return the day past due on which a step first becomes due; None where no day is known.

    None is for a step that waits for an event, and for one that follows such a step. `first_days` has the first
    days of the steps before it by key.
    """
    if isinstance(step.when, AtDpd):
        return step.when.days
    if isinstance(step.when, AfterStep) and step.when.step in first_days:
        return first_days[step.when.step] + step.when.days
    return None


def _occurrence_days(step: Step, first_day: int) -> Iterable[int]:
    """Return the days past due on which a step becomes due, its repetitions included, none after its last day."""
    days = [first_day]
    if step.repeat:
        days = [first_day + step.repeat.every_days * n for n in range(step.repeat.times)]
    if step.last_dpd is not None:
        days = [day for day in days if day <= step.last_dpd]
    return days
