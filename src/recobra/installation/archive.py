"""What is inside a backup: its members one after the other, and the manifest with their digests as the last one.

A member is the length of its name (4 bytes, big-endian), the name in UTF-8, and blocks, each with its length (4 bytes);
a block of length 0 ends it. A name of length 0 ends the archive. `database` is a dump in PostgreSQL's custom format,
`data/…` are the files of the data directory, `keys/…` the files of keys, `manifest.json` says what there must be.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import IO, Any, Final

from .container import ContainerRefused

BLOCK: Final = 1 << 18
DATABASE: Final = "database"
DATA: Final = "data/"
KEYS: Final = "keys/"
_MANIFEST: Final = "manifest.json"
_MAX_NAME: Final = 4096
_MAX_MANIFEST: Final = 256 << 20


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup holds. `counts` are the rows of each table in the snapshot, `members` size and SHA-256 of each.

    `last_seal` is the journal's last seal, '' for none; `links` are signed links that must be valid after a restore;
    `unreadable` counts encrypted values that no key of the installation opened, `missing` files that were not there.
    """

    created_at: str
    counts: dict[str, int]
    last_seal: str
    links: dict[str, str]
    unreadable: int
    missing: list[str] = field(default_factory=list)
    members: dict[str, list[Any]] = field(default_factory=dict)


class ArchiveWriter:
    """Writes members, and keeps the size and the digest of each."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self.members: dict[str, list[Any]] = {}

    def add(self, name: str, blocks: Iterable[bytes]) -> None:
        """Write one member."""
        encoded = name.encode()
        self._out.write(len(encoded).to_bytes(4, "big") + encoded)
        digest = hashlib.sha256()
        size = 0
        for block in blocks:
            if block:
                self._out.write(len(block).to_bytes(4, "big") + block)
                digest.update(block)
                size += len(block)
        self._out.write(bytes(4))
        self.members[name] = [size, digest.hexdigest()]

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest and the end."""
        text = json.dumps({**asdict(manifest), "members": self.members}, ensure_ascii=False)
        self.add(_MANIFEST, [text.encode()])
        self._out.write(bytes(4))


def read_members(source: IO[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Yield each member but the manifest with its blocks, which must be read to their end. Raises ContainerRefused."""
    while True:
        length = _read_length(source, _MAX_NAME)
        if length == 0:
            return
        name = _read_name(source, length)
        blocks = _read_blocks(source)
        if name == _MANIFEST:
            for _block in blocks:
                pass
            continue
        if not _is_plain_path(name):
            raise ContainerRefused("The backup names a file outside of its place: nothing was restored.")
        yield name, blocks


def verify(source: IO[bytes]) -> Manifest:
    """Read an archive to its end and return its manifest, if every member is as it says. Raises ContainerRefused."""
    found: dict[str, list[Any]] = {}
    manifest: Manifest | None = None
    while (length := _read_length(source, _MAX_NAME)) > 0:
        name = _read_name(source, length)
        digest = hashlib.sha256()
        size = 0
        kept = bytearray()
        for block in _read_blocks(source):
            digest.update(block)
            size += len(block)
            if name == _MANIFEST and size <= _MAX_MANIFEST:
                kept += block
        if name == _MANIFEST:
            manifest = _read_manifest(kept)
        else:
            found[name] = [size, digest.hexdigest()]
    if source.read(1) or manifest is None or found != manifest.members:
        raise _not_whole()
    return manifest


def _not_whole() -> ContainerRefused:
    return ContainerRefused("The backup is not whole: nothing was restored.")


def _read_manifest(text: bytearray) -> Manifest:
    """Return the manifest of an archive. Raises ContainerRefused."""
    try:
        return Manifest(**json.loads(text))
    except (ValueError, TypeError, RecursionError):
        raise _not_whole() from None


def _read_name(source: IO[bytes], length: int) -> str:
    """Return the name of a member. Raises ContainerRefused."""
    try:
        return _read(source, length).decode()
    except UnicodeDecodeError:
        raise _not_whole() from None


def _read_blocks(source: IO[bytes]) -> Iterator[bytes]:
    while (length := _read_length(source, 1 << 24)) > 0:
        yield _read(source, length)


def _read_length(source: IO[bytes], most: int) -> int:
    length = int.from_bytes(_read(source, 4), "big")
    if length > most:
        raise _not_whole()
    return length


def _read(source: IO[bytes], length: int) -> bytes:
    read = source.read(length)
    if len(read) != length:
        raise _not_whole()
    return read


def _is_plain_path(name: str) -> bool:
    """Tell if a name stays below the folder that it is restored into."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\0" not in name
