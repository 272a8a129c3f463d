"""An installation starts whole and stops whole."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import procrastinate
import psutil
import pytest
from procrastinate.testing import InMemoryConnector
from procrastinate.worker import Worker

from recobra.cli import serve, supervision
from recobra.kit import heartbeat
from tests import doors, extent

from .commands import command_line

HELPERS = ["dispatch", "dispatch", "worker"]


def _until(true, seconds=30):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def _children(process):
    return psutil.Process(process.pid).children()


def _catches(process, number):
    """Return whether a process has a handler for a signal yet."""
    (caught,) = re.findall(r"SigCgt:\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text())
    return bool(int(caught, 16) >> (number - 1) & 1)


@pytest.fixture(scope="module")
def running(home, installations):
    """Start a command in a process of its own, which the end of the block kills."""

    @contextlib.contextmanager
    def run(*words):
        with subprocess.Popen(
            command_line(*words),
            env=installations.environment(home, RECOBRA_DISPATCHERS="2"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    return run


@pytest.fixture(scope="module")
def consoles(running):
    """Give a console that serves: the one of the test before, if that left it alive."""
    with contextlib.ExitStack() as stack:
        started = []

        def serving(port):
            if not started or started[-1].poll() is not None:
                process = stack.enter_context(running("serve", "--port", port, "--json"))
                process.address = json.loads(process.stdout.readline())["address"]
                started.append(process)
            doors.record_command(["serve"])  # whoever is given a console walks through it, not only who started it
            _until(lambda: len(_children(started[-1])) == len(HELPERS))
            return started[-1]

        yield serving


@pytest.fixture
def serving(consoles, free_port):
    process = consoles(free_port)
    process.helpers = _children(process)
    return process


def test_a_worker_and_as_many_dispatchers_as_were_set_run_beside_the_console(serving):
    assert sorted(helper.cmdline()[-1] for helper in serving.helpers) == HELPERS


def test_health_says_what_runs_and_what_does_not(serving):
    address = f"{serving.address}healthz"
    _until(lambda: _health(address)[1]["parts"]["dispatcher"] == "ok")
    _until(lambda: _health(address)[1]["parts"]["worker"] == "ok")
    code, document = _health(address)
    assert (code, document["status"]) == (200, "ok"), document
    assert document["parts"].keys() == {
        "database",
        "worker",
        "dispatcher",
        "disk",
        "time_zones",
        "jobs",
        "cycle",
        "load",
    }


def test_a_helper_that_dies_is_started_again(serving):
    serving.helpers[0].kill()
    _until(lambda: set(_children(serving)) - set(serving.helpers))


def test_the_console_answers_and_stops_on_sigterm_with_all_its_processes(serving):
    assert urlopen(serving.address, timeout=30).status == 200
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(40) == 0
    assert not any(helper.is_running() for helper in serving.helpers)


def test_nothing_outlives_a_killed_console(serving):
    serving.send_signal(signal.SIGKILL)
    serving.wait(10)
    _, alive = psutil.wait_procs(serving.helpers, timeout=30)
    assert alive == []


def test_a_taken_port_is_refused_by_number(recobra, recobra_process, free_port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port))
        other.listen()
        for ended in (recobra_process("serve", "--port", free_port), recobra("demo", "--port", free_port)):
            assert (ended.code, f"Port {free_port} is taken" in ended.reason) == (1, True)


ENDS = [(number, word) for word in ("worker", "dispatch") for number in (signal.SIGTERM, signal.SIGINT)]


@pytest.mark.parametrize(("number", "word"), extent.choose(daily=[ENDS[0], ENDS[-1]], whole=ENDS))
def test_a_helper_ends_gently(running, number, word):
    with running(word, "--json") as process:
        assert json.loads(process.stdout.readline()) == {word: "running"}
        _until(lambda: _catches(process, signal.SIGTERM))
        process.send_signal(number)
        assert process.wait(30) == 0
        assert "Traceback" not in process.stderr.read()


def test_a_worker_that_ends_lives_until_its_job_is_done(tmp_path):
    """Else another worker takes the job up beside it."""
    app = procrastinate.App(connector=InMemoryConnector())
    worker = Worker(app=app, update_heartbeat_interval=0.01, install_signal_handlers=False)
    stalled = []
    life = heartbeat.new_heartbeat(tmp_path, "worker")

    @app.task
    async def end_slowly():
        worker.stop()
        await asyncio.sleep(0.2)
        assert life.seconds_ago() < 10
        stalled.append(list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=0.1)))

    async def work():
        async with app.open_async():
            await end_slowly.defer_async()
            await asyncio.wait_for(serve.run_until_stopped(worker, life=life), 10)
            assert life.seconds_ago() is None, "it has said that it is gone"

    asyncio.run(work())
    assert stalled == [[]]


SLEEP = """import os, pathlib, time
path = pathlib.Path(os.environ["RECOBRA_HEARTBEAT"])
path.parent.mkdir(exist_ok=True)
path.touch()
time.sleep(60)"""


def test_a_process_that_gives_no_sign_of_life_is_ended(tmp_path):
    life = heartbeat.new_heartbeat(tmp_path, "dispatch")
    words = [sys.executable, "-c", SLEEP]
    how = supervision._run_once(words, life, threading.Event(), hang_seconds=0.5)
    assert (how, life.seconds_ago()) == ("gave no sign of life", None)


def test_what_ends_at_once_is_started_ever_later(monkeypatch, tmp_path):
    """What lacks something that a person has to set is not started every few seconds for days."""
    waits = []

    class Stopped(threading.Event):
        def wait(self, timeout=None):
            if timeout == supervision._WAIT_SECONDS:
                waits[-1] += timeout
                if sum(waits) == 195:
                    self.set()
                return self.is_set()
            if not waits or waits[-1]:  # looks after a process that runs
                waits.append(0)
            return super().wait(timeout)

    monkeypatch.setenv("RECOBRA_DATA_DIR", str(tmp_path))
    supervision.keep_running("no-such-command", Stopped())
    assert waits == [5, 10, 20, 40, 60, 60]


BEATS = """import os, pathlib, time
path = pathlib.Path(os.environ["RECOBRA_HEARTBEAT"])
path.parent.mkdir(exist_ok=True)
path.touch()
for number in range(600):
    os.utime(path, (number, number))
    time.sleep(0.1)"""


def test_a_clock_that_is_put_forward_ends_nobody(tmp_path):
    """Its signs of life are of another year, as if the clock had been put forward since each of them."""
    life = heartbeat.new_heartbeat(tmp_path, "dispatch")
    stopped = threading.Event()
    threading.Timer(1.5, stopped.set).start()
    how = supervision._run_once([sys.executable, "-c", BEATS], life, stopped, hang_seconds=1.0)
    assert how == f"ended with code {-signal.SIGTERM}"


def test_a_sign_of_life_that_cannot_be_written_ends_nobody(tmp_path):
    life = heartbeat.Heartbeat(tmp_path / "worker-1")
    life.path.symlink_to("/proc/nowhere/worker-1")  # as on a full disk, where no file can be made
    life.beat()
    assert life.seconds_ago() is None


def test_a_helper_that_cannot_be_started_is_tried_again_and_a_full_disk_silences_nobody(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("RECOBRA_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(supervision, "RESTART_SECONDS", 0.05)
    python, lines = sys.executable, []
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere"))
    stopped = threading.Event()

    def is_reported(words):
        lines.append(capsys.readouterr().err)
        return words in "".join(lines)

    keeper = threading.Thread(target=supervision.keep_running, args=("--help", stopped))
    keeper.start()
    try:
        _until(lambda: is_reported("could not be started"))
        with contextlib.suppress(OSError), Path("/dev/full").open("w") as full, monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", full)
            time.sleep(0.2)
        monkeypatch.setattr(sys, "executable", python)
        _until(lambda: is_reported("ended with code 0"))
    finally:
        stopped.set()
        keeper.join()


def _health(address):
    try:
        with urlopen(address, timeout=30) as answer:
            return answer.status, json.load(answer)
    except HTTPError as refused:
        return refused.code, json.load(refused)
