"""What the house rules are measured on: the tracked source, parsed once."""

from __future__ import annotations

import ast
import gc
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tracked(*patterns):
    """Return the tracked files, and new ones that are not ignored, as paths relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(name for name in set(listed.stdout.splitlines()) if (ROOT / name).is_file())


def read_sources(names):
    """Return {path: (text, tree)} of Python files."""
    texts = {name: (ROOT / name).read_text(encoding="utf-8") for name in names}
    gc.disable()  # every node stays: collecting garbage among them takes longer than parsing
    try:
        return {name: (text, ast.parse(text, name)) for name, text in texts.items()}
    finally:
        gc.enable()


@pytest.fixture(scope="session")
def sources():
    """Return {path: (text, tree)} of the product's Python files, migrations apart."""
    names = [name for name in tracked("src/**/*.py") if "/migrations/" not in name]
    assert names
    return read_sources(names)
