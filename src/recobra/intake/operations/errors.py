"""Hand rejected rows out so that they can be mended and loaded again alone."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from django.utils.translation import gettext as _

from recobra.intake.models import Load
from recobra.intake.refusals import expected_words

_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d\s().,/-]*$)")


def write_errors(*, load_id: int, path: str | Path) -> int:
    """Write a load's rejected rows as CSV: the file's own columns, then line and errors; return how many."""
    load = Load.objects.get(pk=load_id)
    columns = load.figures.get("columns", [])
    count = 0
    # Under its name stands a whole file or none, whatever breaks off.
    unfinished = Path(f"{path}.part")
    with unfinished.open("w", newline="", encoding="utf-8-sig") as handle:
        writer = csv.writer(handle, delimiter=";")
        writer.writerow([*columns, _("Line in the file"), _("Errors")])
        for row in load.rejected.order_by("line", "id").iterator(chunk_size=2000):
            words = [f"{error['column']}: {expected_words(error)}" for error in row.errors]
            writer.writerow([*(_harmless(row.row.get(name)) for name in columns), row.line, " · ".join(words)])
            count += 1
    unfinished.replace(path)
    return count


def _harmless(cell: str | None) -> str | None:
    """Keep a cell that begins like a formula from being run by the spreadsheet in which it is mended.

    Figures and phone numbers that begin with a sign are left as they came.
    """
    return f"'{cell}" if cell and _FORMULA.match(cell) else cell
