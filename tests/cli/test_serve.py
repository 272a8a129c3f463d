"""An installation starts whole and stops whole."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import time
from urllib.request import urlopen

import psutil
import pytest

from .conftest import command, environment


def _until(true, seconds=30):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


@contextlib.contextmanager
def _running(*words, home):
    with subprocess.Popen(
        command(*words), env=environment(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        stdin=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def serving(recobra, home, free_port):
    assert recobra("db", "migrate").code == 0
    with _running("serve", "--port", free_port, "--json", home=home) as process:
        process.address = json.loads(process.stdout.readline())["address"]
        _until(lambda: len(psutil.Process(process.pid).children()) == 2)
        process.helpers = psutil.Process(process.pid).children()
        yield process


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


def test_a_helper_that_dies_is_started_again(serving):
    serving.helpers[0].kill()
    _until(lambda: {child.pid for child in psutil.Process(serving.pid).children()} - {h.pid for h in serving.helpers})


def test_a_taken_port_is_refused_by_number(recobra, free_port):
    with socket.socket() as other:
        other.bind(("127.0.0.1", free_port))
        other.listen()
        for word in ("serve", "demo"):
            ended = recobra(word, "--port", free_port)
            assert (ended.code, f"Port {free_port} is taken" in ended.reason) == (1, True)


@pytest.mark.parametrize("word", ["worker", "dispatch"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_helper_ends_gently(recobra, home, word, number):
    assert recobra("db", "migrate").code == 0
    with _running(word, "--json", home=home) as process:
        assert json.loads(process.stdout.readline()) == {word: "running"}
        time.sleep(1)
        process.send_signal(number)
        assert process.wait(30) == 0
        assert "Traceback" not in process.stderr.read()
