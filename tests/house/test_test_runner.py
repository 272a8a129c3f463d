"""`make test` fails when a test or a linter does, and names the linter."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest
from tools import test as runner

from .conftest import ROOT


def ending(code):
    return [sys.executable, "-c", f"print('a finding'); raise SystemExit({code})"]


@pytest.mark.parametrize(("tests", "linters", "expected"), [(0, 0, 0), (0, 1, 1), (3, 0, 3), (3, 1, 3)])
def test_either_may_fail_the_run(capsys, tests, linters, expected):
    assert runner.run_beside(ending(tests), ending(linters)) == expected
    assert ("a finding" in capsys.readouterr().out) is bool(linters)


def test_who_ends_the_run_ends_the_tests_and_the_linters():
    sleeper = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)"]
    words = f"from tools import test; import sys; sys.exit(test.run_beside({sleeper!r}, {['sleep', '60']!r}))"
    with subprocess.Popen([sys.executable, "-c", words], cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        tests = int(run.stdout.readline())
        run.terminate()
        assert run.wait(timeout=30) != 0
    assert not psutil.pid_exists(tests)


def test_a_linter_that_finds_something_is_named(capsys, monkeypatch):
    monkeypatch.setattr(runner, "LINTERS", {"tidiness": ending(0), "types": ending(2)})
    assert runner.run_linters() == 1
    assert capsys.readouterr().out == "types:\na finding\n\n"


def test_the_linters_are_all_there_and_make_runs_them():
    assert list(runner.LINTERS) == ["ruff check", "ruff format", "import contracts", "mypy"]
    assert (ROOT / "Makefile").read_text().count("$(PY) tools/test.py") == 3
