"""Address of the database: the company's own by RECOBRA_DATABASE_URL, else the embedded one."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

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


@cache
def embedded_server(home: Path) -> EmbeddedServer:
    """Return this process's server of a data directory; it is stopped with the process at the latest."""
    return EmbeddedServer(home / "postgres")


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
