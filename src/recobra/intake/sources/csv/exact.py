"""The exact reader: line by line, for texts that the fast reader does not account for to the last line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from recobra.intake.sources import limits
from recobra.intake.sources.sheet import Row

from .dialect import Dialect, cut


def rows(path: Path, dialect: Dialect) -> Iterator[Row]:
    """Yield every record after the header with its first physical line; blank lines are passed over.

    A quotation mark that is not closed within a few lines spoils its own line only.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
        source = _Lines(handle)
        for _ in range(dialect.header_line):
            source.take()
        while (line := source.take()) is not None:
            if line.strip(" \x1a"):
                yield _record(line, source, dialect)


class _Lines:
    """Physical lines that can be given back."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle
        self._waiting: list[str] = []
        self.number = 0

    def take(self) -> str | None:
        self.number += 1
        if self._waiting:
            return self._waiting.pop()
        line = self._handle.readline(limits.LINE_BYTES)
        return line.rstrip("\r\n") if line else None

    def give_back(self, lines: list[str]) -> None:
        self.number -= len(lines)
        self._waiting.extend(reversed(lines))


def _record(line: str, source: _Lines, dialect: Dialect) -> Row:
    number, width = source.number, len(dialect.header)
    if line.count(dialect.quote) % 2 == 0:
        return Row(number, list(cut(line, dialect.delimiter, dialect.quote)))
    taken: list[str] = []
    while len(taken) < limits.QUOTED_LINES and (more := source.take()) is not None:
        taken.append(more)
        if more.count(dialect.quote) % 2:
            cells = _joined([line, *taken], dialect)
            if len(cells) == width:
                return Row(number, list(cells))
            break
    else:
        source.number -= 1 if len(taken) < limits.QUOTED_LINES else 0
    source.give_back(taken)
    cells = line.split(dialect.delimiter)
    return Row(number, list(cells), "unclosed_quote", value=line)


def _joined(lines: list[str], dialect: Dialect) -> list[str]:
    return cut("\n".join(lines), dialect.delimiter, dialect.quote) if len(lines) == 1 else _cut_many(lines, dialect)


def _cut_many(lines: list[str], dialect: Dialect) -> list[str]:
    import csv  # noqa: PLC0415 - only damaged or many-line texts come here

    ended = [f"{line}\n" for line in lines]
    return next(csv.reader(ended, delimiter=dialect.delimiter, quotechar=dialect.quote), [""])
