import pytest
from django.db import IntegrityError, connection

from recobra.journal import operations


def _write(now):
    operations.record("hold.placed", at=now, actor="bruno", debtor_id=7, payload={"reason": "DISPUTE"})


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
    seen = []
    monkeypatch.setitem(operations._REACTIONS, "hold.placed", [lambda facts: seen.extend(facts.debtor_ids())])
    _write(now)
    assert seen == [7]
