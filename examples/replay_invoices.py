"""Replay a real receivables file as the daily files it came from, and check the product against the file every day.

    .venv/bin/python examples/replay_invoices.py FILE.csv.gz [--first 2013-01-07] [--days 60] [--data-dir DIR]

The file is IBM's sample of 2,466 invoices of 100 customers (one row per invoice with its invoice, due and settled
dates). Day by day, the invoices open at the end of the day are written as that day's portfolio file and loaded, the
cycle runs and the messages of the day are handed to the built-in mailbox. Then three things are checked against the
source file itself, computed here without the product's code: the ageing, the payments that vanished invoices stand
for, and that every message speaks to somebody who still owes. E-mail addresses are made up under `.example`.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

EDGES = ((None, 0, "not_due"), (1, 30, "early_30"), (31, 60, "early_60"), (61, 90, "early_90"), (91, None, "late"))
PORTFOLIO = "REPLAY"
HEADER = ("factura", "cliente", "emision", "vencimiento", "saldo", "en_reclamo", "correo")
MAPPING = {
    "name": "replay",
    "account": {"external_id": "factura", "opened_date": "emision", "product": {"value": "INVOICE"}},
    "debtor": {"external_id": "cliente", "name": "cliente", "kind": {"value": "COMPANY"}},
    "instalment": {"due_date": "vencimiento", "issue_date": "emision"},
    "balance": "saldo",
    "emails": ["correo"],
    "attributes": {"en_reclamo": {"column": "en_reclamo", "type": "boolean"}},
    "options": {"gone": "paid", "date_order": "ymd", "decimal": "point", "shrink_limit": 0.9},
}


class Invoice(NamedTuple):
    """One row of the source."""

    number: str
    customer: str
    issued: date
    due: date
    settled: date
    amount_minor: int
    disputed: str


def read_source(path: Path) -> list[Invoice]:
    """Read the whole source file."""
    with gzip.open(path, "rt", newline="") as lines:
        return [
            Invoice(
                number=row["invoiceNumber"],
                customer=row["customerID"],
                issued=_day(row["InvoiceDate"]),
                due=_day(row["DueDate"]),
                settled=_day(row["SettledDate"]),
                amount_minor=int(Decimal(row["InvoiceAmount"]) * 100),
                disputed=row["Disputed"],
            )
            for row in csv.DictReader(lines)
        ]


def _day(text: str) -> date:
    month, day, year = map(int, text.split("/"))
    return date(year, month, day)


def open_on(invoices: list[Invoice], day: date) -> list[Invoice]:
    """Return the invoices issued and not settled at the end of a day."""
    return [invoice for invoice in invoices if invoice.issued <= day < invoice.settled]


def write_daily_file(invoices: list[Invoice], path: Path) -> None:
    """Write a day's portfolio file."""
    with path.open("w", newline="") as lines:
        writer = csv.writer(lines, delimiter=";")
        writer.writerow(HEADER)
        for one in invoices:
            major = f"{one.amount_minor // 100}.{one.amount_minor % 100:02d}"
            mail = f"{one.customer.lower()}@clientes.example"
            writer.writerow([one.number, one.customer, one.issued, one.due, major, one.disputed, mail])


def ageing_of(invoices: list[Invoice], day: date) -> dict[str, int]:
    """Return what is outstanding by bucket, computed from the source alone."""
    sums: Counter[str] = Counter({key: 0 for _first, _last, key in EDGES})
    for invoice in invoices:
        late = (day - invoice.due).days
        key = next(k for first, last, k in EDGES if (first is None or late >= first) and (last is None or late <= last))
        sums[key] += invoice.amount_minor
    return dict(sums)


class Replay:
    """The installation under test, and what went wrong so far."""

    def __init__(self, invoices: list[Invoice], home: Path) -> None:
        self.invoices, self.home = invoices, home
        self.faults: list[str] = []
        self.expected_minor = self.messages = 0

    def set_up(self, now: datetime) -> None:
        """Create the portfolio under the ready-made strategy for invoices."""
        from recobra.access.actors import Service, service_actor
        from recobra.messaging import operations as messaging
        from recobra.portfolio.models import Creditor, Portfolio
        from recobra.strategy import operations as strategy

        creditor = Creditor.objects.create(
            code="ACREEDOR",
            name="Acreedor de la muestra",
            complaint_contact="reclamos@acreedor.example",
            payment_instructions="Transferencia a la cuenta indicada en la factura.",
        )
        self.portfolio = Portfolio.objects.create(
            creditor=creditor,
            code=PORTFOLIO,
            name="Facturas de la muestra",
            industry="INVOICES",
            country="PE",
            currency="USD",
            time_zone="America/Lima",
        )
        messaging.ensure_library(now=now)
        command = service_actor(Service.COMMAND, now=now)
        strategy.ensure_ready_made(actor=command)
        strategy.assign_strategy(portfolio_id=self.portfolio.pk, code="facturas", actor=command)

    def live(self, day: date, yesterday: list[Invoice]) -> dict[str, Any]:
        """Load, decide, send and check one day."""
        from recobra.access.actors import Service, service_actor
        from recobra.intake import operations as intake
        from recobra.messaging import operations as messaging
        from recobra.strategy import operations as strategy

        now = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)  # ten in the morning in Lima
        today = open_on(self.invoices, day)
        path = self.home / f"{day}.csv"
        write_daily_file(today, path)
        load = intake.load_file(
            path=path, portfolio_code=PORTFOLIO, mapping=MAPPING, as_of=day, actor="replay", now=now
        )
        cycle = strategy.run_cycle(as_of=day, actor=service_actor(Service.COMMAND, now=now))
        sent = messaging.dispatch_once(now=now)
        settled = sum(invoice.amount_minor for invoice in yesterday if invoice.settled <= day)
        self.expected_minor += settled
        self.check(day, today, load)
        return {
            "day": day,
            "load": load,
            "planned": cycle["contacts_planned"],
            "sent": sent["sent"],
            "settled": settled,
        }

    def check(self, day: date, today: list[Invoice], load: dict[str, Any]) -> None:
        """Compare ageing, payments and messages of a day with the source."""
        from django.db.models import Sum

        from recobra.insight.queries.aging import ageing_on_day
        from recobra.payments.models import Payment
        from recobra_core.stages import Limits

        rows = ageing_on_day(portfolio_ids=[self.portfolio.pk], limits=Limits(), as_of=day)
        found = {row["bucket"]: row["amount_minor"] for row in rows}
        if found != ageing_of(today, day):
            self.faults.append(f"{day}: ageing is {found}, the file says {ageing_of(today, day)}")
        paid = Payment.objects.aggregate(total=Sum("amount_minor"))["total"] or 0
        if paid != self.expected_minor:
            self.faults.append(f"{day}: payments are {paid}, the file says {self.expected_minor}")
        if load["rejected"] or load["held"]:
            self.faults.append(f"{day}: the load was not taken whole: {load}")
        self.check_messages(day, today)

    def check_messages(self, day: date, today: list[Invoice]) -> None:
        """Every message of the day names only documents that are open, and reaches only who owes them."""
        from recobra.messaging.models import ContactItem

        still_open = {invoice.number: invoice.customer for invoice in today}
        items = ContactItem.objects.filter(contact__status="SENT", contact__planned_for=day)
        for number, customer in items.values_list("account__external_id", "contact__debtor__external_id"):
            if still_open.get(number) != customer:
                self.faults.append(f"{day}: {customer} was written to about {number}, which is settled")
        self.messages += items.values("contact").distinct().count()


def board_collected(day: date, days: int) -> int:
    """Return the collected amount that the board shows for the replayed days, in minor units."""
    from recobra.access.models import Role, User
    from recobra.insight.queries import board

    manager = User.objects.create_user(username="carla", password=None, role=Role.MANAGER)
    shown = 0
    last = day
    while last > day - timedelta(days):  # the board shows thirty days at a time
        cash = board.cash_received(
            board.portfolios_by_currency(manager)["USD"], datetime(last.year, last.month, last.day, 20, tzinfo=UTC)
        )
        shown += sum(amount for at, amount in cash.days if at > day - timedelta(days))
        last -= timedelta(board.CHART_DAYS)
    return shown


def main() -> int:
    """Run the replay and print one JSON object; exit code 1 when anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--first", type=date.fromisoformat, default=date(2013, 1, 7))
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--data-dir", type=Path)
    chosen = parser.parse_args()
    home = chosen.data_dir or Path(tempfile.mkdtemp(prefix="recobra-replay-"))
    os.environ |= {
        "RECOBRA_DATA_DIR": str(home),
        "RECOBRA_DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "recobra.config.settings",
    }
    import django
    from django.conf import settings
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    from recobra.messaging.mailbox import Mailbox

    mailbox = Mailbox()
    settings.SMTP_URL = mailbox.start()
    begin = time.perf_counter()
    replay = Replay(read_source(chosen.source), home)
    replay.set_up(datetime.combine(chosen.first, datetime.min.time(), tzinfo=UTC))
    yesterday: list[Invoice] = []
    for offset in range(chosen.days):
        day = chosen.first + timedelta(offset)
        figures = replay.live(day, yesterday)
        yesterday = open_on(replay.invoices, day)
        print(day, {k: v for k, v in figures.items() if k not in {"load", "day"}}, file=sys.stderr)
    mailbox.stop()
    shown = board_collected(day, chosen.days)
    if shown != replay.expected_minor:
        replay.faults.append(f"the board shows {shown} collected, the file says {replay.expected_minor}")
    answer = {
        "days": chosen.days,
        "invoices": len(replay.invoices),
        "settled_minor": replay.expected_minor,
        "board_collected_minor": shown,
        "messages": replay.messages,
        "differences": replay.faults,
        "seconds": round(time.perf_counter() - begin, 1),
    }
    print(json.dumps(answer, ensure_ascii=False))
    return 1 if replay.faults else 0


if __name__ == "__main__":
    sys.exit(main())
