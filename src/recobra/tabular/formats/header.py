"""Where the table begins: the row with the names of its columns, below whatever title stands above it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

from recobra.tabular.refusals import FileRefused
from recobra_core.folding import fold_name, fold_words

TOP_ROWS: Final = 60  # among which the names are looked for
_LONGEST_NAME: Final = 200
_SHARES: Final = (0.8, 0.5)  # of a usual row's cells that a row of names has; titles have fewer
_NUMBER_OR_DAY: Final = re.compile(r"[\d\s.,:/$%()+-]+")


class TopRow(NamedTuple):
    """One of the first rows of a file: the line on which it begins, as a person counts, and its cells as text."""

    line: int
    cells: Sequence[str | None]


def find_header(rows: Sequence[TopRow], *, stated_line: int, columns: Collection[str]) -> int:
    """Return the index of the row with the names of the columns; blank rows are among `rows` too.

    It is the stated line; else the row with most of the columns that are looked for, the first of several; else the
    first that looks like names: as wide as the table, texts alone, none of them twice. Raises FileRefused.
    """
    filled = [index for index, row in enumerate(rows) if any(_texts(row))]
    if stated_line:
        index = next((index for index in filled if rows[index].line == stated_line), None)
        if index is None:
            raise FileRefused("header_line", line=stated_line)
        return index
    if not filled:
        # A row of separators alone is a header without names.
        wide = next((index for index, row in enumerate(rows) if len(row.cells) > 1), None)
        if wide is None:
            raise FileRefused("empty")
        return wide
    counts = {index: count_columns(rows[index].cells, columns) for index in filled}
    best = max(filled, key=lambda index: (counts[index], -index))
    if counts[best]:
        return best
    # Most rows are those of the table; titles have one cell, and a broken row may have any number.
    widths = Counter(len(list(_texts(rows[index]))) for index in filled)
    usual = max((width for width in widths if width > 1), key=lambda width: (widths[width], width), default=1)
    for share in _SHARES:
        for index in filled:
            if _looks_like_names(rows[index], max(share * usual, min(usual, 2))):
                return index
    return filled[0]


def count_columns(cells: Sequence[str | None], columns: Collection[str]) -> int:
    """Return how many of the columns that are looked for a row names."""
    names = {fold(cell[:_LONGEST_NAME].strip("'")) for cell in cells if cell for fold in (fold_name, fold_words)}
    return sum(fold_name(column) in names or fold_words(column) in names for column in columns)


def _texts(row: TopRow) -> Iterator[str]:
    """Yield the cells of a row that hold something."""
    return (cell.strip() for cell in row.cells if cell and cell.strip())


def _looks_like_names(row: TopRow, least: float) -> bool:
    """Return whether a row may be the names of columns: so many texts at least, none of them twice or a number."""
    texts = list(_texts(row))
    if len(texts) < least:
        return False
    return len(set(texts)) == len(texts) and not any(_NUMBER_OR_DAY.fullmatch(text[:_LONGEST_NAME]) for text in texts)
