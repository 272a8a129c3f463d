"""The directories and the server of a test run (loaded by `-p` in pyproject, before Django reads its settings).

One PostgreSQL server serves the whole run. Each worker has a data directory of its own, so that the files of one are
no other's, and databases of its own (databases.py).
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import psutil
import pytest
from _pytest.assertion import rewrite

from tests import extent

PREFIX = "recobra-tests-"

# What is imported and collected stays until the end, and looking through it again and again takes a third of the time;
# `conftest.pytest_collection_finish` lets the collector begin.
gc.disable()


def remove_home(owner: int) -> None:
    """Delete the directories when the process that made them ends; children that it forked leave them alone."""
    if os.getpid() == owner:
        shutil.rmtree(os.environ["RECOBRA_TEST_HOME"], ignore_errors=True)


def end_gently(*_signal: object) -> None:
    """End a run at SIGTERM as at Ctrl-C, so that everything is put away; a second signal does not disturb that."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def remove_abandoned() -> None:
    """Delete the directories of runs that were killed; a server notices within a minute that its own are gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


if "RECOBRA_TEST_HOME" not in os.environ:
    remove_abandoned()
    signal.signal(signal.SIGTERM, end_gently)
    os.environ["RECOBRA_TEST_HOME"] = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-")
    atexit.register(remove_home, os.getpid())  # after the server, which is given up by then
HOME = Path(os.environ["RECOBRA_TEST_HOME"])
HOME.chmod(0o755)  # under root, the database's own user must reach its cluster
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "alone")
os.environ["RECOBRA_DATA_DIR"] = str(HOME / WORKER)
os.environ["RECOBRA_CACHE_DIR"] = str(HOME / "cache")
os.environ["RECOBRA_DEMO"] = "1"
os.environ["RECOBRA_INNER_HOSTS"] = "localhost,127.0.0.*,[::1]"  # the servers that stand for providers
os.environ["RECOBRA_KEYS_DIR"] = str(HOME / "keys")  # for all, since a database may be copied from another worker's
os.environ["RECOBRA_SEAL_FILE"] = ""  # the databases of a worker come and go, its data directory stays
os.environ["RECOBRA_SECRET_KEY"] = HOME.name  # one key, so that every worker reads the sessions that one has made
os.environ.pop("RECOBRA_SMTP_URL", None)
for _folder in (HOME / WORKER, HOME / "postgres", HOME / "keys"):
    _folder.mkdir(exist_ok=True)
with contextlib.suppress(FileExistsError):
    (HOME / WORKER / "postgres").symlink_to(HOME / "postgres")


def rewrite_share(config: pytest.Config, *, worker: int, workers: int) -> None:
    """Rewrite the assertions of a worker's share of the test files, as pytest does when it imports them.

    In a fresh clone all workers import all files at the same time, and each would rewrite every one of them.
    """
    state = config.stash[rewrite.assertstate_key]
    files = sorted(file for name in ("test_*.py", "conftest.py") for file in Path(__file__).parent.rglob(name))
    for file in files[worker::workers]:
        folder = rewrite.get_cache_dir(file)
        rewritten = folder / (file.stem + rewrite.PYC_TAIL)
        if rewrite._read_pyc(file, rewritten) is None and rewrite.try_makedirs(folder):
            source_hash, code = rewrite._rewrite_test(file, config)
            rewrite._write_pyc(state, code, source_hash, rewritten)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--whole`."""
    parser.addoption("--whole", action="store_true", help="prove at full size what is long by nature")


def pytest_configure(config: pytest.Config) -> None:
    """Fix the extent of the run before tests are collected."""
    if config.getoption("whole"):
        extent.make_whole()
    if WORKER != "alone" and not sys.dont_write_bytecode:
        rewrite_share(
            config, worker=int(WORKER.removeprefix("gw")), workers=int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
        )


def pytest_unconfigure() -> None:
    """Give up the server, which stops with its last user."""
    from recobra.kit import database  # noqa: PLC0415 - after the environment is set

    database.embedded_server(database.data_dir()).stop()
