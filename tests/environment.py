"""Give the tests data directories of their own before Django reads its settings (loaded by `-p` in pyproject).

Each worker of a parallel run has its own, with its own server: the lake of one is no other's.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

if "RECOBRA_TEST_HOME" not in os.environ:
    os.environ["RECOBRA_TEST_HOME"] = tempfile.mkdtemp(prefix="recobra-tests-")
    os.environ["RECOBRA_TEST_OWNER"] = str(os.getpid())
HOME = Path(os.environ["RECOBRA_TEST_HOME"])
HOME.chmod(0o755)  # under root, the database's own user must reach its cluster
os.environ["RECOBRA_DATA_DIR"] = str(HOME / os.environ.get("PYTEST_XDIST_WORKER", "alone"))
Path(os.environ["RECOBRA_DATA_DIR"]).mkdir(exist_ok=True)
os.environ["RECOBRA_DEMO"] = "1"
os.environ.pop("RECOBRA_SMTP_URL", None)


def pytest_unconfigure() -> None:
    """Stop this process's server; whoever made the directories removes them."""
    from recobra.kit import database  # noqa: PLC0415 - after the environment is set

    database.remove_embedded()
    if os.environ.get("RECOBRA_TEST_OWNER") == str(os.getpid()):
        shutil.rmtree(HOME, ignore_errors=True)
