"""Messages sent in a second, their cost in processor time, and the seconds of the machine alone."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import psutil
from django.conf import settings
from django.db import connection

from recobra.access.actors import Service, service_actor
from recobra.cli import bootstrap
from recobra.cli.bench import outbox
from recobra.cli.bench.sink import SinkProcess
from recobra.kit import database

GATEWAY = """
name: Bench
request:
  method: POST
  url: http://127.0.0.1:{port}/messages
  body: json
  fields: {{to: "{{to}}", text: "{{text}}", reference: "{{id}}"}}
answer:
  accepted: [200]
  id: id
"""


def measure_dispatch(*, messages: int, dispatchers: int, channel: str, now: datetime) -> dict[str, Any]:
    """Measure one dispatcher and then, where more are wanted, so many at once, with as many messages each time."""
    ids = outbox.open_portfolio(now=now)
    with closing(SinkProcess()) as sink:
        _configure_channel(sink, channel, now)
        counts = [1] if dispatchers == 1 else [1, dispatchers]
        runs = [_measure_run(sink, count, messages=messages, channel=channel, ids=ids, now=now) for count in counts]
        figures = {"channel": channel, "messages": messages, "dispatchers": dispatchers, **runs[-1]}
        if dispatchers > 1:
            figures["one_dispatcher"] = runs[0]
            figures["times_one"] = round(runs[-1]["messages_a_second"] / runs[0]["messages_a_second"], 2)
        floor = _measure_floor(sink, channel, messages, runs[0]["octets"])
    return {**figures, "floor_s": floor, "ratio": round(runs[0]["seconds"] / floor, 2)}


def _configure_channel(sink: SinkProcess, channel: str, now: datetime) -> None:
    """Let a channel (email or sms) lead to the sink, here and in the processes that are started later."""
    os.environ["RECOBRA_DEMO"] = "1"
    os.environ["DJANGO_SETTINGS_MODULE"] = "recobra.config.settings"
    settings.DEMO = True  # nothing leaves the machine
    if channel == "email":
        os.environ["RECOBRA_SMTP_URL"] = f"smtp://127.0.0.1:{sink.ports['email']}"
        return
    from recobra.messaging.providers.operations import save_provider  # noqa: PLC0415 - needed for this channel only

    document = GATEWAY.format(port=sink.ports["sms"])
    save_provider(
        code="bench",
        kind="http_sms",
        name="Bench",
        settings={"document": document, "sender": "BENCH"},
        secrets={},
        rate_per_second=None,
        price_micros=0,
        price_currency="PEN",
        country="",
        rank=1,
        enabled=True,
        actor=service_actor(Service.BENCH, now=now),
    )


def _measure_run(
    sink: SinkProcess, dispatchers: int, *, messages: int, channel: str, ids: tuple[int, int], now: datetime
) -> dict[str, Any]:
    """Let some dispatchers send an outbox of messages at once; return what arrived, the seconds and the work.

    `ids` are creditor and portfolio of `outbox.open_portfolio`.
    """
    bootstrap.report_progress(f"{messages} messages by {dispatchers} dispatcher(s) …")
    outbox.fill_outbox(messages=messages, prefix=f"R{dispatchers}-", channel=channel, ids=ids, now=now)
    sink.take_figures()
    command = [sys.executable, "-m", "recobra.cli.bench.dispatcher"]
    processes = [
        subprocess.Popen(  # noqa: S603 - our own command
            [*command, str(core), now.isoformat()], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for core in range(dispatchers)
    ]
    for process in processes:
        _read_output(process)  # ready
    before = _used_seconds(sink)
    begin = time.monotonic()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    ends = [json.loads(_read_output(process)) for process in processes]
    seconds = time.monotonic() - begin
    after = _used_seconds(sink)
    for process in processes:
        process.communicate()
    arrived = sink.take_figures()
    sent = sum(end["sent"] for end in ends)
    cpu_per_1000 = {"dispatchers": round(1000 * sum(end["cpu_s"] for end in ends) / sent, 2)}
    for name, used in after.items():
        cpu_per_1000[name] = round(1000 * (used - before[name]) / sent, 2)
    return {
        "sent": sent,
        "arrived": arrived["messages"],
        "duplicates": arrived["duplicates"],
        "octets": arrived["octets"],
        "seconds": round(seconds, 2),
        "messages_a_second": round(sent / seconds, 1),
        "cpu_s_per_1000": cpu_per_1000,
    }


def _read_output(process: subprocess.Popen[str]) -> str:
    """Wait for the next line of a dispatcher. Raises RuntimeError where it ended without one."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("A dispatcher of the bench failed; its reason is above.")
    return line


def _used_seconds(sink: SinkProcess) -> dict[str, float]:
    """Return the processor seconds that PostgreSQL and the sink have used so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    postmaster = psutil.Process(backend).parent()
    assert postmaster is not None
    ended = postmaster.cpu_times()
    living = sum(_cpu_seconds(process) for process in (postmaster, *postmaster.children(recursive=True)))
    return {
        "postgresql": living + ended.children_user + ended.children_system,
        "sink": _cpu_seconds(psutil.Process(sink.process.pid)),
    }


def _cpu_seconds(process: psutil.Process) -> float:
    """Return the processor seconds of one process, 0 where it has ended."""
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


def _measure_floor(sink: SinkProcess, channel: str, messages: int, octets: int) -> float:
    """Return the seconds that the same bytes to the same sink and the same rows into empty tables take."""
    bootstrap.report_progress("The floor: the same bytes to the sink, the same rows by COPY …")
    begin = time.perf_counter()
    _send_bytes(sink, channel, messages, octets // max(messages, 1))
    sending = time.perf_counter() - begin
    copying = sum(
        _measure_copy(table, messages) for table in ("messaging_contact", "messaging_contactitem", "journal_entry")
    )
    return round(sending + copying, 2)


def _send_bytes(sink: SinkProcess, channel: str, messages: int, octets: int) -> None:
    """Send messages of so many bytes each to the sink, one after the other over one connection."""
    with socket.create_connection(("127.0.0.1", sink.ports[channel])) as wire, wire.makefile("rb") as answers:
        if channel == "email":
            _send_mails(wire, answers, messages, octets)
        else:
            _send_requests(wire, answers, messages, octets)
    # What arrived is no part of the next run.
    sink.take_figures()


def _send_mails(wire: socket.socket, answers: BinaryIO, messages: int, octets: int) -> None:
    """Send mails whose content has so many bytes, each when the one before was accepted."""
    answers.readline()  # the greeting
    for _number in range(messages):
        wire.sendall(b"MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n")
        for _command in ("MAIL", "RCPT", "DATA"):
            answers.readline()
        wire.sendall(b"x" * octets + b"\r\n.\r\n")
        answers.readline()


def _send_requests(wire: socket.socket, answers: BinaryIO, messages: int, octets: int) -> None:
    """Send HTTP requests whose body has so many bytes, each when the one before was answered."""
    braces = len(b'{"text":""}')
    body = b'{"text":"' + b"x" * max(octets - braces, 0) + b'"}'
    head = b"POST / HTTP/1.1\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n"
    for _number in range(messages):
        wire.sendall(head + body)
        while answers.readline() not in {b"\r\n", b""}:
            pass
        answers.read(len(b'{"id":""}'))


def _measure_copy(table: str, rows: int) -> float:
    """Return the seconds that COPY of the newest rows of a table takes into an empty one with the same indexes."""
    file = Path(settings.DATA_DIR) / "floor.copy"
    with database.as_owner(), connection.cursor() as cursor:
        with (
            file.open("wb") as out,
            cursor.copy(f"COPY (SELECT * FROM {table} ORDER BY id DESC LIMIT {rows}) TO STDOUT") as copy,
        ):
            for block in copy:
                out.write(block)
        cursor.execute(f"CREATE TABLE bench_floor (LIKE {table} INCLUDING ALL)")
        begin = time.perf_counter()
        with cursor.copy("COPY bench_floor FROM STDIN") as copy:
            copy.write(file.read_bytes())
        seconds = time.perf_counter() - begin
        cursor.execute("DROP TABLE bench_floor")
    file.unlink()
    return seconds
