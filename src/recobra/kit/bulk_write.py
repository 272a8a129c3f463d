"""Foreign keys of a large COPY, checked once per key instead of once per row; indexes of an empty table, made after it.

Both change when the work is done and not what holds at the end (ADR 38). Where PostgreSQL does not let this role do it,
or a table has something that this module does not know, rows are written as anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection
from psycopg import sql

from .array_text import to_array_text

FEW_ROWS: Final = 500
"""Below this, the questions to the catalogue would cost more than the row checks that they save."""
MANY_ROWS: Final = 50_000
"""Below this, making indexes afterwards saves less than a second: not worth shutting the table's readers out."""
_RUNS_AT_ONCE: Final = 50_000

# A key is checked here where it is one integer column, and where its rows can be locked as PostgreSQL's own check does.
_KEYS = """
    SELECT
        con.conname,
        source.attname,
        namespace.nspname,
        referred.relname,
        target.attname,
        cardinality(con.conkey) = 1
            AND source.atttypid IN ('int4'::regtype, 'int8'::regtype)
            AND target.atttypid IN ('int4'::regtype, 'int8'::regtype)
            AND (source.attname = ANY(%(columns)s) OR NOT source.atthasdef)
            AND has_table_privilege(referred.oid, 'SELECT') AND NOT row_security_active(referred.oid)
    FROM pg_constraint con
    JOIN pg_attribute source ON source.attrelid = con.conrelid AND source.attnum = con.conkey[1]
    JOIN pg_attribute target ON target.attrelid = con.confrelid AND target.attnum = con.confkey[1]
    JOIN pg_class referred ON referred.oid = con.confrelid
    JOIN pg_namespace namespace ON namespace.oid = referred.relnamespace
    WHERE con.contype = 'f' AND con.conrelid = %(table)s::regclass
    ORDER BY con.conname"""

# Without row checks no ordinary trigger fires either: a table that has one keeps them.
_MAY_SKIP = """
    SELECT has_parameter_privilege('session_replication_role', 'SET')
        AND (SELECT relkind = 'r' FROM pg_class WHERE oid = %(table)s::regclass)
        AND NOT EXISTS (
            SELECT FROM pg_trigger written
            WHERE written.tgrelid = %(table)s::regclass
                AND written.tgtype & 4 <> 0 -- of INSERT
                AND written.tgenabled IN ('O', 'R')
                AND NOT EXISTS (
                    SELECT FROM pg_constraint con
                    WHERE con.oid = written.tgconstraint AND con.contype = 'f' AND con.conrelid = written.tgrelid))"""

# Locks what it finds as the row checks do: until this transaction ends, nobody deletes it.
_LOCK_TARGETS = "SELECT maintenance.lock_rows(%s::regclass, %s::name, %s::bigint[], %s::bigint[])"
_FIND_MISSING = """
    SELECT min(wanted.value)
    FROM unnest({lows}::bigint[], {highs}::bigint[]) AS run (low, high)
    CROSS JOIN generate_series(run.low, run.high) AS wanted (value)
    WHERE NOT EXISTS (SELECT FROM ONLY {target} AS target WHERE target.{key} = wanted.value)"""

# By the server, as its own check would: whoever catches it inside the transaction cannot go on and commit.
_REFUSE = """
    DO $refuse$ BEGIN
        RAISE foreign_key_violation USING MESSAGE = {message}, DETAIL = {detail}, TABLE = {table}, CONSTRAINT = {name};
    END $refuse$"""


@dataclass(frozen=True)
class _ForeignKey:
    """One column that refers to a row of another table, or of its own, by an integer."""

    name: str
    column: str
    target: tuple[str, str]
    target_column: str


@dataclass
class BulkWrite:
    """One COPY into a table: `note` takes each batch that is written, for the check at its end."""

    table: str
    _keys: Sequence[_ForeignKey] = ()
    rows: int = 0
    """Rows of the batches that were noted."""
    _noted: dict[str, list[pa.Array]] = field(default_factory=dict)

    def note(self, batch: pa.RecordBatch) -> None:
        """Count the rows of a batch and remember to which rows of other tables they refer."""
        self.rows += batch.num_rows
        for key in self._keys:
            values = batch.column(key.column).cast(pa.int64()).drop_null()
            self._noted.setdefault(key.name, []).append(_drop_repeats(values))

    def check_keys(self) -> None:
        """Lock the rows that were referred to, and raise IntegrityError where one is not there."""
        for key in self._keys:
            lows, highs = _find_runs(pa.concat_arrays(self._noted[key.name]))
            for start in range(0, len(lows), _RUNS_AT_ONCE):
                self._check_runs(key, lows.slice(start, _RUNS_AT_ONCE), highs.slice(start, _RUNS_AT_ONCE))

    def _check_runs(self, key: _ForeignKey, lows: pa.Array, highs: pa.Array) -> None:
        """Check a key for all numbers of the runs from `lows[i]` to `highs[i]`."""
        texts = to_array_text(lows), to_array_text(highs)
        names = {
            "lows": sql.Literal(texts[0]),
            "highs": sql.Literal(texts[1]),
            "target": sql.Identifier(*key.target),
            "key": sql.Identifier(key.target_column),
        }
        wanted = len(lows) + pc.sum(pc.subtract(highs, lows)).as_py()
        with connection.cursor() as cursor:
            target_name = sql.Identifier(*key.target).as_string(None)
            cursor.execute(_LOCK_TARGETS, [target_name, key.target_column, *texts])
            (found,) = cursor.fetchone()
            if found == wanted:
                return
            cursor.execute(sql.SQL(_FIND_MISSING).format(**names))
            (missing,) = cursor.fetchone()
            target = key.target[-1]
            message = f'insert or update on table "{self.table}" violates foreign key constraint "{key.name}"'
            refusal = sql.SQL(_REFUSE).format(
                message=sql.Literal(message),
                detail=sql.Literal(f'Key ({key.column})=({missing}) is not present in table "{target}".'),
                table=sql.Literal(self.table),
                name=sql.Literal(key.name),
            )
            cursor.execute(refusal)


@contextmanager
def open_bulk_write(table: str, columns: Sequence[str], *, at_least: int) -> Iterator[BulkWrite]:
    """Let one COPY into a table be written in the block, of at least so many rows, and check its keys at the end.

    Raises IntegrityError, with table, key and the first value that is missing, like a row check.
    """
    # Without a transaction around it the COPY would be committed before it is checked.
    if at_least < FEW_ROWS or not connection.in_atomic_block:
        yield BulkWrite(table)
        return
    dropped = _drop_indexes(table) if at_least >= MANY_ROWS else 0
    keys = _find_keys(table, columns)
    write = BulkWrite(table, keys)
    if keys:
        with _without_row_checks():
            yield write
    else:
        yield write
    if dropped:
        with connection.cursor() as cursor:
            cursor.execute("SELECT maintenance.make_indexes(%s::regclass)", [table])
    write.check_keys()


def _find_keys(table: str, columns: Sequence[str]) -> list[_ForeignKey]:
    """Return the foreign keys of some columns, or nothing where the rows have to be checked one by one."""
    with connection.cursor() as cursor:
        cursor.execute(_KEYS, {"table": table, "columns": list(columns)})
        rows = cursor.fetchall()
        if not rows or not all(is_checkable for *_names, is_checkable in rows):
            return []
        cursor.execute(_MAY_SKIP, {"table": table})
        (may_skip,) = cursor.fetchone()
    keys = [_ForeignKey(name, column, (schema, target), key) for name, column, schema, target, key, _is in rows]
    return [key for key in keys if key.column in columns] if may_skip else []


@contextmanager
def _without_row_checks() -> Iterator[None]:
    """Let PostgreSQL check no foreign keys in the block: triggers that are to fire all the same are ENABLE ALWAYS."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('session_replication_role')")
        (before,) = cursor.fetchone()
        cursor.execute("SET LOCAL session_replication_role = replica")
    try:
        yield
    except BaseException:
        # The rollback gives the setting back; nothing else may run under it, even if the error is caught.
        connection.set_rollback(True)
        raise
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SET LOCAL session_replication_role = {}").format(sql.Identifier(before)))


def _find_runs(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the first and last number of each run of consecutive ones, in order.

    Ids are handed out in a row: a million of them are a few runs, which are quickly said and quickly read.
    """
    if len(values) == 0:
        return values, values
    # Rows mostly come in the order of their keys already.
    lowest_step = pc.min(pc.pairwise_diff(values)).as_py() or 0
    distinct = _drop_repeats(values if lowest_step >= 0 else values.sort())
    is_first = pc.fill_null(pc.not_equal(pc.pairwise_diff(distinct), 1), True)
    is_last = pa.concat_arrays([is_first.slice(1), pa.array([True])])
    return distinct.filter(is_first), distinct.filter(is_last)


def _drop_repeats(values: pa.Array) -> pa.Array:
    """Return values without those that repeat the one before them; far cheaper than to look for all repeated ones."""
    return pc.run_end_encode(values).values


def _drop_indexes(table: str) -> int:
    """Drop the indexes of an empty table that can be made again, and return how many those were.

    Nothing is dropped where the table has rows, or where somebody is using it at this moment.
    """
    with connection.cursor() as cursor:
        # Without the lock, which a table that is in use would be asked for in vain.
        cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(table)))
        (has_rows,) = cursor.fetchone()
        if has_rows:
            return 0
        cursor.execute("SELECT maintenance.drop_indexes(%s::regclass)", [table])
        (dropped,) = cursor.fetchone()
    return int(dropped)
