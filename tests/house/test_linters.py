"""What `make check` runs, also run by `make test`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

BIN = Path(sys.executable).parent


def _clean(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_ruff_finds_nothing():
    _clean(sys.executable, "-m", "ruff", "check", ".")


def test_ruff_would_change_no_line():
    _clean(sys.executable, "-m", "ruff", "format", "--check", ".")


def test_imports_point_one_way():
    _clean(str(BIN / "lint-imports"))


@pytest.mark.timeout(900)
def test_the_types_hold():
    _clean(sys.executable, "-m", "mypy")
