"""Separator and quotation mark of a text, detected in its first lines."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from recobra.tabular.formats import limits
from recobra.tabular.formats.header import TOP_ROWS, TopRow, find_header
from recobra.tabular.formats.sheet import ReadOptions

DELIMITERS = ";,\t|"
SAMPLE_LINES = 100
_NAME_LINES = 10
SAMPLE_CHARACTERS = 1 << 20  # of the lines together; the first is read whatever its length


@dataclass(frozen=True)
class Dialect:
    """Separator and quotation mark of a text; `header_line` is the last line of the column names, counted from 1."""

    delimiter: str
    quote: str
    header: tuple[str, ...]
    header_line: int


def detect_dialect(path: Path, options: ReadOptions) -> Dialect:
    """Return the dialect of a UTF-8 text. Raises FileRefused where no line has names."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as handle:
        lines = _read_sample(handle, max(SAMPLE_LINES, options.header_line))
    first = 0
    stated_delimiter = ""
    # Excel writes and heeds a first line such as «sep=;».
    if lines and lines[0].lower().startswith("sep=") and len(lines[0]) == len("sep=;"):
        stated_delimiter = lines[0][-1]
        first = 1
    body = [line for line in lines[first:] if line.strip()]
    delimiter = stated_delimiter or max(DELIMITERS, key=lambda mark: _score_delimiter(body, mark))
    top, ends = _split_top(lines, first, delimiter, max(TOP_ROWS, options.header_line))
    at = find_header(top, stated_line=options.header_line, columns=options.columns)
    text = "\n".join(lines[top[at].line - 1 : ends[at]])
    quote = "'" if text.startswith("'") and text.rstrip().endswith("'") else '"'
    return Dialect(delimiter, quote, tuple(split_record(text, delimiter, quote)), ends[at])


def _split_top(lines: list[str], first: int, delimiter: str, most: int) -> tuple[list[TopRow], list[int]]:
    """Return the first rows of a text after `first` lines, and the last line of each, counted from 1."""
    rows: list[TopRow] = []
    ends: list[int] = []
    at = first
    while at < len(lines) and len(rows) < most:
        end = at + 1
        # A name may run over several lines, as Excel breaks the lines of a cell.
        while "".join(lines[at:end]).count('"') % 2:
            if end == len(lines) or end - at > _NAME_LINES:
                end = at + 1
                break
            end += 1
        rows.append(TopRow(at + 1, split_record("\n".join(lines[at:end]), delimiter, '"')))
        ends.append(end)
        at = end
    return rows, ends


def _read_sample(handle: TextIO, most: int) -> list[str]:
    """Return the first lines without their ends, as many as are worth a look."""
    lines: list[str] = []
    characters = 0
    while len(lines) < most and characters < SAMPLE_CHARACTERS:
        line = handle.readline(limits.LINE_BYTES)
        if not line:
            break
        characters += len(line)
        lines.append(line.rstrip("\r\n"))
    return lines


def split_record(text: str, delimiter: str, quote: str) -> list[str]:
    """Return the fields of one record, whose lines end in line feeds."""
    csv.field_size_limit(limits.LINE_BYTES)
    lines = [f"{line}\n" for line in text.split("\n")]
    try:
        return next(csv.reader(lines, delimiter=delimiter, quotechar=quote), [""])
    except csv.Error:
        # A return outside of quotation marks ends a line for some programs and is a part of it for others.
        plain = [line.replace("\r", " ") for line in lines]
        return next(csv.reader(plain, delimiter=delimiter, quotechar=quote), [""])


def _score_delimiter(lines: list[str], delimiter: str) -> tuple[int, int]:
    """Return how many lines agree on a width, then that width: more is better; titles above a table agree with none."""
    widths = Counter(len(split_record(line, delimiter, '"')) for line in lines)
    del widths[1]
    return max(((count, width) for width, count in widths.items()), default=(0, 0))
