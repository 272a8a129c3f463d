"""Kill dispatchers at random over a server that misbehaves, and measure one in peace; print figures as JSON.

    python bench/crash_dispatch.py --messages 10000

Uses an embedded database in a temporary folder, and loopback only.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]


def main() -> None:
    """Run what was asked for and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=150)
    parser.add_argument("--dispatchers", type=int, default=2)
    parser.add_argument("--throughput", type=int, default=2_000, help="messages of the peaceful run; 0 leaves it out")
    parser.add_argument("--channel", choices=("email", "sms"), default="email", help="by SMTP or by an HTTP gateway")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recobra-crash-") as home:
        os.environ.update(RECOBRA_DATA_DIR=home, RECOBRA_DEMO="1", DJANGO_SETTINGS_MODULE="recobra.config.settings")
        os.environ.pop("RECOBRA_DATABASE_URL", None)
        figures: dict[str, object] = {}
        try:
            if options.throughput:
                figures["messages_a_second"] = _throughput(options.throughput)
            figures |= _crash(options)
        finally:
            _stop()
    print(json.dumps(figures, indent=2))
    sys.exit(0 if _holds(figures) else 1)


def _holds(figures: dict[str, object]) -> bool:
    must_be_none = (
        "duplicates",
        "without_end",
        "without_reason",
        "sent_but_not_accepted",
        "accepted_but_neither_sent_nor_uncertain",
    )
    return not any(figures[name] for name in must_be_none)


def _throughput(messages: int) -> float:
    from django.conf import settings
    from tests.messaging.crash import BEGIN, seed
    from tests.messaging.smtp_sink import Sink

    portfolio = _empty_portfolio()
    from recobra.access.actors import Service, service_actor
    from recobra.messaging import operations as messaging

    seed(messages, portfolio, BEGIN)
    with Sink(faults={}) as sink:
        settings.SMTP_URL = sink.url
        started = time.perf_counter()
        sent = messaging.dispatch_once(actor=service_actor(Service.DISPATCH, now=BEGIN))["sent"]
        seconds = time.perf_counter() - started
    assert sent == messages == sum(sink.accepted.values())
    return round(sent / seconds, 1)


def _crash(options: argparse.Namespace) -> dict[str, object]:
    from tests.messaging.crash import BEGIN, run, seed
    from tests.messaging.smtp_sink import Sink

    seed(options.messages, _empty_portfolio(), BEGIN, channel=options.channel)
    from tests.messaging.http_sink import Gateway

    from recobra.kit import database

    server = Gateway if options.channel == "sms" else Sink
    with server(delay_seconds=0.004) as sink:
        if options.channel == "sms":
            sink.provider(now=BEGIN)
        return run(sink=sink, database_url=database.database_url(), kills=options.kills, nurseries=options.dispatchers)


def _empty_portfolio() -> object:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE portfolio_creditor, messaging_template CASCADE")
    from recobra.portfolio.models import Creditor, Portfolio

    creditor = Creditor.objects.create(code="SUR", name="Banco Sur", payment_instructions="Pague en bancosur.example")
    return Portfolio.objects.create(
        creditor=creditor,
        code="PE-CONSUMO",
        name="Consumo Perú",
        industry="CONSUMER",
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )


def _stop() -> None:
    from django.db import connections

    from recobra.kit import database

    connections.close_all()
    database.embedded_server(database.data_dir()).stop()


if __name__ == "__main__":
    main()
