"""Show the first rows of a file before it is loaded, with a guess at what its columns are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from recobra.intake import sources
from recobra.intake.load.engine import workshop
from recobra.intake.mapping import guess_mapping

SHOWN_ROWS = 20


def preview(path: str | Path, *, encoding: str = "", sheet: str = "") -> dict[str, Any]:
    """Return kind, headers, first rows, row counts and a guessed mapping. Raises LoadRefused."""
    with workshop() as (engine, work_dir):
        read = sources.read(sources.Reading(Path(path), engine, work_dir, encoding, sheet))
        shown = engine.execute(f"SELECT * EXCLUDE (line) FROM raw ORDER BY line LIMIT {SHOWN_ROWS}").fetchall()
        rows, broken = engine.execute("SELECT (SELECT count(*) FROM raw), (SELECT count(*) FROM broken)").fetchall()[0]
    sample = [list(row) for row in shown]
    return {
        "kind": read.kind,
        "encoding": read.encoding,
        "delimiter": read.delimiter,
        "headers": list(read.headers),
        "sample": sample,
        "rows": rows + broken,
        "broken": broken,
        "mapping": guess_mapping(read.headers, sample),
    }
