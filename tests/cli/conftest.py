"""The real command, run as a person would, in a data directory of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass

import pytest

from recobra.kit.embedded import EmbeddedServer

HOUSE = {"RECOBRA_TEST_HOME", "RECOBRA_TEST_OWNER"}


def environment(home, **more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RECOBRA_")}
    return {**kept, "RECOBRA_DATA_DIR": str(home), **more}


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def document(self):
        """The one JSON object on standard output; anything else there is a failure."""
        return json.loads(self.out)

    @property
    def reason(self):
        """The one-line reason on standard error."""
        return self.err.splitlines()[-1]


def command(*words):
    return [sys.executable, "-m", "recobra.cli", *map(str, words)]


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A data directory whose database stays up between the commands, as in a house that is being served."""
    folder = tmp_path_factory.mktemp("house")
    server = EmbeddedServer(folder / "postgres")
    server.start()
    yield folder
    server.stop()


@pytest.fixture(scope="session")
def database(home):
    """The URL of the database of that house."""
    return EmbeddedServer(home / "postgres").start()


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
