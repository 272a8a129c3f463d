"""The compound file around an old workbook, judged before anything is allocated.

Source: MS-CFB for the file in sectors.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from recobra.tabular.formats import limits
from recobra.tabular.formats.workbook import SheetLook
from recobra.tabular.refusals import FileRefused

from .records import look_at_sheets

_HEADER_BYTES: Final = 512
_TABLE_AT: Final = 76  # where the header lists the first 109 sectors of the allocation table
_MARKS: Final = 0xFFFFFFFA  # this and above are no sectors
_END: Final = 0xFFFFFFFE
_FREE: Final = 0xFFFFFFFF
_ENTRY_BYTES: Final = 128
_STREAM: Final = 2
_ROOT: Final = 5
_BOOK_NAMES: Final = ("Workbook", "Book")


def check_workbook(path: Path) -> dict[str, SheetLook]:
    """Return what a look at each sheet finds, by its name.

    Raises FileRefused where the file is no old workbook, runs in circles, or its cells reach too far.
    """
    content = path.read_bytes() if path.stat().st_size <= limits.WORKBOOK_BYTES else b""
    try:
        return look_at_sheets(_CompoundFile(content).read_book())
    except (struct.error, IndexError, ValueError):
        raise FileRefused("workbook") from None


class _CompoundFile:
    """A file in sectors: each stream is a chain of them, told by the allocation table.

    Every sector belongs to one chain at most; a file that says otherwise could be followed for ever.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        shift, mini_shift = struct.unpack_from("<HH", content, 30)
        if not 7 <= shift <= 16 or not 2 <= mini_shift < shift:
            raise ValueError("sectors")
        self._sector_bytes = 1 << shift
        # Who reads the file reserves as many sectors as it names, before looking for them.
        sectors = len(content) // self._sector_bytes + 1
        if max(struct.unpack_from("<4I", content, 40)[0:2] + struct.unpack_from("<3I", content, 64)[::2]) > sectors:
            raise ValueError("sectors")
        self._mini_bytes = 1 << mini_shift
        self._directory_at, self._mini_limit = struct.unpack_from("<I4xI", content, 48)
        self._mini_table_at = struct.unpack_from("<I", content, 60)[0]
        self._seen: set[int] = set()
        self._table = self._read_table(*struct.unpack_from("<II", content, 68))

    def read_book(self) -> bytes:
        """Return the stream of the workbook, and prove that every stream of the file has an end."""
        directory = b"".join(self._follow(self._directory_at))
        book: bytes | None = None
        entries = list(_read_entries(directory))
        if not entries or entries[0][1] != _ROOT:
            raise ValueError("directory")
        mini_stream = b"".join(self._follow(entries[0][2]))
        mini_table = b"".join(self._follow(_END if self._mini_table_at == _FREE else self._mini_table_at))
        minis = struct.unpack(f"<{len(mini_table) // 4}I", mini_table[: len(mini_table) // 4 * 4])
        seen: set[int] = set()
        for name, kind, start, size in entries:
            if size > len(self._content):
                raise ValueError("size")
            if kind != _STREAM or size == 0:
                continue
            if size < self._mini_limit:
                parts = [mini_stream[at : at + self._mini_bytes] for at in self._follow_minis(start, minis, seen)]
            else:
                parts = list(self._follow(start))
            if name in _BOOK_NAMES:
                book = b"".join(parts)[:size]
        if book is None:
            raise ValueError("Workbook")
        return book

    def _read_table(self, first: int, count: int) -> tuple[int, ...]:
        """Return the allocation table: by sector, the one that follows; `first` of `count` sectors that list it on."""
        listed = list(struct.unpack_from("<109I", self._content, _TABLE_AT))
        for _ in range(min(count, len(self._content) // self._sector_bytes + 1)):
            if first >= _MARKS:
                break
            more = struct.unpack(f"<{self._sector_bytes // 4}I", self._sector(first))
            listed += more[:-1]
            first = more[-1]
        table: list[int] = []
        for sector in listed:
            if sector < _MARKS:
                self._mark(sector)
                table += struct.unpack(f"<{self._sector_bytes // 4}I", self._sector(sector))
        return tuple(table)

    def _follow(self, sector: int) -> Iterator[bytes]:
        """Yield the sectors of a chain. Raises ValueError where one belongs to another chain too."""
        while sector != _END:
            self._mark(sector)
            yield self._sector(sector)
            sector = self._table[sector]

    def _follow_minis(self, sector: int, table: tuple[int, ...], seen: set[int]) -> Iterator[int]:
        """Yield where the small sectors of a chain begin in their stream."""
        while sector != _END:
            if sector in seen:
                raise ValueError("chain")
            seen.add(sector)
            yield sector * self._mini_bytes
            sector = table[sector]

    def _mark(self, sector: int) -> None:
        if sector in self._seen:
            raise ValueError("chain")
        self._seen.add(sector)

    def _sector(self, sector: int) -> bytes:
        # The header takes the place of one sector, also where sectors are larger than it.
        start = max(self._sector_bytes, _HEADER_BYTES) + sector * self._sector_bytes
        content = self._content[start : start + self._sector_bytes]
        if not content:
            raise ValueError("sector")
        return content.ljust(self._sector_bytes, b"\0")


def _read_entries(directory: bytes) -> Iterator[tuple[str, int, int, int]]:
    """Yield name, kind, first sector and size of each entry of the directory."""
    for at in range(0, len(directory) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
        length, kind = struct.unpack_from("<HB", directory, at + 64)
        start, size = struct.unpack_from("<II", directory, at + 116)
        name = directory[at : at + max(min(length, 64) - 2, 0)].decode("utf-16-le", errors="replace")
        yield name, kind, start, size
