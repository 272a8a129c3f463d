"""A whole night of invoices between companies, from outside: load, cycle, and one e-mail to each customer.

It is played twice, each time in a data directory of its own: as commands, each a process of its own as a scheduler
would start them, and as served, by the worker and the dispatchers of a running `recobra serve`.
"""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg

from recobra.cli import bootstrap
from recobra.cli.answer import CommandRefused
from recobra.cli.bench.sink import SinkProcess
from recobra.kit import clock, database

ZONE: Final = "America/Lima"
MAPPING: Final = """name: base
portfolio:
  name: Noche
  industry: INVOICES
  country: PE
  currency: PEN
  time_zone: America/Lima
  creditor:
    code: NOCHE
    name: Noche SA
    complaint_contact: reclamos@noche.example
    payment_instructions: Pague en noche.example
account: {external_id: factura}
debtor: {external_id: cliente, name: nombre}
due_date: vence
balance: saldo
emails: [correo]
options: {shrink_limit: 1}
"""
HEAD: Final = ("factura", "cliente", "nombre", "vence", "saldo", "correo")
START_SECONDS: Final = 30.0
"""How long the processes of `serve` have to be ready before the hour of the cycle."""
LONGEST_SECONDS: Final = 900.0
LOOK_SECONDS: Final = 0.5
_FINISHED: Final = """
    SELECT EXISTS (SELECT FROM strategy_cyclerun WHERE status = 'DONE')
        AND NOT EXISTS (SELECT FROM messaging_contact WHERE status IN ('DUE', 'LEASED'))"""


class _Installation:
    """An installation of the bench: a data directory with an embedded database, whose e-mail goes to the sink.

    Its clock is shifted, so that the day is always the same and its hour one at which contact is lawful.
    """

    def __init__(self, home: Path, *, day: datetime, sink: SinkProcess, dispatchers: int) -> None:
        # Whole minutes: the worker's ticks are those of the real clock.
        shift_minutes = round((day - clock.now()) / timedelta(minutes=1))
        self.shift = timedelta(minutes=shift_minutes)
        self.as_of = day.date().isoformat()
        self.dispatchers = dispatchers
        self._home = home
        home.mkdir()
        home.chmod(0o711)  # under root, the database's own user must reach its cluster
        clock.shift_marker(home).write_text(str(shift_minutes), encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RECOBRA_")}
        self._environment = {
            **kept,
            "RECOBRA_DATA_DIR": str(home),
            "RECOBRA_DEMO": "1",
            "RECOBRA_SMTP_URL": f"smtp://127.0.0.1:{sink.ports['email']}",
            "RECOBRA_DISPATCHERS": str(dispatchers),
            "RECOBRA_CYCLE_TIME_ZONE": ZONE,
            clock.SHIFT_VARIABLE: str(shift_minutes),
        }

    def run(self, *words: str, times: int = 1) -> float:
        """Run a command to its end, or several at once; return the seconds. Raises CommandRefused with its reason."""
        begin = time.monotonic()
        processes = [self.start(*words, errors=subprocess.PIPE) for _ in range(times)]
        for process in processes:
            _output, errors = process.communicate()
            if process.returncode:
                raise CommandRefused(f"recobra {' '.join(words)}: {errors.strip().splitlines()[-1:]}")
        return round(time.monotonic() - begin, 2)

    def start(self, *words: str, errors: int | None = None, **environment: str) -> subprocess.Popen[str]:
        """Start a command and return its process; without `errors` its standard error is that of the bench."""
        return subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "recobra.cli", *words, "--json"],
            env={**self._environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection]:
        """Give a connection to its database, and keep the server up meanwhile."""
        server = database.embedded_server(self._home)
        try:
            with psycopg.connect(server.start(), autocommit=True) as connection:
                yield connection
        finally:
            server.stop()

    def remove(self) -> None:
        """Remove its files; nothing of it runs any more."""
        database.embedded_server(self._home).remove()
        shutil.rmtree(self._home, ignore_errors=True)


def measure_night(home: Path, *, lines: int, customers: int, dispatchers: int, day: datetime) -> dict[str, Any]:
    """Play the night of `day` in both ways; return the seconds of each, what was sent, and the ratio of both.

    `duplicates` and `missing` are messages and items of both ways that came twice or not at all.
    """
    customers = min(customers, lines)
    file = write_invoices(home / "cartera.csv", lines=lines, customers=customers, day=day)
    (home / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    with closing(SinkProcess()) as sink:
        figures: dict[str, Any] = {"lines": lines, "customers": customers, "dispatchers": dispatchers}
        for name, play in (("commands", _play_commands), ("served", _play_served)):
            installation = _Installation(home / name, day=day, sink=sink, dispatchers=dispatchers)
            try:
                load_s = _load_invoices(installation, file)
                bootstrap.report_progress(f"Loaded in {load_s} s; the night as {name} …")
                figures |= play(installation, sink)
                figures.setdefault("load_s", load_s)
            finally:
                installation.remove()
    duplicates = figures["duplicates"] + figures.pop("served_duplicates")
    messages = figures["messages"] + figures["served_messages"] - duplicates
    return {
        **figures,
        "duplicates": duplicates,
        "missing": 2 * (customers + lines) - messages - figures["items"] - figures["served_items"],
        "served_ratio": round(figures["served_night_s"] / figures["night_s"], 2),
    }


def write_invoices(path: Path, *, lines: int, customers: int, day: datetime) -> Path:
    """Write a file of invoices that are 30 to 180 days late, of customers with one address each; return its path.

    A few customers have many of the invoices, and each has one at least.
    """
    chance = random.Random(1)  # noqa: S311 - the same invoices each time, no secret
    with path.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(HEAD)
        for n in range(lines):
            who = n if n < customers else int(customers * chance.random() ** 2)
            due = day.date() - timedelta(days=chance.randint(30, 180))
            amount = f"{chance.randint(1000, 90000) / 100:.2f}"
            rows.writerow([f"F{n:07d}", f"C{who:06d}", f"Cliente {who}", due, amount, f"c{who}@example.com"])
    return path


def _load_invoices(installation: _Installation, file: Path) -> float:
    """Make the tables and load the file; return the seconds of the load."""
    installation.run("db", "migrate")
    mapping = str(file.parent / "mapping.yaml")
    words = ("--portfolio", "NOCHE", "--mapping", mapping, "--as-of", installation.as_of)
    return installation.run("intake", "load", str(file), *words)


def _play_commands(installation: _Installation, sink: SinkProcess) -> dict[str, Any]:
    """Run the cycle and then the dispatchers, each a process of its own that starts and ends within the time."""
    cycle_s = installation.run("cycle", "run", "--as-of", installation.as_of)
    dispatch_s = installation.run("dispatch", "--once", times=installation.dispatchers)
    arrived = sink.take_figures()
    with installation.connect() as connection:
        items = _count_items(connection)
    return {
        "cycle_s": cycle_s,
        "dispatch_s": dispatch_s,
        "night_s": round(cycle_s + dispatch_s, 2),
        "messages": arrived["messages"],
        "messages_a_second": round(arrived["messages"] / dispatch_s, 1),
        "items": items,
        "duplicates": arrived["duplicates"],
    }


def _play_served(installation: _Installation, sink: SinkProcess) -> dict[str, Any]:
    """Let a running `serve` begin the cycle at its hour and send; the time is from that hour to the last message."""
    shift = installation.shift
    now = clock.now()
    # The next full minute by which all processes are up.
    starts_at = (now + timedelta(seconds=START_SECONDS)).replace(second=0, microsecond=0) + timedelta(minutes=1)
    hour = time.monotonic() + (starts_at - now).total_seconds()
    cycle_time = (starts_at + shift).astimezone(ZoneInfo(ZONE)).strftime("%H:%M")
    with installation.connect() as connection:
        served = installation.start("serve", "--port", str(_free_port()), RECOBRA_CYCLE_TIME=cycle_time)
        try:
            _wait_until_sent(served, connection, until=hour + LONGEST_SECONDS)
        finally:
            served.send_signal(signal.SIGTERM)
            served.communicate()
        arrived = sink.take_figures()
        first_sent_at, items = _first_sent_at(connection), _count_items(connection)
        (started_at, figures) = connection.execute("SELECT started_at, figures FROM strategy_cyclerun").fetchall()[0]
    night_s = arrived["last_at"] - hour
    sending_s = night_s - (first_sent_at - shift - starts_at).total_seconds()
    return {
        "served_wait_s": round((started_at - shift - starts_at).total_seconds(), 2),
        "served_cycle_s": round(sum(step["seconds"] for step in figures["steps"]), 2),
        "served_dispatch_s": round(sending_s, 2),
        "served_night_s": round(night_s, 2),
        "served_messages": arrived["messages"],
        "served_messages_a_second": round(arrived["messages"] / sending_s, 1),
        "served_items": items,
        "served_duplicates": arrived["duplicates"],
    }


def _wait_until_sent(served: subprocess.Popen[str], connection: psycopg.Connection, *, until: float) -> None:
    """Wait until the cycle is done and nothing is due any more. Raises CommandRefused where that does not come."""
    while connection.execute(_FINISHED).fetchone() != (True,):
        if served.poll() is not None:
            raise CommandRefused("The console of the bench ended; its reason is above.")
        if time.monotonic() > until:
            raise CommandRefused("The served night did not end in time.")
        time.sleep(LOOK_SECONDS)


def _count_items(connection: psycopg.Connection) -> int:
    """Return how many invoices the messages that were sent have named."""
    ((count,),) = connection.execute("SELECT count(*) FROM messaging_contactitem").fetchall()
    return int(count)


def _first_sent_at(connection: psycopg.Connection) -> datetime:
    """Return when the first message was handed over, by the installation's clock."""
    ((instant,),) = connection.execute("SELECT min(handed_over_at) FROM messaging_contact").fetchall()
    if instant is None:
        raise CommandRefused("The served night sent nothing.")
    assert isinstance(instant, datetime)
    return instant


def _free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
