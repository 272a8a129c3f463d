"""Parquet: columns arrive typed and leave as text, so that one set of checks serves every source."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from recobra.tabular.formats import limits
from recobra.tabular.formats.sheet import RAW, ReadOptions, Sheet, create_exceptions, escape_glob, name_columns
from recobra.tabular.refusals import FileRefused
from recobra.tabular.workspace import Workspace

# Types of one value each. Whatever nests others takes a time without end to be written as text.
_TYPES: Final = frozenset(
    {
        *("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
        *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL"),
        *("VARCHAR", "BLOB", "UUID", "DATE", "TIME", "TIME_NS", "TIME WITH TIME ZONE", "TIMESTAMP", "TIMESTAMP_S"),
        *("TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "INTERVAL"),
        '"NULL"',  # of a column without any value, as pandas writes it
    }
)
# How many bytes a text of these has, as SQL.
_LENGTHS: Final = {"VARCHAR": "strlen({})", "BLOB": "octet_length({})"}
_TEXT: Final = "CAST({} AS VARCHAR)"
# A column of whole numbers in which some are missing comes with decimals from pandas: 1200.0 is the account 1200.
_WHOLE: Final = (
    "CASE WHEN {0} = trunc({0}) AND abs({0}) < 1e15 THEN CAST(CAST({0} AS BIGINT) AS VARCHAR) "
    "ELSE CAST({0} AS VARCHAR) END"
)
_TEXTS: Final = {"FLOAT": _WHOLE, "DOUBLE": _WHOLE}
_DESCRIBE: Final = "DESCRIBE SELECT * FROM read_parquet(?)"


def read(path: Path, duck: Workspace, options: ReadOptions) -> Sheet:  # noqa: ARG001 - one signature for every source
    """Read a Parquet file into DuckDB; a row's line is its number plus one. Raises FileRefused."""
    pattern = escape_glob(path)
    try:
        described = [(name, kind) for name, kind, *_rest in duck.fetch_all(_DESCRIBE, [pattern])]
        headers = name_columns([name for name, _kind in described])
        _refuse_nested(headers, [kind for _name, kind in described])
        quoted = ['"' + name.replace('"', '""') + '"' for name, _kind in described]
        kinds = [kind for _name, kind in described]
        lengths = [_LENGTHS[kind].format(name) for name, kind in zip(quoted, kinds, strict=True) if kind in _LENGTHS]
        _refuse_oversized(duck, path, pattern, lengths, columns=len(headers))
        columns = ", ".join(f"{_TEXTS.get(kinds[n], _TEXT).format(name)} AS c{n}" for n, name in enumerate(quoted))
        duck.create(RAW, f"SELECT row_number() OVER () + 1 AS line, {columns} FROM read_parquet(?)", [pattern])
    except duckdb.OutOfMemoryException:
        raise
    except duckdb.Error:
        raise FileRefused("parquet") from None
    create_exceptions(duck)
    return Sheet(headers, "parquet")


def _refuse_nested(headers: tuple[str, ...], kinds: list[str]) -> None:
    """Raise FileRefused for a column of lists or structures."""
    for header, kind in zip(headers, kinds, strict=True):
        if kind.partition("(")[0] not in _TYPES or kind.endswith("]"):
            raise FileRefused("parquet_type", column=header)


def _refuse_oversized(duck: Workspace, path: Path, pattern: str, lengths: list[str], *, columns: int) -> None:
    """Raise FileRefused where the rows, or what their texts unpack to, are beyond what a true file has.

    First by the metadata alone, which may lie; then by the lengths of the texts, of which a dictionary keeps one for
    any number of rows, so that nothing of the size of the result is made to find them.
    """
    packed = path.stat().st_size
    rows, unpacked = duck.fetch_row(
        "SELECT coalesce(max(file_rows), 0), coalesce(sum(chunk), 0)::BIGINT FROM ("
        "SELECT sum(total_uncompressed_size) AS chunk, 0 AS file_rows FROM parquet_metadata(?) UNION ALL "
        "SELECT 0, num_rows FROM parquet_file_metadata(?))",
        [pattern, pattern],
    )
    if rows > limits.ROWS:
        raise FileRefused("too_many_rows", limit=limits.ROWS)
    _refuse_sparse(rows, columns, packed)
    _refuse_bomb(unpacked, packed)
    if lengths:
        each = " + ".join(f"coalesce({length}, 0)" for length in lengths)
        (total,) = duck.fetch_row(f"SELECT coalesce(sum({each}), 0)::BIGINT FROM read_parquet(?)", [pattern])
        _refuse_bomb(total, packed)


def _refuse_sparse(rows: int, columns: int, packed: int) -> None:
    """Raise FileRefused where nearly all values are missing or alike: a byte then stands for hundreds of them."""
    values = rows * columns
    if values > limits.SHEET_CELLS and values > packed * limits.SPARSE_RATIO:
        raise FileRefused("parquet_sparse", rows=rows, columns=columns)


def _refuse_bomb(unpacked: int, packed: int) -> None:
    """Raise FileRefused where a file unpacks to more than a true one would."""
    is_suspicious = unpacked > limits.PACKING_FREE_BYTES and unpacked > packed * limits.PACKING_RATIO
    if is_suspicious or unpacked > limits.BYTES:
        raise FileRefused("parquet_bomb", unpacked=unpacked, packed=packed)
