"""Anonymisation by schedule: in batches, each one transaction, so that a run may end anywhere and the next goes on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final

import pyarrow as pa
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.compliance.facts import DataErased, DebtorErased
from recobra.compliance.models import Closing, ErasedClass, PersonRequest
from recobra.journal.operations import record_fact, record_facts
from recobra.kit.tables import is_any_of
from recobra.kit.typeset.signature import canonical_json
from recobra.portfolio.models import Debtor
from recobra.portfolio.personal_data import find_without_closing_day, has_no_debt
from recobra.portfolio.queries import with_joined

from .classes import DataClass, classes_of_debtors, data_classes
from .holdings import erase_classes, find_blocks, find_last_days, holdings_of
from .periods import Periods

BATCH_SIZE: Final = 500
NIGHT_LIMIT: Final = 20_000
"""Debtors that one night anonymises; those that are left have the next."""
IDENTITY: Final = "identity"
_CLOSINGS_AT_A_TIME: Final = 5_000


class RetentionRefused(Exception):
    """Nothing was erased; the text says why."""


@dataclass(kw_only=True)
class Erasure:
    """What a run erased: debtors, rows by model, and by code how many debtors something stood against."""

    debtors: int = 0
    anonymised: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    blocked: dict[str, int] = field(default_factory=dict)
    has_more: bool = False

    def add_rows(self, rows: Mapping[str, int]) -> None:
        """Add the rows of one step."""
        for model, count in rows.items():
            self.rows[model] = self.rows.get(model, 0) + count


@dataclass(frozen=True, kw_only=True)
class DueDebtor:
    """A debtor with the classes whose period is over, `identity` among them only where all others are due too."""

    debtor_id: int
    data_classes: frozenset[str]


@requires(Right.SERVE)
def erase_due(*, day: date, limit: int = NIGHT_LIMIT, actor: Actor) -> Erasure:
    """Erase what is due on a day, of at most `limit` debtors; the same run again finds nothing more.

    Raises RetentionRefused for a day that is still to come.
    """
    if day > actor.now.date():
        raise RetentionRefused(_("Nothing is erased for a day that is still to come."))
    note_closings(day=day, actor=actor)
    periods = Periods(day)
    erasure = Erasure()
    for debtor_ids in find_candidates(periods):
        if erasure.debtors >= limit:
            erasure.has_more = True
            break
        _erase_batch(debtor_ids, periods, erasure, actor)
    for data_class in data_classes().values():
        _erase_aged(data_class, periods, erasure, actor)
    return erasure


@requires(Right.SERVE)
@transaction.atomic
def note_closings(*, day: date, actor: Actor) -> int:
    """Note the debtors of whom nothing is owed any more, and take back those who owe again; return how many are new."""
    del actor
    owing = Debtor.objects.filter(closing__isnull=False).exclude(has_no_debt())
    Closing.objects.filter(debtor__in=owing).delete()
    # Who was joined with another goes with him.
    free = Debtor.objects.filter(has_no_debt(), erased_at__isnull=True, closing__isnull=True, joined_into__isnull=True)
    count = 0
    last_id = 0
    while debtor_ids := list(
        free.filter(pk__gt=last_id).order_by("pk").values_list("pk", flat=True)[:_CLOSINGS_AT_A_TIME]
    ):
        last_id = debtor_ids[-1]
        last_days = find_last_days(debtor_ids)
        undated = find_without_closing_day(debtor_ids)
        rows = [
            Closing(debtor_id=debtor_id, closed_on=day if debtor_id in undated else last_days.get(debtor_id, day))
            for debtor_id in debtor_ids
        ]
        Closing.objects.bulk_create(rows, ignore_conflicts=True)
        count += len(rows)
    _postpone_erased()
    return count


def find_candidates(periods: Periods) -> Iterator[list[int]]:
    """Yield lists of debtors of whom some class may be due."""
    latest = periods.day - timedelta(days=periods.shortest(classes_of_debtors()))
    closings = Closing.objects.filter(closed_on__lte=latest).order_by("pk")
    last_id = 0
    while debtor_ids := list(closings.filter(pk__gt=last_id).values_list("pk", flat=True)[:BATCH_SIZE]):
        last_id = debtor_ids[-1]
        yield debtor_ids


def find_due(debtor_ids: Sequence[int], periods: Periods) -> list[DueDebtor]:
    """Return those of some closed debtors of whom something is due, whatever stands against it."""
    erased: dict[int, dict[str, date]] = {}
    for done in ErasedClass.objects.filter(is_any_of("debtor_id", debtor_ids)):
        erased.setdefault(done.debtor_id, {})[done.data_class] = done.erased_at.date()
    closings = Closing.objects.filter(is_any_of("debtor_id", debtor_ids)).order_by("pk")
    due = []
    for debtor_id, closed_on, country in closings.values_list("pk", "closed_on", "debtor__country"):
        # What has come since a class was erased goes as what was there before it.
        done_on = erased.get(debtor_id, {})
        classes = {key for key in _classes_due(closed_on, country, periods) if done_on.get(key, date.min) <= closed_on}
        if classes:
            due.append(DueDebtor(debtor_id=debtor_id, data_classes=frozenset(classes)))
    return due


@consequence
def erase_debtors(debtor_ids: Sequence[int], classes: frozenset[str], *, actor: Actor) -> dict[str, int]:
    """Erase classes of some debtors' data in the caller's transaction and record it; return the rows by model.

    With the identity goes all that names anybody, also what came since its class was erased and moved nothing; with a
    debtor whoever was joined with him.
    """
    debtor_ids = with_joined(debtor_ids)
    if IDENTITY in classes:
        classes |= {each.key for each in classes_of_debtors()}
    rows = erase_classes(classes, debtor_ids, actor.now)
    done = [
        ErasedClass(debtor_id=debtor_id, data_class=key, erased_at=actor.now)
        for debtor_id in debtor_ids
        for key in sorted(classes)
    ]
    ErasedClass.objects.bulk_create(
        done, update_conflicts=True, unique_fields=["debtor", "data_class"], update_fields=["erased_at"]
    )
    if IDENTITY in classes:
        PersonRequest.objects.filter(is_any_of("debtor_id", debtor_ids)).update(note="")
        Closing.objects.filter(is_any_of("debtor_id", debtor_ids)).delete()
        record_facts(DebtorErased, pa.table({"debtor_id": pa.array(debtor_ids, pa.int64())}), actor=actor)
    named = sorted(classes)
    proof = {"debtors": sorted(debtor_ids), "data_classes": named, "rows": rows}
    digest = sha256(canonical_json(proof)).hexdigest()
    record_fact(DataErased(data_classes=named, debtors=len(debtor_ids), rows=rows, digest=digest), actor=actor)
    return rows


def _classes_due(closed_on: date, country: str, periods: Periods) -> set[str]:
    """Return the classes of a debtor whose period is over on the day; the identity waits for all the others."""
    ends = {each.key: periods.term(each, country).ends_on(closed_on) for each in classes_of_debtors()}
    due = {key for key, end in ends.items() if end <= periods.day}
    return due if len(due) == len(ends) else due - {IDENTITY}


@transaction.atomic
def _erase_batch(debtor_ids: Sequence[int], periods: Periods, erasure: Erasure, actor: Actor) -> None:
    """Erase what is due of some debtors, and note what stands against the others."""
    due_ids = [each.debtor_id for each in find_due(debtor_ids, periods)]
    if not due_ids:
        return
    # Nobody plans, writes or loads anything about them until this batch ends.
    locked = Debtor.objects.filter(is_any_of("id", due_ids)).select_for_update().order_by("pk")
    due_ids = list(locked.values_list("pk", flat=True))
    _postpone_moved(due_ids)
    blocks = find_blocks(due_ids, periods.day)
    groups: dict[frozenset[str], list[int]] = {}
    for each in find_due(due_ids, periods):
        codes = blocks.get(each.debtor_id, [])
        Closing.objects.filter(pk=each.debtor_id).exclude(blocked_by=codes).update(blocked_by=codes)
        for code in codes:
            erasure.blocked[code] = erasure.blocked.get(code, 0) + 1
        if not codes:
            groups.setdefault(each.data_classes, []).append(each.debtor_id)
    for classes, group_ids in groups.items():
        erasure.add_rows(erase_debtors(group_ids, classes, actor=actor))
        erasure.debtors += len(group_ids)
        erasure.anonymised += len(group_ids) if IDENTITY in classes else 0


def _postpone_moved(debtor_ids: Sequence[int]) -> None:
    """Let the periods begin anew where something has moved since the closing."""
    last_days = find_last_days(debtor_ids)
    closings = Closing.objects.filter(is_any_of("debtor_id", debtor_ids))
    for debtor_id, closed_on in closings.values_list("pk", "closed_on"):
        moved_on = last_days.get(debtor_id, closed_on)
        if moved_on > closed_on:
            Closing.objects.filter(pk=debtor_id).update(closed_on=moved_on)


def _postpone_erased() -> None:
    """Do so for those of whom some classes are erased: what came since would wait until another class is due."""
    begun = Closing.objects.filter(Exists(ErasedClass.objects.filter(debtor=OuterRef("pk")))).order_by("pk")
    last_id = 0
    while debtor_ids := list(begun.filter(pk__gt=last_id).values_list("pk", flat=True)[:_CLOSINGS_AT_A_TIME]):
        last_id = debtor_ids[-1]
        _postpone_moved(debtor_ids)


def _erase_aged(data_class: DataClass, periods: Periods, erasure: Erasure, actor: Actor) -> None:
    """Erase what is too old of a class that goes by age alone, in all countries alike."""
    erasers = [each for each in holdings_of(data_class.key) if each.erase_before is not None]
    if not erasers:
        return
    until = _start_of(actor.now, periods, data_class)
    rows = {}
    for holding in erasers:
        assert holding.erase_before is not None
        rows[holding.model] = holding.erase_before(until, actor.now)
    rows = {model: count for model, count in rows.items() if count}
    if rows:
        erasure.add_rows(rows)
        digest = sha256(canonical_json({"data_classes": [data_class.key], "rows": rows})).hexdigest()
        with transaction.atomic():
            record_fact(DataErased(data_classes=[data_class.key], debtors=0, rows=rows, digest=digest), actor=actor)


def _start_of(now: datetime, periods: Periods, data_class: DataClass) -> datetime:
    """Return the instant before which a class is too old on the day of the run."""
    age = timedelta(days=periods.term(data_class, "").days)
    return now - age - (now.date() - periods.day)
