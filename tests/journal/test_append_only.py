import pytest
from django.db import IntegrityError, connection
from tests.people import acting

from recobra.journal import operations, reactions
from recobra.workbench.facts import VisitNoted


def _write(now):
    operations.record_fact(VisitNoted(visit_id=1, result="MET"), actor=acting("bruno", now=now), debtor_id=7)


def test_a_fact_outside_a_transaction_is_refused(now, transactional_db):
    with pytest.raises(RuntimeError, match="inside the transaction"):
        _write(now)


@pytest.mark.parametrize("table", ["journal_entry", "journal_entry_2026_11"])
@pytest.mark.parametrize("change", ["UPDATE {} SET kind = 'x'", "DELETE FROM {}"])
def test_a_fact_is_never_changed(db, now, table, change):
    _write(now)
    with pytest.raises(IntegrityError, match="only grows"), connection.cursor() as cursor:
        cursor.execute(change.format(table))


def test_reactions_follow_their_fact(db, now, monkeypatch):
    _seen.clear()
    monkeypatch.setitem(reactions._PATHS, VisitNoted, [f"{__name__}.note_debtors"])
    _write(now)
    assert _seen == [7]


_seen: list[int] = []


def note_debtors(recorded):
    _seen.extend(recorded.debtor_ids())
