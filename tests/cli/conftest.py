"""Data directories and the real command, run in them as a person would."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from recobra.kit import database
from recobra.kit.database_roles import APPLICATION, OWNER, SUPERUSER
from recobra.kit.embedded import EmbeddedServer
from tests import databases
from tests.environment import HOME, WORKER

from .commands import run_here, run_process

EMPTY_DATABASE = f"empty_{WORKER}"


def database_addresses(owner_url: str) -> dict[str, str]:
    """Return the variables that name a database of the run's server to a command, by the URL of its owner."""
    name = urlsplit(owner_url).path.lstrip("/")
    return {"RECOBRA_DATABASE_URL": databases.url_of(APPLICATION, name), "RECOBRA_DATABASE_OWNER_URL": owner_url}


class Installations:
    """Data directories whose database stays up between commands, as where the console is being served."""

    def __init__(self) -> None:
        self._urls: dict[Path, str] = {}
        self._servers: dict[Path, EmbeddedServer] = {}

    def create(self, *, own_server: bool = False) -> Path:
        """Return a new one: with a migrated database on the run's server, or with an empty server of its own."""
        # Not pytest's own folders: under root the server's user could not reach them, and would live elsewhere.
        folder = Path(tempfile.mkdtemp(prefix="cli-", dir=HOME)).resolve()
        folder.chmod(0o711)
        if own_server:
            server = self._servers[folder] = database.embedded_server(folder)
            server.start()
            self._urls[folder] = server.url(OWNER)
            with psycopg.connect(server.url(SUPERUSER), autocommit=True) as connection:
                databases.prepare_server(connection)
        else:
            name = f"house_{WORKER}_{len(self._urls)}"
            databases.create_database(name, template=databases.EMPTY)
            self._urls[folder] = databases.url_of(OWNER, name)
        return folder

    def url_of(self, folder: Path) -> str:
        """Return the address of a data directory's database, for the owner of its tables."""
        return self._urls[folder]

    def environment(self, folder: Path, **more: str) -> dict[str, str]:
        """Return the environment of a command that works there: nothing of what the tests themselves are given."""
        given = os.environ.items()
        kept = {key: value for key, value in given if not key.startswith("RECOBRA_") or key == "RECOBRA_CACHE_DIR"}
        named = {} if folder in self._servers else database_addresses(self._urls[folder])
        return {**kept, "RECOBRA_DATA_DIR": str(folder), **named, **more}

    def remove(self) -> None:
        """Stop the servers and delete what was stored; the other databases go with the run's server."""
        for server in self._servers.values():
            server.stop()
        for folder in self._urls:
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def installations(django_db_setup):
    """The data directories of this worker's tests; a command run here needs Django's database."""
    made = Installations()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def new_installation(installations):
    """Make a data directory; with `own_server` its database is the product's embedded one, still empty."""
    return installations.create


@pytest.fixture(scope="session")
def url_of(installations):
    """Return the URL of a data directory's database."""
    return installations.url_of


@pytest.fixture(scope="session")
def home(new_installation):
    return new_installation()


@pytest.fixture(scope="session")
def database_url(home, url_of):
    """The URL of the database of that installation, for the owner of its tables."""
    return url_of(home)


@pytest.fixture
def empty_database_url(database_url):
    """The URL of a database without tables on the server of that installation."""
    with databases._server() as connection:
        connection.execute(f"CREATE DATABASE {EMPTY_DATABASE} OWNER {OWNER}")
        yield database_url.replace(urlsplit(database_url).path, f"/{EMPTY_DATABASE}")
        connection.execute(f"DROP DATABASE {EMPTY_DATABASE} WITH (FORCE)")


@pytest.fixture(scope="session")
def recobra(home, installations, django_db_blocker):
    """Run a command to its end."""

    def run(*words, at=home, stdin="", **env):
        with django_db_blocker.unblock():
            return run_here(*words, environment=installations.environment(at, **env), stdin=stdin)

    return run


@pytest.fixture(scope="session")
def recobra_process(home, installations):
    """Run a command to its end in a process of its own."""

    def run(*words, at=home, umask=-1, **env):
        return run_process(*words, environment=installations.environment(at, **env), umask=umask)

    return run


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
