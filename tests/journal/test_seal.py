"""The seal proves that what happened was not rewritten, and names the first row that was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from tests import databases
from tests.people import acting

from recobra.journal import chain, operations, seal, seal_signature, verification
from recobra.workbench.facts import VisitNoted

MONDAY = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)
OWN_DIGEST = "the row differs from its digest"
REWRITTEN = "the row and its digest were rewritten after its day was sealed"


def _promise(at, debtor_id):
    noted = VisitNoted(visit_id=1, result="PROMISE")
    operations.record_fact(noted, actor=acting("bruno", now=at), debtor_id=debtor_id)


def _ids():
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM journal_entry ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def sealed_week(db):
    """Four days with three facts each, sealed at the end of each but the last, which is today."""
    for day in (0, 1, 3, 4):
        for debtor_id in (1, 2, 3):
            _promise(MONDAY + timedelta(days=day, minutes=debtor_id), debtor_id)
        if day < 4:
            seal.seal_journal(now=MONDAY + timedelta(days=day, hours=1))
    return _ids()


def _behind_the_triggers_back(sql, *parameters):
    """Change rows as a database administrator could."""
    with databases.acting_as_owner(), connection.cursor() as cursor:
        for table in ("journal_entry", "journal_seal"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql, parameters)
        for table in ("journal_entry", "journal_seal"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _verify(expected_hash=""):
    signers = seal_signature.trusted_signers(now=MONDAY)
    return verification.verify_journal(signers=signers, expected_hash=expected_hash)


def _first():
    return _verify().first_altered


def test_an_untouched_journal_is_confirmed(sealed_week):
    verdict = _verify()
    assert (verdict.ok, verdict.rows, verdict.days, verdict.unsealed) == (True, 12, 3, 3)


def test_verifying_seals_nothing(sealed_week):
    _verify()
    assert _verify().unsealed == 3


def test_sealing_again_makes_no_other_seal(sealed_week):
    first = seal.seal_journal(now=MONDAY + timedelta(days=5))
    again = seal.seal_journal(now=MONDAY + timedelta(days=6))
    assert (first.number, first.entries, again.number) == (4, 3, 4)


def test_the_rows_of_today_are_sealed_too(sealed_week):
    assert seal.seal_journal(now=MONDAY + timedelta(days=4, hours=2)).last_id == sealed_week[-1]
    _behind_the_triggers_back("DELETE FROM journal_entry WHERE id = %s", sealed_week[-1])
    assert (_first().id, _first().what) == (sealed_week[-1], "the row is missing")


def test_a_row_with_an_id_before_all_others_is_named(sealed_week):
    _promise(MONDAY, 99)
    _behind_the_triggers_back("UPDATE journal_entry SET id = -5 WHERE id = %s", _ids()[-1])
    assert (_first().id, _first().what) == (-5, "the row was added after its day was sealed")


@pytest.mark.parametrize("row", [0, 4, 8, 11])
def test_one_changed_byte_of_a_payload_is_named(sealed_week, row):
    _behind_the_triggers_back(
        """UPDATE journal_entry SET payload = '{"visit_id": 1, "result": "PROMISf"}' WHERE id = %s""", sealed_week[row]
    )
    found = _first()
    assert (found.id, found.what) == (sealed_week[row], OWN_DIGEST)
    assert found.day == (MONDAY + timedelta(days=[0, 1, 3, 4][row // 3])).date()


@pytest.mark.parametrize("column", ["actor", "kind", "version"])
def test_any_changed_column_is_named(sealed_week, column):
    _behind_the_triggers_back(f"UPDATE journal_entry SET {column} = 'zoe' WHERE id = %s", sealed_week[5])
    assert _first().id == sealed_week[5]


def test_one_changed_byte_of_a_digest_is_named(sealed_week):
    _behind_the_triggers_back(
        "UPDATE journal_entry SET digest = set_byte(digest, 31, get_byte(digest, 31) # 1) WHERE id = %s", sealed_week[7]
    )
    assert _first().id == sealed_week[7]


def test_a_row_rewritten_with_a_matching_digest_is_named(sealed_week):
    _behind_the_triggers_back("UPDATE journal_entry SET actor = 'zoe' WHERE id = %s", sealed_week[4])
    _behind_the_triggers_back("UPDATE journal_entry e SET digest = journal_digest(e) WHERE id = %s", sealed_week[4])
    found = _first()
    assert (found.id, found.what) == (sealed_week[4], REWRITTEN)


@pytest.mark.parametrize("row", [0, 4, 5, 8])
def test_a_deleted_row_is_named(sealed_week, row):
    _behind_the_triggers_back("DELETE FROM journal_entry WHERE id = %s", sealed_week[row])
    found = _first()
    assert (found.id, found.what) == (sealed_week[row], "the row is missing")


def test_a_day_deleted_whole_is_named(sealed_week):
    _behind_the_triggers_back("DELETE FROM journal_entry WHERE id = ANY(%s)", sealed_week[3:6])
    assert (_first().id, _first().what) == (sealed_week[3], "the row is missing")


def test_a_row_slipped_into_a_sealed_day_is_named(sealed_week):
    _behind_the_triggers_back("DELETE FROM journal_entry WHERE id = %s", sealed_week[11])
    _promise(MONDAY, 99)
    slipped = _ids()[-1]
    _behind_the_triggers_back("UPDATE journal_entry SET id = %s WHERE id = %s", sealed_week[0] - 1, slipped)
    found = _first()
    assert (found.id, found.what) == (sealed_week[0] - 1, "the row was added after its day was sealed")


def test_a_seal_that_was_recomputed_breaks_the_chain(sealed_week):
    _behind_the_triggers_back("UPDATE journal_seal SET digest = sha256(digest) WHERE day = %s", MONDAY.date())
    found = _first()
    assert (found.id, found.day, found.what) == (None, MONDAY.date(), "the seal was rewritten")


def test_a_removed_seal_breaks_the_chain(sealed_week):
    _behind_the_triggers_back("DELETE FROM journal_seal WHERE day = %s", (MONDAY + timedelta(days=1)).date())
    assert not _verify().ok


def test_a_fact_told_late_is_no_alarm_and_is_sealed_with_the_next_seal(sealed_week):
    _promise(MONDAY, 4)
    assert _verify().ok
    assert seal.seal_journal(now=MONDAY + timedelta(days=5)).entries == 4
    assert _verify().ok
    _behind_the_triggers_back("DELETE FROM journal_entry WHERE id = %s", _ids()[-1])
    assert _first().what == "the row is missing"


def test_many_rows_are_streamed(db, monkeypatch):
    monkeypatch.setattr(chain, "PAGE_ROWS", 7)
    with transaction.atomic():
        for debtor_id in range(20):
            _promise(MONDAY, debtor_id)
    seal.seal_journal(now=MONDAY)
    assert (_verify().ok, _verify().rows) == (True, 20)


def test_a_clock_that_jumps_forward_and_back_breaks_no_seal(sealed_week):
    for days in (400, 4, -30, 5):
        at = MONDAY + timedelta(days=days)
        _promise(at, 9)
        seal.seal_journal(now=at)
    assert _first() is None
    assert _verify().unsealed == 0
