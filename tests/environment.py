"""Give the tests a data directory of their own before Django reads its settings (loaded by `-p` in pyproject)."""

from __future__ import annotations

import os
import shutil
import tempfile

if "RECOBRA_TEST_HOME" not in os.environ:
    home = tempfile.mkdtemp(prefix="recobra-tests-")
    os.environ["RECOBRA_TEST_HOME"] = home
    os.environ["RECOBRA_TEST_OWNER"] = str(os.getpid())
os.environ["RECOBRA_DATA_DIR"] = os.environ["RECOBRA_TEST_HOME"]
os.environ["RECOBRA_DEMO"] = "1"
os.environ.pop("RECOBRA_SMTP_URL", None)


def pytest_unconfigure() -> None:
    """Remove the data directory when the process that made it ends."""
    if os.environ.get("RECOBRA_TEST_OWNER") == str(os.getpid()):
        from recobra.kit import database  # noqa: PLC0415 - after the environment is set

        database.remove_embedded()
        shutil.rmtree(os.environ["RECOBRA_TEST_HOME"], ignore_errors=True)
