"""Parquet: columns arrive typed and leave as text, so that one set of checks serves every source."""

from __future__ import annotations

from pathlib import Path

import duckdb

from recobra.tabular.formats import limits
from recobra.tabular.formats.sheet import RAW, ReadOptions, Sheet, create_broken, escape_glob, name_columns
from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import Workspace


def read(path: Path, duck: Workspace, options: ReadOptions) -> Sheet:  # noqa: ARG001 - one signature for every source
    """Read a Parquet file into DuckDB; a row's line is its number plus one. Raises FileRefused."""
    pattern = escape_glob(path)
    try:
        described = duck.fetch_all("DESCRIBE SELECT * FROM read_parquet(?)", [pattern])
        names = [name for name, *_rest in described]
        headers = name_columns(names)
        quoted = ['"' + name.replace('"', '""') + '"' for name in names]
        columns = ", ".join(f"CAST({name} AS VARCHAR) AS c{n}" for n, name in enumerate(quoted))
        (rows,) = duck.fetch_row("SELECT count(*) FROM read_parquet(?)", [pattern])
        if rows > limits.ROWS:
            raise FileRefused("too_many_rows", limit=limits.ROWS)
        duck.create(RAW, f"SELECT row_number() OVER () + 1 AS line, {columns} FROM read_parquet(?)", [pattern])
    except duckdb.Error as error:
        raise FileRefused("parquet", detail=str(error).splitlines()[0]) from None
    create_broken(duck)
    return Sheet(headers, "parquet")
