"""Whoever cuts, rewrites or seals the journal anew, with every right and the key itself, is found by the last seal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from django.db import connection
from tests import databases
from tests.people import acting

from recobra.journal import chain, operations, seal, seal_signature, verification
from recobra.workbench.facts import VisitNoted

MONDAY = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)
LATER = MONDAY + timedelta(days=9)
DIGEST = "UPDATE journal_entry e SET digest = journal_digest(e)"
RENUMBER = "UPDATE journal_seal SET number = number - 1 WHERE number > 2"


def _record(day, debtor_id):
    at = MONDAY + timedelta(days=day, minutes=debtor_id)
    operations.record_fact(VisitNoted(visit_id=1, result="MET"), actor=acting("bruno", now=at), debtor_id=debtor_id)


@pytest.fixture
def printed(db):
    """The hash of the last seal of a week, as it was printed: four days of three facts, sealed each."""
    for day in range(4):
        for debtor_id in (1, 2, 3):
            _record(day, debtor_id)
        newest = seal.seal_journal(now=MONDAY + timedelta(days=day, hours=1))
    return bytes(newest.digest).hex()


def _run(*statements):
    """Run SQL as a superuser who has put all triggers aside; {a}, {b}, {y}, {z} are ids of the first and last rows."""
    with databases.acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(id ORDER BY id) FROM journal_entry")
        ids = cursor.fetchone()[0] or []
        cursor.execute("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'journal_entry'::regclass")
        tables = ["journal_entry", "journal_seal", *[name for (name,) in cursor.fetchall()]]
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        names = {"a": ids[0], "b": ids[4], "y": ids[-2], "z": ids[-1]} if ids else {}
        for statement in statements:
            cursor.execute(statement.format(**names))
        for table in ("journal_entry", "journal_seal"):
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _seal_anew(*statements):
    """Change what happened and make every seal anew, as the product does, with whatever key there is now."""
    _run(*statements, DIGEST, "TRUNCATE journal_seal")
    seal.seal_journal(now=LATER)


def _put_printed_hash():
    printed = bytes(seal.last_seal().digest).hex()
    _seal_anew("DELETE FROM journal_entry WHERE id = {z}")
    _run(f"UPDATE journal_seal SET digest = decode('{printed}', 'hex')")


def _begin_anew():
    _run("TRUNCATE journal_entry, journal_seal")
    _record(0, 1)
    seal.seal_journal(now=LATER)


def _seal_days_unsigned():
    """Write the seals of the early format, which had no signature, over a journal that was rewritten."""
    _run("UPDATE journal_entry SET actor = 'zoe' WHERE id = {b}", DIGEST, "TRUNCATE journal_seal")
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, digest, (at AT TIME ZONE 'UTC')::date FROM journal_entry ORDER BY id")
        rows = cursor.fetchall()
        previous = chain.GENESIS
        for number, day in enumerate(sorted({row[2] for row in rows}), start=1):
            own = [(row_id, bytes(digest)) for row_id, digest, row_day in rows if row_day == day]
            leaves = b"".join(chain.LEAF.pack(row_id, digest[:8]) for row_id, digest in own)
            content = b"".join(chain.hash_row(row_id, digest) for row_id, digest in own)
            digest = sha256(previous + day.isoformat().encode() + content).digest()
            cursor.execute(
                "INSERT INTO journal_seal (number, day, entries, leaves, digest, previous, sealed_at)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [number, day, len(own), leaves, digest, previous, LATER],
            )
            previous = digest


WAYS: dict[str, Callable[[], None]] = {
    "the journal emptied": lambda: _run("TRUNCATE journal_entry"),
    "journal and seals emptied": lambda: _run("TRUNCATE journal_entry, journal_seal"),
    "journal emptied and begun anew": _begin_anew,
    "the month dropped": lambda: _run("DROP TABLE journal_entry_2026_11"),
    "the last row": lambda: _run("DELETE FROM journal_entry WHERE id = {z}"),
    "the last row with its seal": lambda: _run(
        "DELETE FROM journal_entry WHERE id = {z}", "DELETE FROM journal_seal WHERE number = 4"
    ),
    "the last day with its seal": lambda: _run(
        "DELETE FROM journal_entry WHERE at >= '2026-11-19'", "DELETE FROM journal_seal WHERE number = 4"
    ),
    "all but the first day": lambda: _run(
        "DELETE FROM journal_entry WHERE at >= '2026-11-17'", "DELETE FROM journal_seal WHERE number > 1"
    ),
    "only the last seal": lambda: _run("DELETE FROM journal_seal WHERE number = 4"),
    "a seal in the middle, the others renumbered": lambda: _run("DELETE FROM journal_seal WHERE number = 2", RENUMBER),
    "a day in the middle with its seal": lambda: _run(
        "DELETE FROM journal_entry WHERE at BETWEEN '2026-11-17' AND '2026-11-18'",
        "DELETE FROM journal_seal WHERE number = 2",
        RENUMBER,
    ),
    "the first row": lambda: _run("DELETE FROM journal_entry WHERE id = {a}"),
    "a byte": lambda: _run("UPDATE journal_entry SET actor = 'brunO' WHERE id = {b}"),
    "a row and its digest": lambda: _run("UPDATE journal_entry SET actor = 'zoe' WHERE id = {b}", DIGEST),
    "the last row and its digest, its seal gone": lambda: _run(
        "UPDATE journal_entry SET actor = 'zoe' WHERE id = {z}", DIGEST, "DELETE FROM journal_seal WHERE number = 4"
    ),
    "a row moved to another day": lambda: _run(
        "UPDATE journal_entry SET at = at + interval '1 day' WHERE id = {b}", DIGEST
    ),
    "a row dated to no day": lambda: _run("UPDATE journal_entry SET at = 'infinity' WHERE id = {b}", DIGEST),
    "two rows exchanged": lambda: _run(
        "UPDATE journal_entry SET id = -1 WHERE id = {y}",
        "UPDATE journal_entry SET id = {y} WHERE id = {z}",
        "UPDATE journal_entry SET id = {z} WHERE id = -1",
        DIGEST,
    ),
    "leaves that are no leaves": lambda: _run("UPDATE journal_seal SET leaves = 'x' WHERE number = 3"),
    "a row rewritten, sealed anew": lambda: _seal_anew("UPDATE journal_entry SET actor = 'zoe' WHERE id = {b}"),
    "the last row gone, sealed anew": lambda: _seal_anew("DELETE FROM journal_entry WHERE id = {z}"),
    "a row added, sealed anew": lambda: _seal_anew(
        "INSERT INTO journal_entry (id, at, kind, actor, digest) VALUES ({z} + 7, '2026-11-18Z', 'x', 'zoe', '')"
    ),
    "nothing changed, sealed anew as one": _seal_anew,
    "sealed anew, the printed hash put under it": _put_printed_hash,
    "sealed anew by day without signatures": _seal_days_unsigned,
}


def _verify(expected_hash=""):
    return verification.verify_journal(signers=seal_signature.trusted_signers(now=LATER), expected_hash=expected_hash)


@pytest.mark.parametrize("way", WAYS)
def test_with_the_last_printed_seal_in_hand_every_way_is_named(printed, way):
    assert _verify(printed).ok
    WAYS[way]()
    found = _verify(printed).first_altered
    assert found is not None
    assert found.what in {getattr(verification, name) for name in vars(verification) if name.isupper()}


def test_more_rows_and_seals_after_the_printed_one_are_no_alteration(printed):
    _record(8, 1)
    seal.seal_journal(now=LATER)
    _record(9, 1)
    verdict = _verify(printed)
    assert (verdict.ok, verdict.seals, verdict.unsealed) == (True, 5, 1)


def test_who_seals_anew_without_the_key_is_named_without_any_printed_seal(printed, monkeypatch, tmp_path):
    signers = seal_signature.trusted_signers(now=LATER)
    monkeypatch.setenv("RECOBRA_KEYS_DIR", str(tmp_path))
    _seal_anew("UPDATE journal_entry SET actor = 'zoe' WHERE id = {b}")
    found = verification.verify_journal(signers=signers).first_altered
    assert found.what == "the seal is signed by somebody else"
    _run("UPDATE journal_seal SET signature = ''")
    assert verification.verify_journal(signers=signers).first_altered.what == "the seal is not signed"


def test_the_file_outside_the_database_names_what_its_administrator_cut(
    printed, settings, tmp_path, django_capture_on_commit_callbacks
):
    settings.SEAL_FILE = tmp_path / "elsewhere" / "seals.jsonl"
    _record(8, 1)
    with django_capture_on_commit_callbacks(execute=True):
        seal.seal_journal(now=LATER)
    assert _verify().ok
    assert settings.SEAL_FILE.stat().st_mode & 0o777 == 0o600
    _run("DELETE FROM journal_entry WHERE id = {z}", "DELETE FROM journal_seal WHERE number = 5")
    found = _verify().first_altered
    assert found.what == "a seal that is kept outside the database is missing: the journal was cut or sealed anew"
    # The worker goes on sealing: what was cut stays named.
    _record(9, 1)
    with django_capture_on_commit_callbacks(execute=True):
        seal.seal_journal(now=LATER)
    assert _verify().first_altered == found
