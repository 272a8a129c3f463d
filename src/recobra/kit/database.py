"""Address of the database: the company's own by RECOBRA_DATABASE_URL, else the embedded one.

The product works as a role that owns nothing. What changes the tables is done `as_owner`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from .database_roles import APPLICATION, OWNER, REPORTING
from .embedded import EmbeddedServer

OLDEST_MAJOR = 15


class DatabaseUnsuitable(Exception):
    """The database named by RECOBRA_DATABASE_URL cannot be used; the text says why."""


def data_dir() -> Path:
    """Return the folder that holds everything this installation stores."""
    return Path(os.environ.get("RECOBRA_DATA_DIR", "./.recobra")).resolve()


def database_url() -> str:
    """Return the database URL, starting the embedded server where none is given."""
    return os.environ.get("RECOBRA_DATABASE_URL") or embedded_server(data_dir()).start()


def owner_url() -> str:
    """Return the URL of the role that owns the tables: that of the product itself where none is named for it."""
    given = os.environ.get("RECOBRA_DATABASE_OWNER_URL")
    if given:
        return given
    return os.environ.get("RECOBRA_DATABASE_URL") or embedded_server(data_dir()).url(OWNER)


def owner_settings() -> dict[str, Any]:
    """Return Django's settings of its database for the role that owns the tables."""
    from django.db import connection  # noqa: PLC0415 - the settings ask this module where the database is

    given = django_settings(owner_url())
    # The database itself stays the same.
    owner = {name: given[name] for name in ("USER", "PASSWORD", "HOST", "PORT", "OPTIONS")}
    return {**connection.settings_dict, **owner}


@contextmanager
def as_owner() -> Iterator[None]:
    """Let Django's connection be that of the role that owns the tables, until the block ends.

    Outside any transaction: the connection is made anew at both ends.
    """
    from django.db import connection  # noqa: PLC0415 - the settings ask this module where the database is

    own = connection.settings_dict
    before = dict(own)
    owner = owner_settings()
    connection.close()
    own.update(owner)
    try:
        yield
    finally:
        connection.close()
        own.clear()
        own.update(before)


def application_role() -> str:
    """Return the name of the role that the product works as."""
    given = os.environ.get("RECOBRA_DATABASE_URL")
    return APPLICATION if not given else unquote(urlsplit(given).username or "")


def reporting_role() -> str:
    """Return the name of the role that may only read the reporting views."""
    return os.environ.get("RECOBRA_REPORTING_ROLE", REPORTING)


@cache
def embedded_server(home: Path) -> EmbeddedServer:
    """Return this process's server of a data directory; it is stopped with the process at the latest."""
    return EmbeddedServer(home / "postgres", reporting_port=_read_reporting_port())


def _read_reporting_port() -> int | None:
    """Return the port of this machine by which the reporting role comes in, or None. Raises DatabaseUnsuitable."""
    given = os.environ.get("RECOBRA_REPORTING_PORT", "")
    if not given:
        return None
    if not given.isdecimal() or not 1024 <= int(given) <= 65535:
        raise DatabaseUnsuitable(f"RECOBRA_REPORTING_PORT is «{given}»; a port from 1024 to 65535 was expected.")
    return int(given)


def django_settings(address: str) -> dict[str, object]:
    """Return Django's DATABASES entry for a postgresql:// URL. Raises DatabaseUnsuitable."""
    parts = urlsplit(address)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise DatabaseUnsuitable(
            f"RECOBRA_DATABASE_URL names «{parts.scheme or address}»; only PostgreSQL {OLDEST_MAJOR} or newer is "
            "supported (postgresql://user:password@host:port/name)."
        )
    # The folder of a socket cannot be the host part of a URL, so it comes as a parameter, as libpq has it.
    query = dict(parse_qsl(parts.query))
    host = query.pop("host", None) or parts.hostname or ""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or query.pop("port", "") or ""),
        "OPTIONS": {"application_name": "recobra", **query},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def check_version(major: int) -> None:
    """Refuse a server older than the product supports. Raises DatabaseUnsuitable."""
    if major < OLDEST_MAJOR:
        raise DatabaseUnsuitable(f"PostgreSQL {major} is too old; Recobra needs {OLDEST_MAJOR} or newer.")
