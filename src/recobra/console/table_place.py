"""Where a person says that the table of a file begins, as address and form of its pages name it."""

from __future__ import annotations

from typing import Final, TypedDict

from django.http import HttpRequest

from .parameters import parse_id

_LAST_HEADER_LINE: Final = 10_000


class TablePlace(TypedDict):
    """The sheet and the line of the column names that a person chose; '' and 0 where they are found."""

    sheet: str
    header_line: int


def read_table_place(request: HttpRequest) -> TablePlace:
    """Return the place that the address or the form names; what cannot be read counts as not given."""
    given = request.POST if request.method == "POST" else request.GET
    line = parse_id(given.get("fila", "")) or 0
    return {"sheet": given.get("hoja", ""), "header_line": line if line <= _LAST_HEADER_LINE else 0}
