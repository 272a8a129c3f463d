"""Texts that take long to work out, kept in files for the other processes of an installation and for those to come."""

from __future__ import annotations

import logging
import os
import uuid
from pathlib import Path
from typing import Final

from recobra.kit.database import data_dir

MAX_CACHED_FILES: Final = 400
"""Of one folder: what is older than the newest so many is forgotten."""
_END_MARKER: Final = b"\n-- the end"
"""A file without it is cut off: a power failure may keep a name and lose its content."""
_log = logging.getLogger(__name__)


def cache_dir() -> Path:
    """Return the folder of files that can be created anew at any time."""
    return Path(os.environ.get("RECOBRA_CACHE_DIR") or data_dir() / "cache").resolve()


def read_text(folder: str, key: str) -> str | None:
    """Return the text kept in a folder under a key, None where there is none or it is damaged."""
    file = _file_of(folder, key)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.warning("What was worked out before cannot be read and is worked out anew: %s", error)
        return None
    if not content.endswith(_END_MARKER):
        _log.warning("What was worked out before is not whole and is worked out anew: %s", file.name)
        return None
    return content.removesuffix(_END_MARKER).decode()


def keep_text(folder: str, key: str, text: str) -> None:
    """Keep a text whole or not at all; an installation without a writable folder works it out in every process."""
    file = _file_of(folder, key)
    partial = file.with_suffix(f".{uuid.uuid4().hex}")  # not the process id: threads share it, and containers repeat it
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(text.encode() + _END_MARKER)
        partial.replace(file)
        files = list(file.parent.glob(f"*{file.suffix}"))
        if len(files) > MAX_CACHED_FILES:
            by_age = sorted(files, key=lambda path: path.stat().st_mtime)
            for oldest in by_age[: len(files) - MAX_CACHED_FILES]:
                oldest.unlink(missing_ok=True)
    except OSError as error:
        _log.warning("What was worked out cannot be kept for the next process: %s", error)


def _file_of(folder: str, key: str) -> Path:
    """Return the file of a key, which must do as a file's name."""
    return cache_dir() / folder / f"{key}.{folder}"
