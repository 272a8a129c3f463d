"""What screens and commands show of retention: each class with its terms, what waits, and the last runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db.models import Func, TextField

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.compliance.facts import DataErased
from recobra.compliance.models import Closing, PersonRequest, RetentionPeriod
from recobra.journal.models import Entry
from recobra.portfolio.models import Debtor, Portfolio

from .classes import DataClass, Term, data_classes
from .holdings import all_blocks, find_blocks
from .periods import Periods
from .schedule import find_candidates, find_due, note_closings

RUNS_SHOWN: Final = 10


@dataclass(frozen=True, kw_only=True)
class Due:
    """Debtors of whom something is due; `free` are those against whose erasure nothing stands."""

    due: int
    free: int
    by_class: dict[str, int]
    blocked: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class ClassView:
    """A class with its term everywhere, the countries where it is another one, and periods that are still to come."""

    data_class: DataClass
    term: Term | None
    by_country: list[tuple[str, Term]]
    coming: list[RetentionPeriod]


@dataclass(frozen=True, kw_only=True)
class Run:
    """What one run erased, as the journal has it."""

    at: datetime
    actor: str
    erased: DataErased

    @property
    def names(self) -> str:
        """The classes in words."""
        known = data_classes()
        return ", ".join(str(known[key].name) for key in self.erased.data_classes if key in known)

    @property
    def rows(self) -> int:
        """How many rows were changed or deleted."""
        return sum(self.erased.rows.values())


@dataclass(frozen=True, kw_only=True)
class State:
    """Where things stand: debtors without debt, anonymised ones, and what stands against those that are due."""

    closed: int
    anonymised: int
    waiting_requests: int
    blocked: list[tuple[str, int]]
    runs: list[Run]


@requires(Right.SERVE)
def count_due(*, day: date, actor: Actor) -> Due:
    """Count what a run would find on a day; only the closings that are new are noted."""
    note_closings(day=day, actor=actor)
    periods = Periods(day)
    by_class: Counter[str] = Counter()
    blocked: Counter[str] = Counter()
    due = free = 0
    for debtor_ids in find_candidates(periods):
        found = find_due(debtor_ids, periods)
        blocks = find_blocks([each.debtor_id for each in found], day) if found else {}
        due += len(found)
        free += len(found) - len(blocks)
        for each in found:
            by_class.update(each.data_classes)
        for codes in blocks.values():
            blocked.update(codes)
    return Due(due=due, free=free, by_class=dict(sorted(by_class.items())), blocked=dict(sorted(blocked.items())))


def list_classes(day: date) -> list[ClassView]:
    """Return every class with its terms on a day, for the countries of the portfolios and those of laws at hand."""
    periods = Periods(day)
    countries = set(Portfolio.objects.values_list("country", flat=True))
    coming = list(RetentionPeriod.objects.filter(holds_from__gt=day).order_by("holds_from", "pk"))
    return [_view(each, periods, countries, coming) for each in data_classes().values()]


def read_state() -> State:
    """Return where the anonymisation stands."""
    codes = Closing.objects.exclude(blocked_by=[]).annotate(
        code=Func("blocked_by", function="unnest", output_field=TextField())
    )
    counted = Counter(codes.values_list("code", flat=True))
    blocks = all_blocks()
    return State(
        closed=Closing.objects.count(),
        anonymised=Debtor.objects.filter(erased_at__isnull=False).count(),
        waiting_requests=PersonRequest.objects.filter(answered_at__isnull=True).count(),
        blocked=[(blocks[code].text, count) for code, count in counted.most_common() if code in blocks],
        runs=_last_runs(),
    )


def _view(
    data_class: DataClass, periods: Periods, countries: Iterable[str], coming: Iterable[RetentionPeriod]
) -> ClassView:
    """Return a class as screens show it."""
    if not data_class.periods:
        return ClassView(data_class=data_class, term=None, by_country=[], coming=[])
    everywhere = periods.term(data_class, "")
    terms = [(country, periods.term(data_class, country)) for country in sorted(countries) if data_class.is_of_debtors]
    return ClassView(
        data_class=data_class,
        term=everywhere,
        by_country=[(country, term) for country, term in terms if term != everywhere],
        coming=[period for period in coming if period.data_class == data_class.key],
    )


def _last_runs() -> list[Run]:
    """Return the last runs that erased anything, newest first."""
    entries = Entry.objects.filter(kind=DataErased.kind).order_by("-id")[:RUNS_SHOWN]
    runs = []
    for entry in entries:
        erased = entry.fact()
        assert isinstance(erased, DataErased)
        runs.append(Run(at=entry.at, actor=entry.actor, erased=erased))
    return runs
