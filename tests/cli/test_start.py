"""What a process has loaded when its command begins to work, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from recobra.cli import bootstrap
from tests import databases

# Each of these takes from a hundredth to a quarter of a second, in every process that loads it.
HEAVY = {
    "aiohttp",
    "babel",
    "charset_normalizer",
    "cryptography",
    "duckdb",
    "holidays",
    "ibis",
    "jinja2",
    "numpy",
    "pandas",
    "phonenumbers",
    "pyarrow",
    "pyhanko",
    "python_calamine",
    "sklearn",
    "sqlglot",
    "typst",
    "waitress",
    "yaml",
}
WORK = {"fact_columns", "jobs", "operations", "alarm_rules", "snapshot", "urls"}
"""Modules of apps that only work needs."""


@pytest.fixture
def loaded(home, installations):
    """What Python has loaded after each of some statements, in a new process."""

    def run(*statements: str) -> list[set[str]]:
        lines = ["import json, sys", *(f"{each}; print(json.dumps(list(sys.modules)))" for each in statements)]
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(lines)],
            env=installations.environment(home),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [set(json.loads(line)) for line in done.stdout.splitlines()]

    return run


def test_a_command_begins_to_work_with_little_loaded(loaded):
    parsed, begun, worked = loaded(
        "from recobra.cli import bootstrap, main; main.build_parser()",
        "bootstrap.set_up()",
        "from recobra.messaging import operations",
    )
    assert not {"django", "procrastinate", "psycopg", "pydantic"} & parsed
    assert not HEAVY & begun
    own = [name.split(".") for name in begun if name.startswith("recobra.")]
    assert not [".".join(parts) for parts in own if parts[1] != "journal" and WORK & {*parts[2:]}]
    assert not {name for name in begun if name.startswith("recobra.config.reactions.")}
    assert "pyarrow" in worked
    assert not {"aiohttp", "recobra.strategy.operations"} & worked


def test_a_process_ends_with_the_code_of_its_command_and_all_that_it_said(recobra_process):
    # Ibis makes a table of its own here; it must not ask for pandas, which a process does without.
    report = recobra_process("report", "aging", "--as-of", "2026-11-23", "--json")
    assert (report.code, report.document["rows"]) == (0, [])
    refused = recobra_process("report", "aging", "--portfolio", "NADIE")
    assert (refused.code, "NADIE" in refused.reason) == (1, True)


@pytest.mark.django_db
def test_migrations_are_pending_where_django_says_so():
    assert bootstrap.pending_migrations() == []
    loader = MigrationExecutor(connection).loader
    assert bootstrap._migrations_on_disk() == loader.disk_migrations.keys()
    # The last one of an app, for what another one follows does not count as pending.
    for app, name in (*loader.graph.leaf_nodes("messaging"), *loader.graph.leaf_nodes("auth")):
        with transaction.atomic(), databases.acting_as_owner():
            MigrationRecorder(connection).record_unapplied(app, name)
            assert bootstrap.pending_migrations() == [f"{app}.{name}"]
            transaction.set_rollback(True)
