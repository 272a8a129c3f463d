"""Separator and quotation mark of a text, detected in its first lines."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from recobra.tabular.formats import limits
from recobra.tabular.refusals import FileRefused

DELIMITERS = ";,\t|"
SAMPLE_LINES = 100
SAMPLE_CHARACTERS = 1 << 20  # of the lines together; the first is read whatever its length


@dataclass(frozen=True)
class Dialect:
    """Separator and quotation mark of a text; `header_line` holds the column names, counted from 1."""

    delimiter: str
    quote: str
    header: tuple[str, ...]
    header_line: int


def detect_dialect(path: Path) -> Dialect:
    """Return the dialect of a UTF-8 text. Raises FileRefused where the first line has no names."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
        lines = _read_sample(handle)
    while lines and not lines[-1]:
        lines.pop()
    first = 0
    stated_delimiter = ""
    # Excel writes and heeds a first line such as «sep=;».
    if lines and lines[0].lower().startswith("sep=") and len(lines[0]) == len("sep=;"):
        stated_delimiter = lines[0][-1]
        first = 1
    while first < len(lines) and not lines[first].strip():
        first += 1
    if first >= len(lines):
        raise FileRefused("empty")
    body = lines[first:]
    delimiter = stated_delimiter or max(DELIMITERS, key=lambda mark: _score_delimiter(body, mark))
    quote = "'" if body[0].startswith("'") and body[0].rstrip().endswith("'") else '"'
    header = split_record(body[0], delimiter, quote)
    return Dialect(delimiter, quote, tuple(header), first + 1)


def _read_sample(handle: TextIO) -> list[str]:
    """Return the first lines without their ends, as many as are worth a look."""
    lines: list[str] = []
    characters = 0
    while len(lines) < SAMPLE_LINES and characters < SAMPLE_CHARACTERS:
        line = handle.readline(limits.LINE_BYTES)
        if not line:
            break
        characters += len(line)
        lines.append(line.rstrip("\r\n"))
    return lines


def split_record(line: str, delimiter: str, quote: str) -> list[str]:
    """Return the fields of one record."""
    csv.field_size_limit(limits.LINE_BYTES)
    try:
        return next(csv.reader([line], delimiter=delimiter, quotechar=quote), [""])
    except csv.Error:
        # A return outside of quotation marks ends a line for some programs and is a part of it for others.
        return next(csv.reader([line.replace("\r", " ")], delimiter=delimiter, quotechar=quote), [""])


def _score_delimiter(lines: list[str], delimiter: str) -> tuple[int, int]:
    """Return how many lines agree on the header's width, then that width: more is better."""
    width = len(split_record(lines[0], delimiter, '"'))
    if width == 1:
        return (0, 0)
    widths = Counter(len(split_record(line, delimiter, '"')) for line in lines if line)
    return (widths[width], width)
