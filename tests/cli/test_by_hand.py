"""Commands as a person types them on an empty installation: what they say, and what they refuse in clear words."""

from __future__ import annotations

import pytest


def test_the_sql_of_the_roles_is_quoted(recobra):
    ended = recobra("db", "roles", "--owner", 'du"eña', "--database", "a b")
    assert ended.code == 0
    assert 'CREATE ROLE "du""eña" LOGIN;' in ended.out
    assert 'CREATE DATABASE "a b" OWNER "du""eña"' in ended.out
    assert len(recobra("db", "roles", "--json").document["statements"]) == len(ended.out.splitlines())


def test_reports_are_told_where_only_if_there_is_a_port(recobra):
    refused = recobra("db", "reporting")
    assert (refused.code, "company's own server" in refused.reason) == (1, True)
    wrong = recobra("db", "reporting", RECOBRA_REPORTING_PORT="80", RECOBRA_DATABASE_URL="")
    assert (wrong.code, "1024 to 65535" in wrong.reason) == (1, True)


def test_health_says_what_is_missing_and_not_how_the_database_says_it(recobra, empty_database_url, tmp_path):
    where = {"RECOBRA_DATA_DIR": str(tmp_path), "RECOBRA_DATABASE_URL": empty_database_url}
    ended = recobra("health", **where)
    assert (ended.code, "db migrate" in ended.out, "LINE 1" in ended.out) == (1, True, False)
    parts = recobra("health", "--json").document["parts"]
    assert (parts["database"]["ok"], parts["jobs"]["ok"], parts["worker"]["ok"]) == (True, True, False)


def test_what_a_status_lists_is_read_without_brackets(recobra):
    shown = recobra("db", "status").out
    assert ("pending: -" in shown, "can_back_up: True" in shown) == (True, True)


def test_a_data_directory_that_cannot_be_is_named(recobra, tmp_path):
    (tmp_path / "datos").write_text("a file")
    refused = recobra("db", "status", RECOBRA_DATA_DIR=str(tmp_path / "datos" / "más"), RECOBRA_DATABASE_URL="")
    assert (refused.code, refused.reason) == (1, f"recobra: {tmp_path / 'datos' / 'más'}: Not a directory.")


def test_nothing_is_erased_without_a_yes(recobra):
    assert recobra("retention", "due", "--json").document["due"] == 0
    asked = recobra("retention", "run")
    assert (asked.code, "0 debtors lose data for good" in asked.reason, "--yes" in asked.reason) == (1, True, True)
    assert recobra("retention", "run", "--yes", "--limit", "0").code == 1
    done = recobra("retention", "run", "--yes", "--json").document
    assert (done["debtors"], done["has_more"]) == (0, False)


@pytest.mark.parametrize(("output", "says"), [("copia.txt", ".zip"), ("copia.zip", "no debtor «1»")])
def test_a_copy_for_nobody_leaves_no_file(recobra, tmp_path, output, says):
    refused = recobra("retention", "copy", "--debtor", "1", "--output", tmp_path / output)
    assert (refused.code, says in refused.reason, list(tmp_path.iterdir())) == (1, True, [])


def test_a_backup_that_may_not_read_everything_says_whose_right_is_missing(recobra, new_installation, tmp_path):
    home = new_installation()
    (tmp_path / "frase").write_text("una frase bien larga\n")
    words = ("--passphrase-file", tmp_path / "frase")
    for command in (("backup", tmp_path / "b.recobra", *words), ("db", "backup", tmp_path / "b.dump")):
        refused = recobra(*command, at=home, RECOBRA_DATABASE_OWNER_URL="")
        assert (refused.code, "RECOBRA_DATABASE_OWNER_URL" in refused.reason) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["frase"]
    assert recobra("db", "status", "--json", at=home, RECOBRA_DATABASE_OWNER_URL="").document["can_back_up"] is False
    assert recobra("db", "status", "--json", at=home).document["can_back_up"] is True
