"""Preview of a file before it is loaded: its first rows, and a guess at what its columns are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recobra.intake.mapping import guess_mapping
from recobra.intake.refusals import refuse_load
from recobra.tabular import formats
from recobra.tabular.workspace import open_workspace

SHOWN_ROWS = 20


def preview_file(path: str | Path, *, encoding: str = "", sheet: str = "") -> dict[str, Any]:
    """Return kind, headers, first rows, row counts and a guessed mapping. Raises LoadRefused."""
    with open_workspace() as duck:
        with refuse_load():
            file = formats.read(Path(path), duck, formats.ReadOptions(encoding=encoding, sheet=sheet))
        first_rows = duck.fetch_all(f"SELECT * EXCLUDE (line) FROM {file.raw} ORDER BY line LIMIT {SHOWN_ROWS}")
        rows = duck.count(file.raw)
        broken = duck.count(file.broken)
    sample = [list(row) for row in first_rows]
    return {
        "kind": file.kind,
        "encoding": file.encoding,
        "delimiter": file.delimiter,
        "headers": list(file.headers),
        "sample": sample,
        "rows": rows + broken,
        "broken": broken,
        "mapping": guess_mapping(file.headers, sample),
    }
