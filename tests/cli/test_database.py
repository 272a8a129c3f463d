"""A backup can be read back, and the journal's proof is a command."""

from __future__ import annotations

import psycopg
import pytest
from django.core import management
from django.db import connection, transaction

from recobra.cli import bootstrap
from recobra.kit import database as settings
from tests import databases

ONE_FACT = (
    "INSERT INTO journal_entry (at, kind, actor) VALUES ('2026-01-05T12:00Z', 'hold.placed', 'bruno') RETURNING id"
)


@pytest.fixture
def fact(database_url, home):
    """One fact of a finished day, taken away again behind the triggers' back."""
    with psycopg.connect(database_url, autocommit=True) as server:
        (key,) = server.execute(ONE_FACT).fetchone()
        yield key
        server.execute("ALTER TABLE journal_entry DISABLE TRIGGER USER")
        server.execute("ALTER TABLE journal_seal DISABLE TRIGGER USER")
        server.execute("DELETE FROM journal_entry")
        server.execute("DELETE FROM journal_seal")
        server.execute("ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER journal_write_digest")
        server.execute("ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER journal_append_only")
        server.execute("ALTER TABLE journal_seal ENABLE ALWAYS TRIGGER seal_append_only")
    (home / "journal-seals.jsonl").unlink(missing_ok=True)


def test_a_backup_is_read_into_an_empty_database(recobra, fact, tmp_path, new_installation):
    other = new_installation(own_server=True)
    file = tmp_path / "copia.dump"
    assert recobra("db", "backup", file).code == 0
    restored = recobra("db", "restore", file, "--json", at=other)
    assert (restored.code, restored.document["tables"] > 30) == (0, True)
    verified = recobra("journal", "verify", "--json", at=other)
    assert (verified.document["ok"], verified.document["rows"]) == (True, 2), "and that sending stopped"
    assert "contact resume" in recobra("dispatch", "--once", at=other).reason
    assert not (other / "database-restored").exists()


def test_a_restore_that_was_killed_after_its_rows_lets_nothing_leave_either(recobra, new_installation):
    home = new_installation()
    (home / "database-restored").touch()
    assert "db migrate" in recobra("dispatch", "--once", at=home).reason
    assert recobra("db", "migrate", at=home).code == 0
    assert "contact resume" in recobra("dispatch", "--once", at=home).reason
    assert not (home / "database-restored").exists()


def test_what_is_stored_is_closed_to_the_machines_other_accounts(recobra_process, new_installation):
    """Whatever the command was started with, and what an earlier version left open too."""
    home = new_installation()
    (home / "lake" / "old").mkdir(parents=True, mode=0o777)
    (home / "lake" / "old" / "day.parquet").touch(0o666)
    home.chmod(0o755)
    assert recobra_process("db", "backup", home / "copia.dump", at=home, umask=0).code == 0
    stored = {path.name: path.stat().st_mode & 0o077 for path in (home, *home.rglob("*"))}
    assert {"secret-key", "copia.dump", "day.parquet"} <= stored.keys()
    assert {name for name, mode in stored.items() if mode} == set()


def test_a_backup_is_never_read_over_data(recobra, fact, tmp_path):
    recobra("db", "backup", tmp_path / "copia.dump")
    ended = recobra("db", "restore", tmp_path / "copia.dump")
    assert (ended.code, "not empty" in ended.reason) == (1, True)


def test_a_backup_that_cannot_be_written_leaves_no_half_file(recobra, fact, tmp_path):
    ended = recobra("db", "backup", tmp_path / "no" / "copia.dump")
    assert (ended.code, list(tmp_path.iterdir())) == (1, [])


def test_an_untouched_journal_ends_with_0(recobra, fact):
    sealed = recobra("journal", "seal", "--json").document
    ended = recobra("journal", "verify", "--expect", sealed["hash"], "--json")
    document = {"ok": True, "rows": 1, "days": 1, "seals": 1, "unsealed": 0, "unsigned": 0}
    assert (ended.code, ended.document) == (
        0,
        {**document, "last_seal": ended.document["last_seal"], "first_altered": None},
    )
    assert ended.document["last_seal"]["hash"] == sealed["hash"]


def test_verifying_seals_nothing(recobra, fact):
    recobra("journal", "verify")
    assert recobra("journal", "verify", "--json").document["seals"] == 0


def test_a_printed_seal_that_is_missing_ends_with_1(recobra, fact, database_url):
    sealed = recobra("journal", "seal", "--json").document
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute("ALTER TABLE journal_entry DISABLE TRIGGER USER")
        server.execute("ALTER TABLE journal_seal DISABLE TRIGGER USER")
        server.execute("DELETE FROM journal_entry")
        server.execute("DELETE FROM journal_seal")
    cut = recobra("journal", "verify", "--expect", sealed["hash"])
    assert (cut.code, "the expected seal is missing" in cut.reason) == (1, True)
    # The file beside the database names it too, without anything in hand.
    assert "kept outside the database is missing" in recobra("journal", "verify").reason
    assert recobra("journal", "verify", "--expect", "abc").code == 2


def test_an_altered_row_is_named_and_ends_with_1(recobra, fact, database_url):
    recobra("journal", "seal")
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute("ALTER TABLE journal_entry DISABLE TRIGGER USER")
        server.execute("UPDATE journal_entry SET actor = 'brunO'")
    ended = recobra("journal", "verify", "--json")
    assert (ended.code, ended.document["ok"]) == (1, False)
    assert (ended.document["first_altered"]["id"], ended.document["first_altered"]["day"]) == (fact, "2026-01-05")
    assert f"row {fact}" in ended.reason


@pytest.fixture
def wanting_a_table(monkeypatch, database_url):
    """Let a migration want a table for itself, in a hurry."""
    monkeypatch.setattr(bootstrap, "LOCK_SECONDS", 1)
    monkeypatch.setattr(bootstrap, "LOCK_TRIES", 2)
    added = "ALTER TABLE journal_seal ADD COLUMN tried integer"
    monkeypatch.setattr(bootstrap, "_bring_to_present", lambda **_more: connection.cursor().execute(added))
    yield
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute("ALTER TABLE journal_seal DROP COLUMN tried")


def test_a_migration_lets_the_others_pass_and_says_who_is_in_its_way(recobra, database_url, wanting_a_table):
    with psycopg.connect(database_url) as report:
        report.execute("SELECT count(*) FROM journal_seal")
        refused = recobra("db", "migrate")
        assert (refused.code, "tries again" in refused.err) == (1, True)
        assert f"{report.info.backend_pid} (recobra_owner)" in refused.reason
    assert recobra("db", "migrate").code == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("changed", "tries"), [("contract", 1), ("product", 2)])
def test_reports_go_on_while_tables_change_unless_a_column_of_theirs_does(monkeypatch, changed, tries):
    stood = []

    def migrate(*_names, **_options):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('reporting.accounts') IS NOT NULL")
            stood.append(cursor.fetchone()[0])
            cursor.execute(f"ALTER TABLE portfolio_account ALTER COLUMN {changed} TYPE varchar(900)")

    monkeypatch.setattr(bootstrap, "pending_migrations", lambda: ["portfolio.0999_wider"])
    monkeypatch.setattr(management, "call_command", migrate)
    with databases.acting_as_owner():
        bootstrap._bring_to_present(again=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM reporting.accounts")
    assert stood == [True, False][:tries]


def test_an_old_server_is_refused():
    with pytest.raises(settings.DatabaseUnsuitable, match="PostgreSQL 14 is too old"):
        settings.check_version(14)
    settings.check_version(15)
