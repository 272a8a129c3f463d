"""Rejected rows of a load as CSV, to be mended and loaded again alone."""

from __future__ import annotations

import csv
from pathlib import Path

from django.utils.translation import gettext as _

from recobra.intake.files import errors_path
from recobra.intake.models import Load
from recobra.intake.refusals import expected_words
from recobra.kit.spreadsheet_text import escape_formula


def write_errors(*, load_id: int, path: str | Path) -> int:
    """Write a load's rejected rows as CSV: the file's own columns, then line and errors; return how many."""
    load = Load.objects.get(pk=load_id)
    columns = load.figures.get("columns", [])
    count = 0
    # Under another name until it is whole: half a file would pass for all of the rows.
    unfinished = Path(f"{path}.part")
    with unfinished.open("w", newline="", encoding="utf-8-sig") as handle:
        writer = csv.writer(handle, delimiter=";")
        # The names of the columns are the sender's too, and each error begins with one.
        writer.writerow([*map(_escape_cell, columns), _("Line in the file"), _("Errors")])
        for row in load.rejected.order_by("line", "id").iterator(chunk_size=2000):
            cells = [_escape_cell(row.row.get(name)) for name in columns]
            sentences = [f"{error['column']}: {expected_words(error)}" for error in row.errors]
            writer.writerow([*cells, row.line, _escape_cell(" · ".join(sentences))])
            count += 1
    unfinished.replace(path)
    return count


def write_errors_once(load: Load) -> str | None:
    """Return the path of a load's rejected rows, written at first use; None where there are none or no more."""
    path = errors_path(load.pk)
    if not load.figures.get("rejected"):
        return None
    if not path.exists():
        if not load.rejected.exists():
            return None  # deleted when their term was over
        path.parent.mkdir(parents=True, exist_ok=True)
        write_errors(load_id=load.pk, path=path)
    return str(path)


def _escape_cell(cell: str | None) -> str | None:
    """Return a cell that a spreadsheet will not run; figures and phone numbers with a sign stay as they came."""
    return escape_formula(cell, keep_figures=True) if cell else cell
