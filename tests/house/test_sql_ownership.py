"""SQL stays where its tables are: the import contract sees Python alone, and a string would walk around it.

An app above asks the owner (`queries.py`, `sql.py`) or the ORM, whose imports the contract sees. `-s` prints the list
of those that may name other apps' tables, and why.
"""

from __future__ import annotations

import ast
import sys

import pytest

from .conftest import ROOT, tracked
from .table_names import app_of, duck_texts, foreign_tables, models_of, owned_tables, texts_of

ALLOWED = {
    "src/recobra/insight/": "insight reads every app by its definition, and writes none",
    "src/recobra/cli/bench/": "the bench fills and counts whole tables, beside the product",
    "src/recobra/intake/load/": "a load compares and writes the portfolio set by set, a million accounts at a time",
    "src/recobra/payments/operations/": "a payment becomes postings in one statement, for one or for a million",
    "src/recobra/messaging/dispatch/facts.py": "all facts of a leased batch in one statement, at one instant",
    "src/recobra/messaging/dispatch/handover.py": "the statement that marks a message looks once more for a silence",
    "src/recobra/messaging/dispatch/lease.py": "one statement locks the contact and its debtor",
    "src/recobra/messaging/receipts/record.py": "receipts retire the addresses that they say are dead, set by set",
    "src/recobra/consent/ledger.py": "a load's new points get the ledger's word in one statement; contacts by address",
    "src/recobra/compliance/incidents.py": "messages after an opt-out are found by one statement over a month",
}
"""Files or folders that may name tables of other apps in SQL, with the reason. The fewer the better."""

DUCKDB = ("src/recobra/intake/", "src/recobra/tabular/", "src/recobra/kit/engine.py", "src/recobra/kit/sql_cache.py")
"""Where SQL text for DuckDB may stand: the reading of files, and the engine. Decisions are Ibis expressions."""


def _found(sources):
    """Return {file: {table: line}} of everything that names tables of other apps."""
    owners = owned_tables(sources)
    found = {}
    for name, (_text, tree) in sources.items():
        tables = foreign_tables(name, texts_of(tree), owners) if app_of(name) else {}
        if tables:
            found[name] = tables
    for name in tracked("src/**/*.sql"):
        tables = foreign_tables(name, [(1, (ROOT / name).read_text(encoding="utf-8"))], owners)
        if tables:
            found[name] = tables
    return found


def _told():
    return "\n".join(["", "May name tables of other apps:", *(f"  {name}: {why}" for name, why in ALLOWED.items())])


def test_sql_names_the_tables_of_its_own_app(sources):
    found = _found(sources)
    sys.stdout.write(_told())
    strange = [
        f"{name}:{line} names {table}"
        for name, tables in found.items()
        for table, line in tables.items()
        if not name.startswith(tuple(ALLOWED))
    ]
    assert not strange, "\n".join(["", *strange, _told()])
    unused = [path for path in ALLOWED if not any(name.startswith(path) for name in found)]
    assert not unused, f"No longer needed in the list: {unused}"


@pytest.mark.parametrize(
    "text",
    [
        'QUERY = "SELECT id FROM messaging_contact"',
        'def read(where):\n    return f"SELECT max(paid_date) FROM payments_payment WHERE {where}"',
        'tables.copy_in("portfolio_hold", rows)',
    ],
)
def test_a_query_across_apps_is_named(sources, text):
    scratch = "src/recobra/strategy/scratch.py"
    found = _found({**sources, scratch: (text, ast.parse(text))})
    (table,) = found[scratch]
    assert not scratch.startswith(tuple(ALLOWED))
    assert table in {"messaging_contact", "payments_payment", "portfolio_hold"}


def test_a_docstring_and_the_own_tables_are_no_queries_across_apps(sources):
    text = '"""Says what messaging_contact is."""\nQUERY = "SELECT FROM strategy_firing"'
    assert "src/recobra/strategy/scratch.py" not in _found(
        {**sources, "src/recobra/strategy/scratch.py": (text, ast.parse(text))}
    )


def test_every_model_has_its_table_in_the_test(sources):
    assert len(list(models_of(sources))) == len(owned_tables(sources)) > 50


def test_duckdb_text_stands_in_the_reading_of_files_and_in_the_engine(sources):
    strange = [
        f"{name}:{line}"
        for name, (_text, tree) in sources.items()
        if not name.startswith(DUCKDB)
        for line in duck_texts(tree)
    ]
    assert not strange, "\n".join(strange)


def test_duckdb_text_elsewhere_is_named():
    for text in (
        'duck.sql("FROM candidates")',
        'QUERY = "SELECT * EXCLUDE (a) FROM t"',
        'day.duck.execute(f"FROM {t}")',
    ):
        assert duck_texts(ast.parse(text)) == [1]
    assert duck_texts(ast.parse("duck.execute(statements.accounts)")) == []
