"""Give the tests data directories of their own before Django reads its settings (loaded by `-p` in pyproject).

Each worker of a parallel run has its own, with its own server: the lake of one is no other's.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest

if "RECOBRA_TEST_HOME" not in os.environ:
    os.environ["RECOBRA_TEST_HOME"] = tempfile.mkdtemp(prefix="recobra-tests-")
    os.environ["RECOBRA_TEST_OWNER"] = str(os.getpid())
HOME = Path(os.environ["RECOBRA_TEST_HOME"])
HOME.chmod(0o755)  # under root, the database's own user must reach its cluster
os.environ["RECOBRA_DATA_DIR"] = str(HOME / os.environ.get("PYTEST_XDIST_WORKER", "alone"))
Path(os.environ["RECOBRA_DATA_DIR"]).mkdir(exist_ok=True)
os.environ["RECOBRA_CACHE_DIR"] = str(HOME / "cache")
os.environ["RECOBRA_DEMO"] = "1"
os.environ.pop("RECOBRA_SMTP_URL", None)


def without_waiting_for_the_disk(url: str) -> None:
    """Let a server of the tests answer before its data are safe: no test looks at what a power cut leaves."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Prepare the server before its databases are made."""
    from recobra.kit import database  # noqa: PLC0415 - after the environment is set

    without_waiting_for_the_disk(database.url())


def pytest_unconfigure() -> None:
    """Stop this process's server; whoever made the directories removes them."""
    from recobra.kit import database  # noqa: PLC0415 - after the environment is set

    database.remove_embedded()
    if os.environ.get("RECOBRA_TEST_OWNER") == str(os.getpid()):
        shutil.rmtree(HOME, ignore_errors=True)
