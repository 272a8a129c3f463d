"""The folder of the installation's keys, and the data keys in it, which encrypt columns of the database.

The folder is RECOBRA_KEYS_DIR, else the data directory. It holds three files, readable by their owner only:
`data-keys`, `secret-key` (signs sessions and links) and `evidence-key.pem` (signs evidence and seals). `data-keys` has
one key a line, newest first:

    ID CREATED RETIRED KEY

ID is eight hexadecimal digits, CREATED and RETIRED are instants in ISO 8601 (`-` for a key in use), KEY is 32 bytes in
base64. The first key encrypts, all of them decrypt. A change of the file reaches every process at its next value.
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from . import clock, created_once, durable_files
from .database import data_dir

DATA_KEYS: Final = "data-keys"
SECRET_KEY: Final = "secret-key"  # noqa: S105 - the name of a file
EVIDENCE_KEY: Final = "evidence-key.pem"
KEY_FILES: Final = (DATA_KEYS, SECRET_KEY, EVIDENCE_KEY)
KEY_BYTES: Final = 32
SECRET_KEYS_KEPT: Final = 5
"""Earlier keys of sessions and links that still count: the links of messages live for as long as people keep them."""
_ID_DIGITS: Final = 8


class KeysUnsuitable(Exception):
    """A file of keys cannot be used; the text says why, and never what it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataKey:
    """One key of 256 bits; `retired_at` is None while it may still open values of the database."""

    id: str
    created_at: datetime
    retired_at: datetime | None
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """The data keys, newest first; the first one encrypts."""

    keys: tuple[DataKey, ...]

    @property
    def current(self) -> DataKey:
        """Return the key that encrypts."""
        return self.keys[0]

    def find(self, key_id: str) -> DataKey | None:
        """Return the key of an id, None where it is not of this installation."""
        return next((key for key in self.keys if key.id == key_id), None)


def keys_dir() -> Path:
    """Return the folder of the installation's keys."""
    outside = os.environ.get("RECOBRA_KEYS_DIR")
    return Path(outside).resolve() if outside else data_dir()


def find_key_file(name: str) -> Path:
    """Return the path of a file of keys, there or not.

    Raises KeysUnsuitable where it was left behind in the data directory: another one would be made in its place, and
    nothing that the old one encrypted or signed would be valid any more.
    """
    path = keys_dir() / name
    left_behind = data_dir() / name
    if not path.exists() and left_behind != path and left_behind.exists():
        raise KeysUnsuitable(
            f"RECOBRA_KEYS_DIR is {keys_dir()}, and {name} is still in the data directory: move {left_behind} there."
        )
    return path


def read_key_ring() -> KeyRing:
    """Return the data keys, the first of them made where there is none. Raises KeysUnsuitable.

    The file is read again where it has changed, so that every process encrypts with a new key at once.
    """
    # Asked for every value, so by one call of the system: a path that is made and resolved takes thirty times as long.
    place = f"{os.environ.get('RECOBRA_KEYS_DIR') or os.environ.get('RECOBRA_DATA_DIR', './.recobra')}/{DATA_KEYS}"
    known = _RINGS.get(place)
    with suppress(FileNotFoundError, NotADirectoryError):
        if known is not None and known[0] == _file_mark(place):
            return known[1]
    path = find_key_file(DATA_KEYS)
    try:
        mark = _file_mark(path)
    except FileNotFoundError:
        created_once.read_or_create(path, _format_keys([_draw_key(clock.now())]))
        mark = _file_mark(path)
    ring = KeyRing(keys=tuple(_parse_keys(path)))
    _RINGS[place] = mark, ring
    return ring


def add_key(*, now: datetime) -> DataKey:
    """Put a new key before the others: from now on it encrypts. Raises KeysUnsuitable."""
    key = _draw_key(now)
    _change_keys(lambda keys: [key, *keys])
    return key


def draw_key_line(*, now: datetime) -> str:
    """Return a line for the file of data keys with a new key, for a folder that a vault fills."""
    return _format_keys([_draw_key(now)]).rstrip("\n")


def read_secret_keys() -> list[str]:
    """Return the keys that sign sessions and links, newest first, the first made where there is none."""
    text = created_once.read_or_create(find_key_file(SECRET_KEY), secrets.token_urlsafe(50))
    return text.split()


def renew_secret_key() -> None:
    """Put a new key before those that sign sessions and links; what they signed stays valid. Raises KeysUnsuitable."""
    earlier = read_secret_keys()[:SECRET_KEYS_KEPT]
    path = find_key_file(SECRET_KEY)
    try:
        text = "".join(f"{key}\n" for key in [secrets.token_urlsafe(50), *earlier])
        durable_files.write_file(path, text.encode())
    except OSError as error:
        raise KeysUnsuitable(f"{path} cannot be written: {error.strerror or error}.") from error


def retire_keys(key_ids: frozenset[str], *, now: datetime) -> None:
    """Mark keys that no value carries any more; they still decrypt. Raises KeysUnsuitable."""
    _change_keys(
        lambda keys: [
            replace(key, retired_at=now) if key.id in key_ids and key.retired_at is None else key for key in keys
        ]
    )


def destroy_keys(key_ids: frozenset[str]) -> None:
    """Delete keys for ever; the one that encrypts is not among them. Raises KeysUnsuitable."""
    _change_keys(lambda keys: [key for n, key in enumerate(keys) if n == 0 or key.id not in key_ids])


_RINGS: dict[str, tuple[tuple[int, int, int], KeyRing]] = {}
"""What this process has read, by the place of the file as the environment names it; with the file's mark."""


def _file_mark(path: str | Path) -> tuple[int, int, int]:
    """Return what differs whenever a file was replaced. Raises FileNotFoundError."""
    status = os.stat(path)  # noqa: PTH116 - of a text, which costs less than a Path
    return status.st_ino, status.st_mtime_ns, status.st_size


def _draw_key(now: datetime) -> DataKey:
    return DataKey(
        id=secrets.token_hex(_ID_DIGITS // 2), created_at=now, retired_at=None, secret=secrets.token_bytes(KEY_BYTES)
    )


def _format_keys(keys: list[DataKey]) -> str:
    """Return the text of the file of data keys."""
    lines = []
    for key in keys:
        retired = key.retired_at.isoformat() if key.retired_at else "-"
        lines.append(f"{key.id} {key.created_at.isoformat()} {retired} {base64.b64encode(key.secret).decode()}\n")
    return "".join(lines)


def _parse_keys(path: Path) -> Iterator[DataKey]:
    """Yield the keys of a file. Raises KeysUnsuitable."""
    lines = path.read_text("utf-8").splitlines()
    if not lines:
        raise KeysUnsuitable(f"{path} is empty; put it back from a backup.")
    for number, line in enumerate(lines, start=1):
        try:
            key_id, created, retired, secret = line.split()
            key = DataKey(
                id=key_id,
                created_at=datetime.fromisoformat(created),
                retired_at=None if retired == "-" else datetime.fromisoformat(retired),
                secret=base64.b64decode(secret, validate=True),
            )
        except ValueError:
            # The error itself could quote the key.
            raise KeysUnsuitable(f"{path}, line {number}: «ID CREATED RETIRED KEY» was expected.") from None
        if len(key.secret) != KEY_BYTES:
            raise KeysUnsuitable(f"{path}, line {number}: a key of {KEY_BYTES} bytes was expected.")
        yield key


def _change_keys(change: Callable[[list[DataKey]], list[DataKey]]) -> None:
    """Replace the file of data keys by what `change` makes of its keys. Raises KeysUnsuitable."""
    ring = read_key_ring()
    path = find_key_file(DATA_KEYS)
    try:
        with _one_writer(path):
            ring = KeyRing(keys=tuple(_parse_keys(path)))
            durable_files.write_file(path, _format_keys(change(list(ring.keys))).encode())
    except OSError as error:
        raise KeysUnsuitable(f"{path} cannot be written: {error.strerror or error}.") from error


@contextmanager
def _one_writer(path: Path) -> Iterator[None]:
    """Let one process at a time change a file of keys."""
    lock = os.open(path.with_name(f"{path.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
