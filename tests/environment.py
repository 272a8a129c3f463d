"""The directories and the server of a test run (loaded by `-p` in pyproject, before Django reads its settings).

One PostgreSQL server serves the whole run. Each worker has a data directory of its own, so that the files of one are
no other's, and databases of its own (databases.py).
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests import extent

if "RECOBRA_TEST_HOME" not in os.environ:
    os.environ["RECOBRA_TEST_HOME"] = tempfile.mkdtemp(prefix="recobra-tests-")
    os.environ["RECOBRA_TEST_OWNER"] = str(os.getpid())
HOME = Path(os.environ["RECOBRA_TEST_HOME"])
HOME.chmod(0o755)  # under root, the database's own user must reach its cluster
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
os.environ["RECOBRA_DATA_DIR"] = str(HOME / WORKER)
os.environ["RECOBRA_CACHE_DIR"] = str(HOME / "cache")
os.environ["RECOBRA_DEMO"] = "1"
os.environ["RECOBRA_SECRET_KEY"] = HOME.name  # one key, so that every worker reads the sessions that one has made
os.environ.pop("RECOBRA_SMTP_URL", None)
for _folder in (HOME / WORKER, HOME / "postgres"):
    _folder.mkdir(exist_ok=True)
with contextlib.suppress(FileExistsError):
    (HOME / WORKER / "postgres").symlink_to(HOME / "postgres")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--whole`."""
    parser.addoption("--whole", action="store_true", help="prove at full size what is long by nature")


def pytest_configure(config: pytest.Config) -> None:
    """Fix the extent of the run before tests are collected."""
    if config.getoption("whole"):
        extent.make_whole()


def pytest_unconfigure() -> None:
    """Give up the server, which stops with its last user; whoever made the directories removes them."""
    from recobra.kit import database  # noqa: PLC0415 - after the environment is set

    database.embedded_server(database.data_dir()).stop()
    if os.environ.get("RECOBRA_TEST_OWNER") == str(os.getpid()):
        shutil.rmtree(HOME, ignore_errors=True)
