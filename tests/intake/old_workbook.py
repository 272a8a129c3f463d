"""Write the smallest workbook that Excel 97 would open: BIFF8 records in a compound file of six parts."""

from __future__ import annotations

import struct

SECTOR = 512
STREAM_BYTES = 4096  # smaller streams would need a second allocation table


def workbook(rows: list[list[str | float]]) -> bytes:
    """Return an XLS file with one sheet; texts and numbers only."""
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0))
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            place = struct.pack("<HHH", row, column, 0)
            if isinstance(cell, str):
                text = struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le")
                sheet += _record(0x0204, place + text)
            else:
                sheet += _record(0x0203, place + struct.pack("<d", cell))
    sheet += _record(0x000A)
    start = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0))
    name = struct.pack("<BB", 5, 0) + b"Hoja1"
    length = len(start) + 4 + 6 + len(name) + 4
    book = start + _record(0x0085, struct.pack("<IH", length, 0) + name) + _record(0x000A) + sheet
    assert len(book) <= STREAM_BYTES
    return _compound(book.ljust(STREAM_BYTES, b"\0"))


def _record(number: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", number, len(body)) + body


def _compound(stream: bytes) -> bytes:
    end, free, table = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
    header += struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, STREAM_BYTES, end, 0, end, 0)
    header += struct.pack("<I", 0) + struct.pack("<I", free) * 108
    sectors = len(stream) // SECTOR
    chain = [table, end, *range(3, 2 + sectors), end]
    allocation = struct.pack(f"<{len(chain)}I", *chain).ljust(SECTOR, b"\xff")
    folder = _entry("Root Entry", 5, child=1, start=end, size=0) + _entry("Workbook", 2, start=2, size=len(stream))
    return header + allocation + folder.ljust(SECTOR, b"\0") + stream


def _entry(name: str, kind: int, *, start: int, size: int, child: int = 0xFFFFFFFF) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    links = struct.pack("<BBIII", kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
    return text.ljust(64, b"\0") + struct.pack("<H", len(text)) + links + b"\0" * 36 + struct.pack("<IQ", start, size)
