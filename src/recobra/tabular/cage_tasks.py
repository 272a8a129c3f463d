"""What the child process of `kit.cage` does with a file: it leaves the rows as Arrow files, or refuses the file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from recobra.tabular import formats
from recobra.tabular.formats import ReadOptions
from recobra.tabular.formats.sheet import ASIDE, BROKEN, FAULTS, RAW
from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import BATCH_ROWS, Relation, Workspace, workspace_in

FILES: Final = {RAW: "raw.arrow", BROKEN: "broken.arrow", FAULTS: "faults.arrow", ASIDE: "aside.arrow"}
"""The file of each relation."""
SHOWN_CHARACTERS: Final = 500
"""Of a cell in the first rows: a person recognises it by these."""


def read_table(*, path: str, folder: str, spill_bytes: int, options: dict[str, Any]) -> dict[str, Any]:
    """Read a file; leave its relations in Arrow files of the folder and return what `Sheet` says of it.

    A refusal is returned as its code and facts.
    """
    try:
        with workspace_in(Path(folder), spill_bytes=spill_bytes) as duck:
            sheet = formats.read(Path(path), duck, ReadOptions(**options))
            for relation, name in FILES.items():
                _write_rows(duck, relation, Path(folder) / name)
            return {**_describe(sheet), "refused": ""}
    except FileRefused as refusal:
        return {"refused": refusal.code, "facts": refusal.facts}


def preview_table(
    *, path: str, folder: str, spill_bytes: int, options: dict[str, Any], shown_rows: int
) -> dict[str, Any]:
    """Read a file and return what `Sheet` says of it, its first rows and how many it has.

    A refusal is returned as its code and facts.
    """
    try:
        with workspace_in(Path(folder), spill_bytes=spill_bytes) as duck:
            sheet = formats.read(Path(path), duck, ReadOptions(**options))
            sample = duck.fetch_all(f"SELECT * EXCLUDE (line) FROM {sheet.raw} ORDER BY line LIMIT {shown_rows}")
            return {
                **_describe(sheet),
                "sample": [[cell and cell[:SHOWN_CHARACTERS] for cell in row] for row in sample],
                "rows": duck.count(sheet.raw),
                "broken": duck.count(sheet.broken) + duck.count(sheet.aside),
                "refused": "",
            }
    except FileRefused as refusal:
        return {"refused": refusal.code, "facts": refusal.facts}


def _describe(sheet: formats.Sheet) -> dict[str, Any]:
    return {
        "headers": list(sheet.headers),
        "kind": sheet.kind,
        "encoding": sheet.encoding,
        "delimiter": sheet.delimiter,
        "header_line": sheet.header_line,
        "name": sheet.name,
        "names": list(sheet.names),
    }


def _write_rows(duck: Workspace, relation: Relation, path: Path) -> None:
    """Write a relation as an Arrow file, batch by batch."""
    reader = duck.connection.sql(f"SELECT * FROM {relation}").to_arrow_reader(BATCH_ROWS)
    with pa.OSFile(str(path), "wb") as target, pa.ipc.new_file(target, reader.schema) as writer:
        for batch in reader:
            writer.write_batch(batch)
    # Dropped before the next one is written: the rows are in memory and on disk only as long as one relation is.
    duck.drop(relation)
