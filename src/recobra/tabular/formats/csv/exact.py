"""The exact reader: line by line, for texts that the fast reader does not account for to the last line."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from recobra.tabular.formats import limits
from recobra.tabular.formats.sheet import Row

from .dialect import Dialect, split_record


def read_rows(path: Path, dialect: Dialect) -> Iterator[Row]:
    """Yield every record after the header with its first physical line; blank lines are passed over.

    A quotation mark that is not closed within a few lines spoils its own line only.
    """
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
        lines = _Lines(handle)
        for _ in range(dialect.header_line):
            lines.take()
        while (line := lines.take()) is not None:
            if line.strip(" \x1a"):  # old programs end their files with Ctrl-Z
                yield _read_record(line, lines, dialect)


class _Lines:
    """Physical lines that can be given back."""

    def __init__(self, handle: TextIO) -> None:
        self._handle = handle
        self._waiting: list[str] = []
        self.number = 0

    def take(self) -> str | None:
        """Return the next line without its end, None at the end of the file; `number` counts that call too."""
        self.number += 1
        if self._waiting:
            return self._waiting.pop()
        line = self._handle.readline(limits.LINE_BYTES)
        return line.rstrip("\r\n") if line else None

    def give_back(self, lines: list[str]) -> None:
        """Put lines back, to be taken again in the same order."""
        self.number -= len(lines)
        self._waiting.extend(reversed(lines))


def _read_record(line: str, lines: _Lines, dialect: Dialect) -> Row:
    """Return the record that begins with `line`, taking further lines where a quoted field runs over them.

    A quotation mark without its partner makes the line a broken row of its own, and the lines after it are given back.
    """
    number = lines.number
    if line.count(dialect.quote) % 2 == 0:
        return Row(number, list(split_record(line, dialect.delimiter, dialect.quote)))
    # A quoted field goes on in the next lines, up to the one that closes it.
    following: list[str] = []
    while len(following) < limits.QUOTED_LINES:
        more = lines.take()
        if more is None:
            # At the end of the file `take` has counted a line that is not there.
            lines.number -= 1
            break
        following.append(more)
        if more.count(dialect.quote) % 2:
            ended = [f"{text}\n" for text in (line, *following)]
            # Strictly: marks that two records begin a field with would make one of them and all between.
            reader = csv.reader(ended, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)
            try:
                cells = next(reader, [""])
            except csv.Error:  # no end of a field follows the mark, or the lines are longer than a field may be
                break
            # A record that ends before the last line would lose the others.
            is_whole = len(cells) == len(dialect.header) and reader.line_num == len(ended)
            if is_whole and not _are_two_records(line, more, dialect):
                return Row(number, list(cells))
            break
    lines.give_back(following)
    return unclosed_row(number, line, dialect)


def _are_two_records(first: str, last: str, dialect: Dialect) -> bool:
    """Return whether both lines have all columns by themselves: each has a mark without partner then."""
    separators = len(dialect.header) - 1
    return separators > 1 and first.count(dialect.delimiter) == last.count(dialect.delimiter) == separators


def unclosed_row(number: int, line: str, dialect: Dialect) -> Row:
    """Return a line with a quotation mark that has no partner as a broken row."""
    cells = line.split(dialect.delimiter, limits.COLUMNS)
    return Row(number, list(cells), "unclosed_quote", value=line[: limits.FIELD_CHARACTERS])
