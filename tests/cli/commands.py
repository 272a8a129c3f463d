"""Run the product's command: in this process as if it had just been started, or in a process of its own."""

from __future__ import annotations

import io
import json
import logging
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest import mock

import django
from django.conf import global_settings, settings
from django.db import connection, connections
from django.test import override_settings
from django.utils import translation

from recobra.cli.main import main
from recobra.config import settings as product_settings
from tests import doors


@dataclass(frozen=True)
class Ended:
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON object on standard output; anything else there is a failure."""
        assert self.out, self.err
        return json.loads(self.out)

    @property
    def reason(self) -> str:
        """The one-line reason on standard error."""
        return self.err.splitlines()[-1]


def command_line(*words: object) -> list[str]:
    """Return the arguments of a process that runs a command."""
    doors.record_command(words)
    return [sys.executable, "-m", "recobra.cli", *map(str, words)]


def run_process(*words: object, environment: Mapping[str, str], umask: int = -1) -> Ended:
    """Run a command in a process of its own, to its end; -1 is the `umask` of this one."""
    done = subprocess.run(
        command_line(*words),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        umask=umask,
        stdin=subprocess.DEVNULL,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def run_here(*words: object, environment: Mapping[str, str], stdin: str = "") -> Ended:
    """Run a command in this process, with the settings that a new one would read from that environment.

    Starting a process takes some two seconds of imports; what is compared is the same. What only a process has,
    signals and its own death, is not proved here.
    """
    with ExitStack() as stack:
        written = stack.enter_context(_descriptors_captured())
        stack.enter_context(mock.patch.dict(os.environ, environment, clear=True))
        stack.enter_context(mock.patch.object(sys, "stdin", io.StringIO(stdin)))
        stack.enter_context(_django_not_set_up())
        try:
            code = main([str(word) for word in words])
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Ended(code, *written)


@contextmanager
def _descriptors_captured() -> Iterator[list[str]]:
    """Collect what is written to descriptors 1 and 2, by Python or by a library: a list of both when the block ends."""
    written: list[str] = []
    with ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile()) for _ in (1, 2)]
        for stream, descriptor, file in zip((sys.stdout, sys.stderr), (1, 2), files, strict=True):
            stream.flush()
            kept = os.dup(descriptor)
            stack.callback(os.close, kept)
            stack.callback(os.dup2, kept, descriptor)
            os.dup2(file.fileno(), descriptor)
        with (
            open(1, "w", encoding="utf-8", closefd=False) as out,
            open(2, "w", encoding="utf-8", closefd=False, buffering=1) as err,
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            yield written
        for file in files:
            file.seek(0)
            written.append(file.read().decode())


@contextmanager
def _django_not_set_up() -> Iterator[None]:
    """Let `django.setup` read the settings anew and connect to their database, until the block ends."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    database = dict(connection.settings_dict)
    with ExitStack() as stack:
        setup = django.setup

        def set_up() -> None:
            django.setup = setup
            given = _settings_anew()
            connections.close_all()
            connection.settings_dict.update(given.pop("DATABASES")["default"])
            stack.enter_context(override_settings(**given))
            setup()

        stack.enter_context(mock.patch.object(django, "setup", set_up))
        stack.enter_context(translation.override(settings.LANGUAGE_CODE, deactivate=True))
        try:
            yield
        finally:
            connections.close_all()
            connection.settings_dict.update(database)
            root.handlers[:] = handlers
            root.setLevel(level)


def _settings_anew() -> dict[str, Any]:
    """Return the settings that a process with this environment reads, as far as they are not those of this one."""
    given = runpy.run_path(product_settings.__file__)
    names = {name for name in (*dir(global_settings), *given) if name.isupper()}
    anew = {name: given[name] if name in given else getattr(global_settings, name) for name in names}
    return {
        name: value
        for name, value in anew.items()
        if name == "DATABASES" or not hasattr(settings, name) or getattr(settings, name) != value
    }
