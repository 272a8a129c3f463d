"""The crash: dispatchers killed at random over a server that misbehaves, and the accounts made up afterwards.

Run as a program it sets Django up once and forks nurseries, which fork dispatchers and kill them with SIGKILL.
"""

# ruff: noqa: PLC0415 - the program must set Django up before it imports what is ours

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NoReturn

import django
import pyarrow as pa
from django.db import connection, connections

ROOT = Path(__file__).parents[2]
BEGIN = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)  # eight in the morning in Lima
FAILED = 255
"""What a child ends with that could not do its work; else it ends with the number that it returns."""
SPEED = 120  # seconds of business a second, so that back-offs pass before the hours close


SMS = (
    "{{ acreedor }}: su deuda vencida es {{ total_vencido }}. Cómo pagar: {{ como_pagar }} "
    "Reclamos: {{ como_reclamar }} {{ como_parar }}"
)


def database_url() -> str:
    """Return how another process reaches the database of the tests."""
    from tests import databases

    return databases.url_of()


def seed(messages: int, portfolio, now: datetime, *, channel: str = "email") -> None:
    """Make debtors who owe one invoice each, and plan a message to each of them."""
    from recobra.kit import statistics, tables
    from recobra.messaging import operations as messaging
    from recobra.messaging.models import Template
    from recobra.messaging.outbox.plan import PLANNED
    from tests.people import acting

    messaging.ensure_library(actor=acting("library", now=now))
    if channel == "sms":
        Template.objects.create(
            code="cobro-sms",
            channel="sms",
            name="SMS",
            subject="",
            text=SMS,
            html="",
            version=1,
            status="APPROVED",
            created_at=now,
            created_by="ana",
        )
    with connection.cursor() as cursor:
        for statement in _SEED:
            cursor.execute(
                statement,
                {
                    "n": messages,
                    "portfolio": portfolio.pk,
                    "creditor": portfolio.creditor_id,
                    "day": now.date(),
                    "now": now,
                    "kind": "PHONE" if channel == "sms" else "EMAIL",
                },
            )
    for table in SEEDED:
        statistics.refresh_after_commit(table, rows=messages)
    ids = tables.fetch(
        "SELECT debtor_id, id FROM portfolio_contactpoint",
        [],
        pa.schema([("debtor_id", pa.int64()), ("point_id", pa.int64())]),
    )
    same = {
        "portfolio_id": portfolio.pk,
        "channel": channel,
        "step_key": "recordatorio",
        "template_code": "cobro-sms" if channel == "sms" else "recordatorio",
        "strategy_version_id": None,
        "status": "DUE",
        "planned_for": now.date(),
        "due_at": now,
        "closes_at": None,
        "zones": "America/Lima",
        "reason": None,
        "rule": None,
        "article": None,
    }
    columns = {name: pa.array([value] * ids.num_rows, PLANNED.field(name).type) for name, value in same.items()}
    rows = pa.table({**{name: ids[name] for name in ids.column_names}, **columns}).select(PLANNED.names)
    written = messaging.plan_contacts(contacts=rows, actor=acting("cycle", now=now))
    assert written.num_rows == messages


SEEDED = (
    "portfolio_debtor",
    "portfolio_contactpoint",
    "portfolio_account",
    "portfolio_instalment",
    "portfolio_posting",
)
_SEED = (
    """INSERT INTO portfolio_debtor (creditor_id, external_id, kind, name, national_id_kind, national_id, country,
        subdivision, time_zone) SELECT %(creditor)s, 'D' || g, 'PERSON', 'Persona ' || g, '', '', 'PE', '', ''
        FROM generate_series(1, %(n)s) g""",
    """INSERT INTO portfolio_contactpoint (debtor_id, kind, value, line, source, valid, quality)
        SELECT id, %(kind)s, CASE WHEN %(kind)s = 'EMAIL' THEN external_id || '@correo.example'
            ELSE '+519' || lpad((id %% 100000000)::text, 8, '0') END, '', 'LOAD', true, 50 FROM portfolio_debtor""",
    """INSERT INTO portfolio_account (portfolio_id, debtor_id, external_id, product, status, contract, attributes)
        SELECT %(portfolio)s, id, 'F' || external_id, 'INVOICE', 'OPEN', '', '{}' FROM portfolio_debtor""",
    """INSERT INTO portfolio_instalment (account_id, number, due_date)
        SELECT id, '1', %(day)s::date - 10 FROM portfolio_account""",
    """INSERT INTO portfolio_posting (account_id, instalment_id, kind, concept, amount_minor, value_date, booked_at)
        SELECT account_id, id, 'CHARGE', 'PRINCIPAL', 12345, due_date, %(now)s FROM portfolio_instalment""",
)


def run(*, sink, database_url: str, nurseries: int = 2, kills: int, longest_life: int = 8) -> dict[str, object]:
    """Let nurseries kill until they have done so often enough, then let one dispatcher finish in peace.

    Returns the figures of `account_for` with `kills` and `seconds`.
    """
    started = time.time()
    environment = {
        **os.environ,
        "RECOBRA_DATABASE_URL": database_url,
        "RECOBRA_SMTP_URL": sink.url if sink.speaks_smtp else "smtp://127.0.0.1:9",
        "RECOBRA_DEMO": "1",
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
        "DJANGO_SETTINGS_MODULE": "recobra.config.settings",
    }
    words = [str(started), str(kills // nurseries), str(longest_life), str(nurseries)]
    command = [sys.executable, "-m", "tests.messaging.crash", *words]
    ended = subprocess.run(
        command, env=environment, cwd=ROOT, check=True, timeout=900, stdout=subprocess.PIPE, text=True
    )
    done = int(ended.stdout)
    return {"kills": done, **account_for(sink), "seconds": round(time.time() - started, 1)}


def account_for(sink) -> dict[str, object]:
    """Compare the outbox with what the server took, contact by contact."""
    from recobra.messaging.models import Contact

    ends = {
        str(i): (status, reason) for i, status, reason in Contact.objects.values_list("public_id", "status", "reason")
    }
    by_status: dict[str, set[str]] = {}
    for public_id, (status, _reason) in ends.items():
        by_status.setdefault(status, set()).add(public_id)
    accepted = set(sink.accepted)
    sent, uncertain = by_status.get("SENT", set()), by_status.get("UNCERTAIN", set())
    return {
        "messages": len(ends),
        "duplicates": sum(count - 1 for count in sink.accepted.values()),
        "accepted": len(accepted),
        "statuses": {status: len(ids) for status, ids in sorted(by_status.items())},
        "reasons": dict(sorted(Counter(f"{s}/{r}" for s, r in ends.values() if r).items())),
        "without_end": sum(len(by_status.get(status, ())) for status in ("DUE", "LEASED")),
        "without_reason": sum(1 for s, r in ends.values() if s in {"FAILED", "UNCERTAIN", "BLOCKED"} and not r),
        "sent_but_not_accepted": len(sent - accepted),
        "accepted_but_neither_sent_nor_uncertain": len(accepted - sent - uncertain),
        "uncertain_that_arrived": len(uncertain & accepted),
        "faults": dict(sorted(sink.injected.items())),
    }


def play(started: float, kills: int, longest_life: int, nurseries: int) -> int:
    """Let nurseries kill side by side, then one dispatcher finish in peace; return how many were killed."""
    django.setup()
    from recobra.messaging.dispatch import gate_check as judging

    judging.warm_up()  # what is ready before the fork need not be made by each short-lived dispatcher
    connections.close_all()
    at_work = [_fork(partial(nursery, started, kills, longest_life, number)) for number in range(nurseries)]
    killed = [_wait_for(child) for child in at_work]
    _wait_for(_fork(partial(_dispatch, started, os.open(os.devnull, os.O_WRONLY))))
    return sum(killed)


def _fork(work: Callable[[], int]) -> int:
    """Let a child do some work and end with the number that it returns; return the child's process id."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(work())
        except BaseException:  # noqa: BLE001 - a forked child must not return into its parent's code
            traceback.print_exc()
            os._exit(FAILED)
    return child


def _wait_for(child: int) -> int:
    """Return the number that a child ended with."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code < 0 or code == FAILED:
        sys.exit("a child failed")
    return code


def nursery(started: float, kills: int, longest_life: int, number: int) -> int:
    """Fork dispatchers and kill each while a random handful of messages is on its way; return how many were killed."""
    chance = random.Random(number)
    killed = 0
    while True:
        progress, tell = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(progress)
            _dispatch(started, tell)
        os.close(tell)
        _watch(progress, chance.randint(1, longest_life))
        time.sleep(chance.uniform(0, 0.02))
        os.kill(child, signal.SIGKILL)
        os.close(progress)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        if not os.WIFSIGNALED(status):
            return killed if os.WEXITSTATUS(status) == 0 else FAILED
        if killed >= kills:
            return killed


def _watch(progress: int, messages: int) -> None:
    """Wait until a dispatcher has begun so many rounds of messages, or has nothing to do for a while."""
    while messages > 0 and select.select([progress], [], [], 10)[0]:
        begun = os.read(progress, messages)
        if not begun:
            return
        messages -= len(begun)


def _dispatch(started: float, tell: int) -> NoReturn:
    """Dispatch in accelerated time, telling of each round of messages begun; leave when nothing is open any more."""
    from recobra.messaging import operations as messaging
    from recobra.messaging.models import Contact
    from tests.people import acting

    def told() -> bool:
        os.write(tell, b".")
        return False

    try:
        while True:
            now = BEGIN + timedelta(seconds=(time.time() - started) * SPEED)
            figures = messaging.dispatch_once(actor=acting("dispatch", now=now), is_stopping=told)
            if not figures["leased"]:
                if not Contact.objects.filter(status__in=["DUE", "LEASED"]).exists():
                    os._exit(0)
                time.sleep(0.05)
    except BaseException:  # noqa: BLE001 - a forked child must not return into its parent's code
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    sys.stdout.write(str(play(float(sys.argv[1]), *map(int, sys.argv[2:]))))
