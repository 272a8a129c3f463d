"""`make test` fails when a test or a linter does, and names the linter."""

from __future__ import annotations

import sys

import pytest
from tools import test as runner

from .conftest import ROOT


def ending(code):
    return [sys.executable, "-c", f"print('a finding'); raise SystemExit({code})"]


@pytest.mark.parametrize(("tests", "linters", "expected"), [(0, 0, 0), (0, 1, 1), (3, 0, 3), (3, 1, 3)])
def test_either_may_fail_the_run(capsys, tests, linters, expected):
    assert runner.run_beside(ending(tests), ending(linters)) == expected
    assert ("a finding" in capsys.readouterr().out) is bool(linters)


def test_a_linter_that_finds_something_is_named(capsys, monkeypatch):
    monkeypatch.setattr(runner, "LINTERS", {"tidiness": ending(0), "types": ending(2)})
    assert runner.run_linters() == 1
    assert capsys.readouterr().out == "types:\na finding\n\n"


def test_the_linters_are_all_there_and_make_runs_them():
    assert list(runner.LINTERS) == ["ruff check", "ruff format", "import contracts", "mypy"]
    assert (ROOT / "Makefile").read_text().count("$(PY) tools/test.py") == 3
