"""The real command, run as a person would, in a data directory of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from recobra.kit.embedded import EmbeddedServer
from tests import doors
from tests.databases import disable_durability


def environment(home, **more):
    given = os.environ.items()
    kept = {name: value for name, value in given if not name.startswith("RECOBRA_") or name == "RECOBRA_CACHE_DIR"}
    return {**kept, "RECOBRA_DATA_DIR": str(home), **more}


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def document(self):
        """The one JSON object on standard output; anything else there is a failure."""
        assert self.out, self.err
        return json.loads(self.out)

    @property
    def reason(self):
        """The one-line reason on standard error."""
        return self.err.splitlines()[-1]


def command(*words):
    doors.record_command(words)
    return [sys.executable, "-m", "recobra.cli", *map(str, words)]


@pytest.fixture(scope="session")
def servers():
    """The embedded server of each data directory that a test made."""
    kept = {}
    yield kept
    for folder, server in kept.items():
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def new_house(servers):
    """Make data directories whose database stays up between commands, as where the console is being served."""

    def make():
        # Not pytest's own folders: under root the server's user could not reach them, and would live elsewhere.
        folder = Path(tempfile.mkdtemp(prefix="recobra-cli-"))
        folder.chmod(0o711)
        servers[folder] = EmbeddedServer(folder / "postgres")
        disable_durability(servers[folder].start())
        return folder

    return make


@pytest.fixture(scope="session")
def url_of(servers):
    """Return the URL of a data directory's database."""
    return lambda folder: servers[folder].start()


@pytest.fixture(scope="session")
def home(new_house):
    return new_house()


@pytest.fixture(scope="session")
def database(home, url_of):
    """The URL of the database of that house."""
    return url_of(home)


@pytest.fixture(scope="session")
def recobra(home):
    """Run a command to its end."""

    def run(*words, at=home, **env):
        done = subprocess.run(
            command(*words), env=environment(at, **env), capture_output=True, text=True, check=False, timeout=240,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
