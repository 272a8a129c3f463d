"""Files that are created on the first start and read on every other."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from . import durable_files


def read_or_create(path: Path, text: str) -> str:
    """Return the text of a file, created with `text` and readable by its owner only where there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Of several first starts at once, one gives its text and all return that.
        with suppress(FileExistsError):
            durable_files.write_file(path, text.encode(), is_new=True)
    return path.read_text(encoding="utf-8")
