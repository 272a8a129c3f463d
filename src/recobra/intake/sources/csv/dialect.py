"""Which separator and quotation mark a text uses, judged by its first lines."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from recobra.intake.refusals import LoadRefused
from recobra.intake.sources import limits

DELIMITERS = ";,\t|"
SAMPLE_LINES = 100


@dataclass(frozen=True)
class Dialect:
    """How to cut a line; `header_line` is where the column names stand, counted from 1."""

    delimiter: str
    quote: str
    header: tuple[str, ...]
    header_line: int


def detect(path: Path) -> Dialect:
    """Return the dialect of a UTF-8 text. Raises LoadRefused where the first line has no names."""
    lines = _head(path)
    first = 0
    forced = ""
    if lines and lines[0].lower().startswith("sep=") and len(lines[0]) == 5:
        forced, first = lines[0][4], 1
    while first < len(lines) and not lines[first].strip():
        first += 1
    if first >= len(lines):
        raise LoadRefused("empty")
    body = lines[first:]
    delimiter = forced or max(DELIMITERS, key=lambda mark: _score(body, mark))
    quote = "'" if body[0].startswith("'") and body[0].rstrip().endswith("'") else '"'
    header = cut(body[0], delimiter, quote)
    return Dialect(delimiter, quote, tuple(header), first + 1)


def cut(line: str, delimiter: str, quote: str) -> list[str]:
    """Return the fields of one record."""
    csv.field_size_limit(limits.LINE_BYTES)
    return next(csv.reader([line], delimiter=delimiter, quotechar=quote), [""])


def _head(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
        lines = [handle.readline(limits.LINE_BYTES).rstrip("\r\n") for _ in range(SAMPLE_LINES)]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _score(lines: list[str], delimiter: str) -> tuple[int, int]:
    """Return how many lines agree on the header's width, then that width: more is better."""
    width = len(cut(lines[0], delimiter, '"'))
    if width == 1:
        return (0, 0)
    widths = Counter(len(cut(line, delimiter, '"')) for line in lines if line)
    return (widths[width], width)
