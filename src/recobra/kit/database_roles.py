"""Roles of the embedded server: one that may do everything with the tables, one that works with them, one that reads.

The server's superuser makes them and does nothing else. What the roles may do with the tables is in `privileges.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SUPERUSER: Final = "postgres"
OWNER: Final = "recobra_owner"
"""Owns the tables and brings them up to date."""
APPLICATION: Final = "recobra_app"
"""What the product runs under."""
REPORTING: Final = "recobra_reporting"
"""Reads the views of the schema `reporting` (Excel, Power BI)."""
ROLES: Final = (OWNER, APPLICATION, REPORTING)

_CREATE = """
    DO $create$ BEGIN
        IF to_regrole({name}) IS NULL THEN
            CREATE ROLE {role} LOGIN;
        END IF;
    END $create$"""

# What an installation made when the product still was the superuser. What belongs to an extension stays with it, and a
# sequence goes with the table whose column it numbers.
_HAND_OVER = """
    DO $hand_over$
    DECLARE
        statement text;
    BEGIN
        FOR statement IN
            SELECT format('ALTER TABLE %s OWNER TO {owner}', oid::regclass) FROM pg_class AS item
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
                AND relowner = {superuser}::regrole
                AND NOT EXISTS (
                    SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = item.oid
                        AND (deptype = 'e' OR relkind = 'S' AND deptype IN ('a', 'i')))
            UNION ALL
            SELECT format('ALTER ROUTINE %s OWNER TO {owner}', oid::regprocedure) FROM pg_proc AS item
            WHERE pronamespace = 'public'::regnamespace AND proowner = {superuser}::regrole
                AND NOT EXISTS (
                    SELECT FROM pg_depend
                    WHERE classid = 'pg_proc'::regclass AND objid = item.oid AND deptype = 'e')
            UNION ALL
            SELECT format('ALTER TYPE %s OWNER TO {owner}', oid::regtype) FROM pg_type AS item
            WHERE typnamespace = 'public'::regnamespace AND typowner = {superuser}::regrole
                AND typtype IN ('e', 'd', 'r')
                AND NOT EXISTS (
                    SELECT FROM pg_depend
                    WHERE classid = 'pg_type'::regclass AND objid = item.oid AND deptype = 'e')
        LOOP
            EXECUTE statement;
        END LOOP;
    END $hand_over$"""


def setup_statements(*, database: str, owner: str, application: str, reporting: str) -> list[str]:
    """Return what a superuser runs in psql, once, to make a database with its three roles; passwords are asked for."""
    roles = [_quote(role) for role in (owner, application, reporting)]
    return [
        *(f"CREATE ROLE {role} LOGIN;" for role in roles),
        *(f"\\password {role}" for role in roles),
        f"CREATE DATABASE {_quote(database)} OWNER {roles[0]} ENCODING 'UTF8' TEMPLATE template0;",
        *_limits(database, application=application, reporting=reporting),
    ]


def _limits(database: str, *, application: str, reporting: str) -> list[str]:
    """Return the statements that say who may enter a database, and what the two roles may do besides its tables."""
    base, application, reporting = (_quote(name) for name in (database, application, reporting))
    return [
        f"REVOKE ALL ON DATABASE {base} FROM PUBLIC;",
        f"GRANT CONNECT, TEMPORARY ON DATABASE {base} TO {application};",
        f"GRANT CONNECT ON DATABASE {base} TO {reporting};",
        # Keys of many rows are checked together (ADR 38); the guards of the ledgers fire all the same.
        f"GRANT SET ON PARAMETER session_replication_role TO {application};",
        f"ALTER ROLE {reporting} CONNECTION LIMIT 10;",
        f"ALTER ROLE {reporting} SET default_transaction_read_only = on;",
        f"ALTER ROLE {reporting} SET statement_timeout = '10min';",
        f"ALTER ROLE {reporting} SET search_path = reporting;",
    ]


def _quote(name: str) -> str:
    """Return a name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def prepare_roles(superuser: str, *, passwords: Mapping[str, str], database: str) -> None:
    """Make the roles with their passwords, and give the owner what the superuser owns in a database.

    `superuser` is the connection string of the server's superuser. May be repeated at any time.
    """
    import psycopg  # noqa: PLC0415 - the names of the roles are asked for by every command
    from psycopg import sql  # noqa: PLC0415

    with psycopg.connect(superuser) as server:
        server.execute("SELECT pg_advisory_xact_lock(hashtext('recobra roles'))")
        for role in ROLES:
            create = sql.SQL(_CREATE).format(name=sql.Literal(role), role=sql.Identifier(role))
            server.execute(create)
            password = sql.SQL("ALTER ROLE {} PASSWORD {}")
            server.execute(password.format(sql.Identifier(role), sql.Literal(passwords[role])))
        handing_over = sql.SQL("ALTER DATABASE {} OWNER TO {}")
        server.execute(handing_over.format(sql.Identifier(database), sql.Identifier(OWNER)))
        for statement in _limits(database, application=APPLICATION, reporting=REPORTING):
            server.execute(sql.SQL(statement))
        names = {"owner": sql.Identifier(OWNER), "superuser": sql.Literal(SUPERUSER)}
        server.execute(sql.SQL(_HAND_OVER).format(**names))
