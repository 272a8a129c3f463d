"""Processes beside the console, and the embedded server: whatever dies or hangs is started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from recobra.cli import bootstrap
from recobra.kit import database, heartbeat
from recobra.kit.cluster_folders import FolderNotOurs
from recobra.kit.embedded import EmbeddedServer, EmbeddedServerFailed, ServerRun

PARENT_VARIABLE: Final = "RECOBRA_PARENT"
RESTART_SECONDS: Final = 5.0
LONGEST_RESTART_SECONDS: Final = 60.0
SHORT_LIFE_SECONDS: Final = 20.0
STOP_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.2
_WAIT_SECONDS: Final = 0.5
_ASK_SECONDS: Final = 5.0


@contextlib.contextmanager
def run_beside(*commands: str) -> Iterator[None]:
    """Keep other commands of ours running meanwhile, each in a process of its own, and the embedded server too."""
    stopped = threading.Event()
    keepers = [threading.Thread(target=keep_running, args=(name, stopped), daemon=True) for name in commands]
    keepers.append(threading.Thread(target=keep_database_running, args=(stopped,), daemon=True))
    for keeper in keepers:
        keeper.start()
    try:
        yield
    finally:
        stopped.set()
        for keeper in keepers:
            keeper.join(STOP_SECONDS)


def keep_running(command: str, stopped: threading.Event, *, hang_seconds: float = heartbeat.SILENT_SECONDS) -> None:
    """Run a command and start it again whenever it ends or hangs, until `stopped` is set.

    What lives but for seconds each time is started ever later, at most LONGEST_RESTART_SECONDS; what the embedded
    server took with it is started as soon as that is back.
    """
    server = database.embedded_server(database.data_dir()) if bootstrap.is_embedded() else None
    wait_seconds = RESTART_SECONDS / 2
    while not stopped.is_set():
        words = [sys.executable, "-m", "recobra.cli", command]
        started_at = time.monotonic()
        database_run = server.find_run() if server else None
        try:
            life = heartbeat.new_heartbeat(database.data_dir(), command)
            is_cut_off = partial(_has_another_run, server, database_run) if database_run else lambda: False
            how = _run_once(words, life, stopped, hang_seconds=hang_seconds, is_cut_off=is_cut_off)
        except OSError as error:  # the machine has no memory or no process to give: it may soon
            how = f"could not be started: {error}"
        if not stopped.is_set():
            bootstrap.report_progress(f"The {command} {how}; it is started again.")
            # What ends at once lacks something that a person has to set: its starts must not fill the processor.
            is_short_lived = time.monotonic() - started_at < SHORT_LIFE_SECONDS
            wait_seconds = min(wait_seconds * 2, LONGEST_RESTART_SECONDS) if is_short_lived else RESTART_SECONDS
            if _wait_for_database(server, database_run, stopped, seconds=wait_seconds):
                wait_seconds = RESTART_SECONDS / 2


def _wait_for_database(
    server: EmbeddedServer | None, run: ServerRun | None, stopped: threading.Event, *, seconds: float
) -> bool:
    """Wait some seconds, but no longer than until the embedded server has another run than `run`; tell if it has."""
    left = seconds
    while left > 0 and not stopped.wait(_WAIT_SECONDS):
        left -= _WAIT_SECONDS
        if _has_another_run(server, run):
            return True
    return False


def _has_another_run(server: EmbeddedServer | None, run: ServerRun | None) -> bool:
    """Tell if the embedded server runs, and was started later than `run`."""
    return server is not None and server.find_run() not in {None, run}


def _run_once(
    words: Sequence[str],
    life: heartbeat.Heartbeat,
    stopped: threading.Event,
    *,
    hang_seconds: float,
    is_cut_off: Callable[[], bool] = lambda: False,
) -> str:
    """Run a process until it ends, hangs, or `stopped` is set; return how it ended.

    Once `is_cut_off` it is asked to end, as its sessions with the database are lost.
    """
    environment = {
        **os.environ,
        PARENT_VARIABLE: str(os.getpid()),
        heartbeat.FILE_VARIABLE: str(life.path),
    }
    # By the clock that nobody sets: one that is put forward must not end a process amid its work.
    mark, marked_at = life.last_mark(), time.monotonic()
    with subprocess.Popen(  # noqa: S603 - our own command
        words,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for the parent, which ends its children in order
    ) as child:
        hangs = is_asked = False
        while child.poll() is None and not hangs and not stopped.wait(_LOOK_SECONDS):
            if not is_asked and is_cut_off():
                child.terminate()
                is_asked = True
            if life.last_mark() != mark:
                mark, marked_at = life.last_mark(), time.monotonic()
            hangs = time.monotonic() - marked_at > hang_seconds
        if hangs:
            child.kill()  # what hangs does not hear that it should end
        elif not is_asked:
            child.terminate()
    life.end()
    return "gave no sign of life" if hangs else f"ended with code {child.returncode}"


def keep_database_running(stopped: threading.Event) -> None:
    """Start the embedded server again whenever it takes no connections, until `stopped` is set."""
    if not bootstrap.is_embedded():
        return
    server = database.embedded_server(database.data_dir())
    last_reason = ""
    asked_at = time.monotonic()
    while not stopped.wait(_WAIT_SECONDS):
        # A server that is gone is seen without asking it; one that could not be started is not tried all the time.
        is_gone = server.find_run() is None and not last_reason
        if not is_gone and time.monotonic() - asked_at < _ASK_SECONDS:
            continue
        try:
            if server.revive():
                bootstrap.report_progress("The database took no connections; it was started again.")
            last_reason = ""
        except (EmbeddedServerFailed, FolderNotOurs, OSError) as error:
            # On a full disk it cannot start; it does as soon as there is room.
            reason = " ".join(str(error).split())
            if not last_reason:
                bootstrap.report_progress(f"The database cannot be started, and is tried again: {reason}")
            last_reason = reason
        asked_at = time.monotonic()


@contextlib.contextmanager
def keep_own_database() -> Iterator[None]:
    """Keep the embedded server running meanwhile, unless whoever started this process does so."""
    stopped = threading.Event()
    if PARENT_VARIABLE not in os.environ:
        threading.Thread(target=keep_database_running, args=(stopped,), daemon=True).start()
    try:
        yield
    finally:
        stopped.set()


def end_with_parent() -> None:
    """End this process when the one that started it is gone, even if it was killed."""
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is None:
        return

    def watch() -> None:
        while os.getppid() == int(parent):
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
