"""Preview of a file before it is loaded: its first rows, and a guess at what its columns are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from recobra.intake.mapping import USUAL_NAMES, guess_mapping
from recobra.intake.refusals import refuse_load
from recobra.tabular import caged
from recobra.tabular.formats import ReadOptions

SHOWN_ROWS = 20


def preview_file(
    path: str | Path, *, encoding: str = "", sheet: str = "", header_line: int = 0, columns: Sequence[str] = ()
) -> dict[str, Any]:
    """Return kind, headers, first rows, row counts and a guessed mapping. Raises LoadRefused.

    The sheet and the line of the column names are found where they are not given, by the names of `columns` and by
    those that files usually have.
    """
    options = ReadOptions(
        encoding=encoding, sheet=sheet, header_line=header_line, columns=[*columns, *USUAL_NAMES], is_any_sheet=True
    )
    with refuse_load():
        file = caged.preview_file(Path(path), options, shown_rows=SHOWN_ROWS)
    return {
        **asdict(file),
        "rows": file.rows + file.broken,
        "mapping": guess_mapping(file.headers, file.sample),
    }
