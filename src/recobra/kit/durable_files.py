"""Files that survive a power cut: each is the old one or the new one, whole and on the disk, and never half of it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

_PRIVATE = 0o600


@contextmanager
def open_draft(path: Path, *, draft: Path | None = None, is_new: bool = False) -> Iterator[IO[bytes]]:
    """Yield a file that takes the place of `path` when the block ends, private to its owner; if it raises, nothing did.

    It is written as `draft` (default: a hidden name beside it), which never stays. With `is_new` it replaces no other:
    raises FileExistsError where one came meanwhile. Raises OSError.
    """
    draft = draft or path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            yield file
        put_in_place(draft, path, is_new=is_new)
    finally:
        draft.unlink(missing_ok=True)


def write_file(path: Path, content: bytes, *, is_new: bool = False) -> None:
    """Write a whole file, as `open_draft` does. Raises OSError, FileExistsError."""
    with open_draft(path, is_new=is_new) as file:
        file.write(content)


def put_in_place(draft: Path, path: Path, *, is_new: bool = False) -> None:
    """Give a file that is written its name. Raises OSError, and FileExistsError where it is to be new."""
    _sync(draft)
    if is_new:
        os.link(draft, path)
    else:
        draft.replace(path)
    _sync(path.parent)


def append_line(path: Path, line: str) -> None:
    """Add a line to a file, made private to its owner where there is none. Raises OSError."""
    is_first = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, _PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{line}\n")
        file.flush()
        os.fsync(file.fileno())
    if is_first:
        _sync(path.parent)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
