"""What a test database held when it was copied from its template, to give it back after a test that committed.

Copying a database anew takes a third of a second of processor and truncating tables that refer to each other a tenth,
for both make hundreds of files. Most tests that commit change a few rows of a few tables.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

PAGE = 8192
FEW_PAGES = 10
"""A table that nobody has analysed counts as one of ten pages to PostgreSQL's planner, as long as it has no more."""
NEVER_ANALYSED = -1.0
KEPT_ROWS = ("django_migrations", "django_content_type", "auth_permission")
"""Tables that migrations fill; nothing of the product writes to them."""

_TABLES = """
    SELECT relname::text, reltuples, pg_relation_size(oid) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname::text <> ALL(%s) ORDER BY relname"""
_GUARDS = """
    SELECT tgrelid::regclass::text, tgname::text FROM pg_trigger
    WHERE tgenabled = 'A' AND tgrelid::regclass::text = ANY(%s)"""
_SEQUENCES = """
    SELECT pg_get_serial_sequence(quote_ident(%(table)s), attname) FROM pg_attribute
    WHERE attrelid = quote_ident(%(table)s)::regclass AND attnum > 0 AND NOT attisdropped
    AND pg_get_serial_sequence(quote_ident(%(table)s), attname) IS NOT NULL"""
# Threads and processes that a test has left behind would go on writing.
_END_OTHERS = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> ALL(%s)"""


class Baseline:
    """The rows of a database, on a superuser's connection that stays open and fires none of the product's triggers."""

    def __init__(self, url: str, *, is_empty: bool) -> None:
        """Read what a database holds; one that `is_empty` holds nothing by definition, whatever is in it now."""
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("SET session_replication_role = replica; SET plan_cache_mode = force_generic_plan")
        self._is_empty = is_empty
        self._checks: dict[tuple[str, ...], str] = {}
        self._rows: dict[str, bytes] = {}
        self._counts: dict[str, int] = {}
        self._sequences: dict[str, list[tuple[str, int, bool]]] = {}
        self._tables = {} if is_empty else {name: (analysed, size) for name, analysed, size in self._read_tables()}
        for name in self._tables:
            self._keep(name)
        self._since = self._transaction()

    def restore(self, *, spared: Sequence[int] = ()) -> Sequence[str]:
        """Give the database its rows again; return the tables with which that has to be done by files.

        A database that holds rows is left by all its users but the `spared` process ids first.
        """
        if not self._is_empty:
            self._connection.execute(_END_OTHERS, [[self._connection.info.backend_pid, *spared]])
        found = self._read_tables()
        names = tuple(name for name, _analysed, _size in found)
        changed = self._find_changed(names)
        worn = [name for name, *how in found if (name in changed or not self._is_empty) and self._is_worn(name, *how)]
        if not self._is_empty and (worn or names != tuple(self._tables)):
            return names
        if worn:
            return changed
        if changed:
            self._write(changed)
        return ()

    def close(self) -> None:
        """Leave the database."""
        self._connection.close()

    def _read_tables(self) -> list[tuple[str, float, int]]:
        return self._connection.execute(_TABLES, [list(KEPT_ROWS)], prepare=True).fetchall()

    def _is_worn(self, name: str, analysed: float, size: int) -> bool:
        """Return whether plans over a table would differ from those over a new one: it was analysed, or has grown."""
        before, size_before = self._tables.get(name, (NEVER_ANALYSED, 0))
        return analysed != before or size > max(FEW_PAGES * PAGE, 2 * size_before)

    def _keep(self, name: str) -> None:
        """Keep the rows of a table, and where its sequences stand."""
        ((count,),) = self._connection.execute(f'SELECT count(*) FROM "{name}"').fetchall()
        if count:
            self._counts[name] = count
            copy_out = f'COPY "{name}" TO STDOUT (FORMAT binary)'
            with self._connection.cursor() as cursor, cursor.copy(copy_out) as copy:
                self._rows[name] = b"".join(map(bytes, copy))
        for (sequence,) in self._connection.execute(_SEQUENCES, {"table": name}).fetchall():
            ((value, is_called),) = self._connection.execute(f"SELECT last_value, is_called FROM {sequence}").fetchall()
            self._sequences.setdefault(name, []).append((sequence, value, is_called))

    def _find_changed(self, names: tuple[str, ...]) -> list[str]:
        """Return the tables whose rows are not what they were."""
        if names not in self._checks:
            self._checks[names] = " UNION ALL ".join(map(self._check, names))
        found = self._connection.execute(self._checks[names], {"since": self._since}, prepare=True)
        return [name for (name,) in found.fetchall()]

    def _check(self, name: str) -> str:
        count = self._counts.get(name, 0)
        if not count:
            return f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")"
        is_new = "age(xmin) < age(%(since)s::text::xid)"
        return (
            f"SELECT '{name}' WHERE (SELECT count(*) <> {count} OR coalesce(bool_or({is_new}), false) FROM \"{name}\")"
        )

    def _write(self, changed: list[str]) -> None:
        guards = self._connection.execute(_GUARDS, [changed], prepare=True).fetchall()
        listed = ", ".join(f'"{name}"' for name in changed)
        statements = [
            f"LOCK TABLE {listed} IN SHARE ROW EXCLUSIVE MODE",
            *(f"ALTER TABLE ONLY {table} DISABLE TRIGGER {guard}" for table, guard in guards),
            *(f'DELETE FROM "{name}"' for name in changed),
        ]
        with self._connection.transaction():
            self._connection.execute("; ".join(statements))
            for name in changed:
                if name in self._rows:
                    copy_in = f'COPY "{name}" FROM STDIN (FORMAT binary)'
                    with self._connection.cursor() as cursor, cursor.copy(copy_in) as copy:
                        copy.write(self._rows[name])
                for sequence in self._sequences.get(name, ()):
                    self._connection.execute("SELECT setval(%s, %s, %s)", sequence)
            if guards:
                on = (f"ALTER TABLE ONLY {table} ENABLE ALWAYS TRIGGER {guard}" for table, guard in guards)
                self._connection.execute("; ".join(on))
            since = self._transaction()
        self._since = since

    def _transaction(self) -> str:
        """Return the number of the current transaction: rows that were written later have a higher one."""
        ((number,),) = self._connection.execute("SELECT pg_current_xact_id()::xid::text").fetchall()
        return str(number)
