"""What the product's role may do with the tables: read and write rows, and nothing that changes a table.

The owner keeps the tables. The product's role may add to those that only grow, and neither change nor delete there. The
few things beyond rows that it needs are functions of the owner's in the schema `maintenance`, each for one purpose
(`bulk_write.py`, `statistics.py`). The reporting role sees the views of the schema `reporting`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from django.db import connection, transaction
from psycopg import sql

_MAINTENANCE = """
CREATE SCHEMA IF NOT EXISTS maintenance;

-- Definitions of the indexes that a large COPY into an empty table does without; empty whenever a transaction ends.
CREATE TABLE IF NOT EXISTS maintenance.dropped_index (
    written regclass NOT NULL,
    place integer NOT NULL,
    statement text NOT NULL,
    PRIMARY KEY (written, place)
);

CREATE OR REPLACE FUNCTION maintenance.refuse_dropped_index() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM maintenance.dropped_index WHERE written = NEW.written) THEN
        RAISE EXCEPTION 'The indexes of % were dropped and not made again.', NEW.written
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS made_again ON maintenance.dropped_index;
CREATE CONSTRAINT TRIGGER made_again AFTER INSERT ON maintenance.dropped_index
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION maintenance.refuse_dropped_index();
ALTER TABLE maintenance.dropped_index ENABLE ALWAYS TRIGGER made_again;

-- Drop the indexes of a table without rows that can be made again, and return how many. None where the table has rows,
-- or where somebody uses it at this moment. What an index has beyond its definition would be lost, so such a one stays,
-- as do those that foreign keys need.
CREATE OR REPLACE FUNCTION maintenance.drop_indexes(written regclass) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    names name[];
    definitions text[];
    are_constraints boolean[];
    has_rows boolean;
BEGIN
    SELECT array_agg(named.relname ORDER BY named.oid), array_agg(pg_get_indexdef(named.oid) ORDER BY named.oid),
        array_agg(con.conname IS NOT NULL ORDER BY named.oid)
    INTO names, definitions, are_constraints
    FROM pg_index
    JOIN pg_class named ON named.oid = indexrelid
    JOIN pg_class filled ON filled.oid = indrelid
    LEFT JOIN pg_constraint con ON con.conindid = named.oid AND con.contype IN ('p', 'u', 'x')
    WHERE indrelid = drop_indexes.written
        AND filled.relkind = 'r' AND filled.relpersistence = 'p'
        AND pg_has_role(filled.relowner, 'USAGE') AND has_schema_privilege(filled.relnamespace, 'CREATE')
        AND indisvalid AND indimmediate
        AND NOT indisprimary AND NOT indisexclusion AND NOT indisclustered AND NOT indisreplident
        AND named.reltablespace = 0
        AND (con.conname IS NULL OR con.conname = named.relname)
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE contype = 'f' AND conindid = named.oid)
        AND NOT EXISTS (SELECT FROM pg_description WHERE objoid IN (named.oid, con.oid))
        AND NOT EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = named.oid AND coalesce(attstattarget, -1) <> -1);
    IF names IS NULL THEN
        RETURN 0;
    END IF;
    -- Readers of an empty table miss nothing by waiting; this load does not wait for them.
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE NOWAIT', written);
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', written) INTO has_rows;
    IF has_rows THEN
        RAISE lock_not_available; -- lets go of the lock
    END IF;
    FOR place IN 1 .. cardinality(names) LOOP
        INSERT INTO maintenance.dropped_index VALUES (written, 2 * place, definitions[place]);
        IF are_constraints[place] THEN
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', written, names[place]);
            INSERT INTO maintenance.dropped_index VALUES (
                written, 2 * place + 1,
                format('ALTER TABLE %s ADD CONSTRAINT %I UNIQUE USING INDEX %I',
                       written, names[place], names[place]));
        ELSE
            EXECUTE format('DROP INDEX %I.%I', (
                SELECT nspname FROM pg_class JOIN pg_namespace space ON space.oid = relnamespace
                WHERE pg_class.oid = written), names[place]);
        END IF;
    END LOOP;
    RETURN cardinality(names);
EXCEPTION WHEN lock_not_available THEN
    RETURN 0;
END $$;

-- Make the indexes of a table again that `drop_indexes` dropped in this transaction.
CREATE OR REPLACE FUNCTION maintenance.make_indexes(written regclass) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT item.statement FROM maintenance.dropped_index AS item
        WHERE item.written = make_indexes.written ORDER BY place
    LOOP
        EXECUTE statement;
    END LOOP;
    DELETE FROM maintenance.dropped_index AS item WHERE item.written = make_indexes.written;
END $$;

-- Lock the rows of a table whose key lies in a run from `lows[i]` to `highs[i]`, as PostgreSQL's own check of a foreign
-- key does, and return how many there are.
CREATE OR REPLACE FUNCTION maintenance.lock_rows(referred regclass, key name, lows bigint[], highs bigint[])
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    locked bigint;
BEGIN
    EXECUTE format(
        'SELECT count(*) FROM (
            SELECT FROM unnest(%L::bigint[], %L::bigint[]) AS run (low, high)
            JOIN ONLY %s AS target ON target.%I BETWEEN run.low AND run.high
            FOR KEY SHARE OF target) AS each_row', lows, highs, referred, key) INTO locked;
    RETURN locked;
END $$;

-- Let PostgreSQL count tables anew.
CREATE OR REPLACE FUNCTION maintenance.analyze_tables(counted regclass[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF cardinality(counted) > 0 THEN
        -- Who counts a table at this moment does so for everybody.
        EXECUTE (SELECT 'ANALYZE (SKIP_LOCKED) ' || string_agg(name::text, ', ') FROM unnest(counted) AS name);
    END IF;
END $$;
"""

_GRANT = """
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA public, maintenance FROM {application};
GRANT USAGE ON SCHEMA public, maintenance TO {application};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {application};
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {application};
GRANT SELECT ON maintenance.dropped_index TO {application};
REVOKE ALL ON django_migrations FROM {application};
GRANT SELECT ON django_migrations TO {application};
"""

# Those that only grow are known by their guard; a partition is written to through its table alone. A guard with a
# function of its own lets some changes through, and judges each.
_FIND_GUARDED = """
    SELECT class.oid::regclass::text, class.relispartition, guard.proname = 'append_only'
    FROM pg_class class
    JOIN pg_trigger ON tgrelid = class.oid
    JOIN pg_proc guard ON guard.oid = tgfoid
    WHERE class.relnamespace = 'public'::regnamespace AND tgname LIKE '%append_only'"""

_FIND_LENT = """
    SELECT oid::regprocedure::text FROM pg_proc
    WHERE prosecdef AND pronamespace IN ('public'::regnamespace, 'maintenance'::regnamespace)
        AND pg_has_role(proowner, 'USAGE')"""

_READ_STATE = "SELECT obj_description(to_regnamespace('maintenance'), 'pg_namespace')"


def describe(views: Mapping[str, str], migrations: Iterable[tuple[str, str]], *, roles: Iterable[str]) -> str:
    """Return a digest of the privileges that some roles should have, for the tables of some migrations and views."""
    applied = [f"{app}.{name}" for app, name in sorted(migrations)]
    parts = (_MAINTENANCE, _GRANT, _FIND_GUARDED, _FIND_LENT, *views, *views.values(), *applied, *roles)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def read_description() -> str:
    """Return the digest of the privileges that were given last, '' where none were."""
    with connection.cursor() as cursor:
        cursor.execute(_READ_STATE)
        (state,) = cursor.fetchone()
    return state or ""


def forget_privileges() -> None:
    """Note that a restored database, whose dump has no privileges, has to be given them anew; for the tables' owner."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace('maintenance') IS NOT NULL")
        (is_there,) = cursor.fetchone()
        if is_there:
            cursor.execute("COMMENT ON SCHEMA maintenance IS NULL")


def drop_reporting() -> None:
    """Drop the schema `reporting`, whose views would keep migrations from changing a column; for the tables' owner."""
    with connection.cursor() as cursor:
        cursor.execute("SET client_min_messages = warning")
        cursor.execute("DROP SCHEMA IF EXISTS reporting CASCADE")
        cursor.execute("RESET client_min_messages")


@transaction.atomic
def give_privileges(views: Mapping[str, str], *, description: str, application: str, reporting: str) -> None:
    """Make the schemas `maintenance` and `reporting` and give two roles their privileges; for the owner of the tables.

    A role that owns the tables itself keeps all rights, and one that the server does not know is passed over.
    """
    drop_reporting()
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA reporting")
        for name, query in views.items():
            # A function of whoever asks must not see rows that a view leaves out.
            cursor.execute(f"CREATE VIEW reporting.{name} WITH (security_barrier) AS {query}")
        cursor.execute(_MAINTENANCE)
        cursor.execute(_FIND_LENT)
        lent = [sql.SQL(name) for (name,) in cursor.fetchall()]
        for function in lent:
            cursor.execute(sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC").format(function))
        if _is_another(application):
            role = sql.Identifier(application)
            cursor.execute(sql.SQL(_GRANT).format(application=role))
            for function in lent:
                cursor.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(function, role))
            cursor.execute(_FIND_GUARDED)
            for name, is_partition, refuses_all in cursor.fetchall():
                changes = "ALL" if is_partition else "UPDATE, DELETE" if refuses_all else "DELETE"
                revoke = sql.SQL("REVOKE {} ON {} FROM {}")
                cursor.execute(revoke.format(sql.SQL(changes), sql.SQL(name), role))
        if _is_another(reporting):
            role = sql.Identifier(reporting)
            cursor.execute(sql.SQL("GRANT USAGE ON SCHEMA reporting TO {}").format(role))
            cursor.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO {}").format(role))
        cursor.execute(sql.SQL("COMMENT ON SCHEMA maintenance IS {}").format(sql.Literal(description)))


def _is_another(role: str) -> bool:
    """Tell if the server knows a role that is not the one at work."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s AND rolname <> current_user)", [role])
        (is_another,) = cursor.fetchone()
    return bool(is_another)
