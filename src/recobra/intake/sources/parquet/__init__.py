"""Parquet: columns arrive typed and leave as text, so that one set of checks serves every source."""

from __future__ import annotations

import duckdb

from recobra.intake.refusals import LoadRefused
from recobra.intake.sources import limits
from recobra.intake.sources.sheet import Reading, Sheet, create_broken, header_names, only


def read(reading: Reading) -> Sheet:
    """Fill `raw` and `broken` from a Parquet file; a row's line is its number plus one. Raises LoadRefused."""
    connection, path = reading.connection, only(reading.path)
    try:
        described = connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()
        headers = header_names(row[0] for row in described)
        columns = ", ".join(f"CAST({_quoted(row[0])} AS VARCHAR) AS c{n}" for n, row in enumerate(described))
        (rows,) = connection.execute("SELECT count(*) FROM read_parquet(?)", [path]).fetchall()[0]
        if rows > limits.ROWS:
            raise LoadRefused("too_many_rows", limit=limits.ROWS)
        connection.execute(
            f"CREATE OR REPLACE TABLE raw AS SELECT row_number() OVER () + 1 AS line, {columns} FROM read_parquet(?)",
            [path],
        )
    except duckdb.Error as error:
        raise LoadRefused("parquet", detail=str(error).splitlines()[0]) from None
    create_broken(connection)
    return Sheet(headers, "parquet")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
