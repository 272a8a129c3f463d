"""Kinds of facts: what is written fits its kind, and comes back as the same type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import get_type_hints

import pyarrow as pa
import pytest
from django.db import transaction
from django.utils.module_loading import import_string

from recobra.access.actors import Service, service_actor
from recobra.journal import facts, operations, reactions
from recobra.journal.facts import Fact, FactRefused, fact
from recobra.journal.models import Entry
from recobra.journal.reactions import Recorded

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 14, tzinfo=UTC)


@fact("test.counted", "Counted")
class Counted(Fact):
    item_id: int
    day: date
    note: str | None = None


# The kind belongs to these tests, not to the product.
del facts._KINDS["test.counted"]


@pytest.fixture(autouse=True)
def _declared(monkeypatch):
    monkeypatch.setitem(facts._KINDS, "test.counted", Counted)


def test_a_fact_with_a_wrong_payload_is_refused_with_each_field_and_no_value():
    with pytest.raises(FactRefused, match=r"test\.counted") as refusal:
        facts.make(Counted, {"item_id": "7", "nota": "secreto"})
    text = str(refusal.value)
    assert "item_id: Input should be a valid integer" in text
    assert "day: " in text
    assert "nota: Unexpected" in text
    assert "secreto" not in text


def test_nothing_is_written_where_one_row_of_many_does_not_fit():
    rows = pa.table({"debtor_id": [1, 2], "item_id": [5, None], "day": [date(2026, 3, 1)] * 2})
    with pytest.raises(FactRefused, match="item_id"), transaction.atomic():
        operations.record_facts(Counted, rows, actor=service_actor(Service.SYSTEM, now=NOW))
    assert not Entry.objects.filter(kind="test.counted").exists()


def test_a_fact_comes_back_as_its_type():
    rows = pa.table({"debtor_id": [1, None], "item_id": [5, 6], "day": [date(2026, 3, 1)] * 2})
    with transaction.atomic():
        operations.record_facts(Counted, rows, actor=service_actor(Service.SYSTEM, now=NOW))
    entries = Entry.objects.filter(kind="test.counted").order_by("id")
    assert [entry.fact() for entry in entries] == [Counted(item_id=n, day=date(2026, 3, 1)) for n in (5, 6)]
    assert [(entry.actor, entry.debtor_id, entry.at) for entry in entries] == [
        ("system", 1, NOW),
        ("system", None, NOW),
    ]


def test_a_kind_that_nobody_declares_is_not_read():
    with pytest.raises(FactRefused, match="no kind of fact"):
        facts.load("test.unknown", "{}")


def test_a_kind_is_declared_once():
    with pytest.raises(RuntimeError, match="declared twice"):

        @fact("test.counted", "Again")
        class Again(Fact):
            item_id: int


def test_a_reaction_to_an_unknown_type_does_not_start():
    class Loose(Fact):
        item_id: int

    with pytest.raises(TypeError, match="is no kind of fact"):
        reactions.react(Loose, "builtins.print")


def test_each_reaction_is_there_and_takes_the_facts_that_it_follows():
    connected = [(kind, path) for kind, paths in reactions._PATHS.items() for path in paths]
    for kind, path in connected:
        takes = next(iter(get_type_hints(import_string(path)).values()))
        assert takes in (Recorded[kind], Recorded[facts.F]), f"{path} does not take {kind.kind}"
    assert len(connected) > 20


def test_a_reaction_gets_facts_with_their_subjects_and_undoes_them_where_it_fails(monkeypatch):
    monkeypatch.setattr(reactions, "_PATHS", {})
    _seen.clear()
    reactions.react(Counted, f"{__name__}.collect")
    actor = service_actor(Service.SYSTEM, now=NOW)
    with transaction.atomic():
        operations.record_fact(Counted(item_id=8, day=date(2026, 3, 1)), actor=actor, debtor_id=3)
    assert _seen == [(3, 8)]
    with pytest.raises(ValueError, match="item_id=9"), transaction.atomic():
        operations.record_fact(Counted(item_id=9, day=date(2026, 3, 1)), actor=actor, debtor_id=3)
    assert Entry.objects.filter(kind="test.counted").count() == 1


_seen: list[tuple[int | None, int]] = []


def collect(recorded: Recorded[Counted]) -> None:
    """Note each fact with its debtor; no number is above eight."""
    _seen.extend((subject.debtor_id, counted.item_id) for subject, counted in recorded)
    if counted_too_much := [counted for _subject, counted in recorded if counted.item_id > 8]:
        raise ValueError(counted_too_much)


def test_a_fact_that_holds_a_text_without_end_is_refused():
    long = Counted(item_id=1, day=NOW.date(), note="x" * 20_000)
    with transaction.atomic(), pytest.raises(FactRefused, match="too long"):
        operations.record_fact(long, actor=service_actor(Service.SYSTEM, now=NOW))
