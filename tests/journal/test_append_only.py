import time

import psycopg
import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from tests import databases
from tests.people import acting

from recobra.journal import operations, reactions, seal
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
    with databases.acting_as_owner(), pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
        connection.cursor().execute(change.format(table))
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(change.format(table))


@pytest.mark.parametrize(
    "table",
    ["journal_entry", "journal_entry_2026_11", "journal_seal", "portfolio_posting", "consent_consententry"],
)
def test_what_only_grows_is_never_emptied_whatever_the_role_of_the_session(db, now, table):
    _write(now)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            cursor.execute(f"TRUNCATE {table} CASCADE")
        with databases.acting_as_owner(), pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
            cursor.execute(f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize("change", ["UPDATE journal_seal SET entries = 0", "DELETE FROM journal_seal"])
def test_a_seal_is_never_changed(db, now, change):
    _write(now)
    seal.seal_journal(now=now)
    with databases.acting_as_owner(), pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
        connection.cursor().execute(change)
    with pytest.raises(ProgrammingError, match="permission denied"), connection.cursor() as cursor:
        cursor.execute(change)


def test_a_month_that_opens_is_guarded_like_the_others(db, now):
    _write(now.replace(year=2031))
    with (
        databases.acting_as_owner(),
        pytest.raises(IntegrityError, match="only grows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"TRUNCATE journal_entry_2031_{now:%m}")


def test_the_coming_month_is_opened_before_its_first_fact(db, now):
    operations.open_coming_month(now=now.replace(year=2032, month=12))
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('journal_entry_2033_01') IS NOT NULL")
        assert cursor.fetchone() == (True,)


@pytest.mark.django_db(transaction=True)
def test_a_month_is_not_waited_for_while_a_backup_reads_the_journal(now):
    with psycopg.connect(databases.url_of()) as backup:
        backup.execute("SELECT count(*) FROM journal_entry")
        began = time.monotonic()
        with transaction.atomic():
            _write(now.replace(year=2034))
        assert time.monotonic() - began < 5
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM journal_entry WHERE at > '2034-01-01'")
        assert cursor.fetchall() == [("journal_entry_default",)]


def test_reactions_follow_their_fact(db, now, monkeypatch):
    _seen.clear()
    monkeypatch.setitem(reactions._PATHS, VisitNoted, [f"{__name__}.note_debtors"])
    _write(now)
    assert _seen == [7]


_seen: list[int] = []


def note_debtors(recorded):
    _seen.extend(recorded.debtor_ids())
