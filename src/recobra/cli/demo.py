"""`recobra demo`: a demonstration installation, made on the first start and found on the next."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from recobra.cli import bootstrap, demo_campaign, demo_replies, options
from recobra.cli.answer import Answer, CommandRefused
from recobra.kit import created_once, database

DEFAULT_ACCOUNTS = 20_000
MORNING_UTC = time(15, 0)  # ten in Lima and Bogotá, noon in Santiago
SHOWN_USER = "carla"
PROGRESS_STEP = 500  # messages between two lines of progress
SEARCH_DAYS = 30  # how far back the latest lawful morning is looked for


class CastMember(NamedTuple):
    """A user of the demonstration; managers, administrators and auditors see every portfolio without naming any."""

    username: str
    first_name: str
    role: str
    portfolios: tuple[str, ...]


CAST = (
    CastMember("ana", "Ana", "GESTOR", ("PE-CONSUMO",)),
    CastMember("bruno", "Bruno", "SUPERVISOR", ("PE-CONSUMO", "CO-SERVICIOS")),
    CastMember("carla", "Carla", "MANAGER", ()),
    CastMember("dario", "Darío", "ADMINISTRATOR", ()),
    CastMember("hilda", "Hilda", "AUDITOR", ()),
)


def add_commands(commands: options.Commands) -> None:
    """Add the command to the command line."""
    demo = options.add_command(commands, "demo", "make a demonstration, or find the one made before, and serve it")
    demo.add_argument("--accounts", type=options.parse_count, default=DEFAULT_ACCOUNTS, metavar="N")
    demo.add_argument(
        "--as-of", type=options.parse_day, metavar="DATE", help="the day played (default: the latest lawful)"
    )
    demo.add_argument("--port", type=options.parse_port, default=8000, metavar="P")
    demo.add_argument("--no-dispatch", action="store_true", help="leave what was planned in the outbox")
    demo.add_argument("--no-serve", action="store_true", help="end when the demonstration is ready")
    demo.set_defaults(run=run_demo)


def run_demo(arguments: argparse.Namespace) -> Answer:
    """Make the demonstration or find it, and serve it."""
    os.environ["RECOBRA_DEMO"] = "1"
    if not arguments.no_serve:
        _check_port(arguments.port)
    bootstrap.set_public_url(arguments.port)
    bootstrap.set_up()
    summary = _stored_file("demo.json")
    # Written at the very end: without it the first start was interrupted, and goes on.
    figures = json.loads(summary.read_text(encoding="utf-8")) if summary.exists() else _make_demo(arguments)
    document = {**figures, "user": SHOWN_USER, "password": _demo_password()}
    lines = _summary_lines(document)
    if arguments.no_serve:
        return Answer(document=document, lines=lines)
    from recobra.cli import serve  # noqa: PLC0415 - the console is loaded only to be served

    return serve.answer_and_serve(arguments.port, lines=lines, **document)


def _make_demo(arguments: argparse.Namespace) -> dict[str, Any]:
    """Make the demonstration and return its figures. Every step may be repeated after an interrupted start."""
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.cli.demo_data import EXAMPLES  # noqa: PLC0415 - needed on the first start only
    from recobra.kit import clock  # noqa: PLC0415 - needs the settings
    from recobra.portfolio import setup  # noqa: PLC0415

    codes = {example.portfolio["code"] for example in EXAMPLES}
    others = [portfolio.code for portfolio in setup.list_portfolios() if portfolio.code not in codes]
    if others:
        raise CommandRefused(
            "This installation holds the portfolio %(code)s: a demonstration needs an empty one.", code=others[0]
        )
    at = _choose_instant(arguments.as_of, clock.now())
    bootstrap.report_progress(f"Making the demonstration of {at:%Y-%m-%d %H:%M} UTC; the next start will find it.")
    loads = _load_portfolios(arguments.accounts, at)
    payments = _record_payments(at)
    _create_users(at)
    bootstrap.report_progress("Running the daily cycle …")
    from recobra.journal.seal import seal_journal  # noqa: PLC0415 - needs the settings
    from recobra.strategy import operations as strategy  # noqa: PLC0415

    cycle = strategy.run_cycle(as_of=at.date(), actor=service_actor(Service.DEMO, now=at))
    document = {
        "now": at.isoformat(),
        "as_of": at.date().isoformat(),
        "portfolios": len(loads),
        "accounts": sum(load["created"] for load in loads),
        "rejected": sum(load["rejected"] for load in loads),
        "payments": payments,
        "contacts_planned": cycle["contacts_planned"],
        "contacts_blocked": cycle["contacts_blocked"],
        "tasks_created": cycle["tasks_created"],
        "sent": 0,
        "answers": 0,
    }
    if not arguments.no_dispatch:
        bootstrap.report_progress("Sending to the built-in mailbox …")
        document["sent"] = _send_due(at, cycle["contacts_planned"])
        document["answers"] = demo_replies.play_replies(at=at)
    demo_campaign.save_demo_draft(portfolio_code="PE-CONSUMO", username=SHOWN_USER, at=at)
    # No worker runs yet, and the alarm about what is not sealed would come before its first tick.
    seal_journal(now=clock.now())
    _stored_file("demo.json").write_text(json.dumps(document), encoding="utf-8")
    return document


def _load_portfolios(accounts: int, at: datetime) -> list[dict[str, Any]]:
    """Open the portfolios, give each its strategy and load its file; return the figures of each load.

    `accounts` is how many there are in all portfolios together.
    """
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.cli.demo_data import EXAMPLES  # noqa: PLC0415 - needed on the first start only
    from recobra.intake import operations as intake  # noqa: PLC0415
    from recobra.messaging import operations as messaging  # noqa: PLC0415 - needs the settings
    from recobra.portfolio import setup  # noqa: PLC0415
    from recobra.strategy import operations as strategy  # noqa: PLC0415

    messaging.ensure_library(actor=service_actor(Service.LIBRARY, now=at))
    demo = service_actor(Service.DEMO, now=at)
    strategy.ensure_ready_made(actor=demo)
    folder = bootstrap.demo_dir()
    folder.mkdir(exist_ok=True)
    loads = []
    for example in EXAMPLES:
        creditor = setup.open_creditor(**example.creditor, actor=demo)
        portfolio = setup.open_portfolio(creditor=creditor, **example.portfolio, actor=demo)
        strategy.assign_strategy(portfolio_id=portfolio.pk, code=example.strategy, actor=demo)
        count = max(1, round(accounts * example.share))
        path = example.write(folder, as_of=at.date(), accounts=count)
        bootstrap.report_progress(f"Loading {count} accounts of {portfolio.name} …")
        loads.append(
            intake.load_file(
                path=path,
                file_name=path.name,
                portfolio_code=portfolio.code,
                mapping=example.mapping,
                as_of=at.date(),
                actor=service_actor(Service.DEMO, now=at),
            )
        )
    return loads


def _record_payments(at: datetime) -> int:
    """Record a month of payments, before anybody is contacted; return how many."""
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.cli.demo_data import EXAMPLES  # noqa: PLC0415 - needed on the first start only
    from recobra.payments import operations as payments  # noqa: PLC0415 - needs the settings

    bootstrap.report_progress("Recording a month of payments …")
    count = 0
    for example in EXAMPLES:
        code = example.portfolio["code"]
        loaded = bootstrap.demo_dir() / f"{code.lower()}-{at.date()}.csv"
        path = example.write_payments(loaded, as_of=at.date())
        figures = payments.load_file(path=path, portfolio_code=code, actor=service_actor(Service.DEMO, now=at))
        count += figures["accepted"] + figures["known"]
    return count


def _create_users(at: datetime) -> None:
    """Create the users of CAST who do not exist yet, all with the same password."""
    from recobra.access import users  # noqa: PLC0415 - needs the settings
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415
    from recobra.access.queries import User  # noqa: PLC0415

    for member in CAST:
        if User.objects.filter(username=member.username).exists():
            continue
        details = users.UserDetails(
            role=member.role,
            first_name=member.first_name,
            email=f"{member.username}@example.com",
            portfolios=frozenset(member.portfolios),
        )
        users.create_user(
            username=member.username,
            password=_demo_password(),
            details=details,
            actor=service_actor(Service.DEMO, now=at),
        )


def _send_due(at: datetime, planned: int) -> int:
    """Send everything that is due, by two dispatchers at once; return how many messages were sent.

    `planned` is how many were planned, for the lines of progress. Raises CommandRefused where a dispatcher fails.
    """
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.access.queries import User  # noqa: PLC0415 - needs the settings
    from recobra.messaging import operations as messaging  # noqa: PLC0415 - needs the settings
    from recobra.messaging import queries  # noqa: PLC0415

    user = User.objects.get(username=SHOWN_USER)
    # The second dispatcher is a process of its own, as in an installation.
    command = [sys.executable, "-m", "recobra.cli", "dispatch", "--once", "--now", at.isoformat(), "--json"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as other:  # noqa: S603
        sent = 0
        while batch := messaging.dispatch_once(actor=service_actor(Service.DISPATCH, now=at), limit=PROGRESS_STEP)[
            "sent"
        ]:
            sent += batch
            # Read from the database: the other one sends too.
            sent_by_both = queries.counts_for(user, day=at.date())[queries.Status.SENT]
            bootstrap.report_progress(f"  {sent_by_both} of {planned} sent …")
        output, _errors = other.communicate()
    if other.returncode != 0:
        raise CommandRefused("The second dispatcher failed; its reason is above.")
    return sent + int(json.loads(output)["sent"])


def _choose_instant(day: date | None, now: datetime) -> datetime:
    """Return the instant to play: the morning of a day, or without one the latest at which contact is lawful.

    That is now, or else a morning of the last month on which the law allows contact in all three countries.
    """
    if day is not None:
        if day > now.date():
            raise CommandRefused("A day that has not come cannot be played.")
        return datetime.combine(day, MORNING_UTC, UTC)
    days = [now.date() - timedelta(days=days_back) for days_back in range(SEARCH_DAYS)]
    mornings = [datetime.combine(morning_day, MORNING_UTC, UTC) for morning_day in days]
    for at in (now, *mornings):
        if at <= now and _is_lawful(at):
            return at
    raise CommandRefused("No morning of the last month was lawful in all three countries.")


def _is_lawful(at: datetime) -> bool:
    """Tell if e-mail may be sent all over the countries of the demonstration, from an instant on and for an hour."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - needed on the first start only

    from recobra.cli.demo_data import EXAMPLES  # noqa: PLC0415
    from recobra_core.law import OpeningKey, build_openings, to_arrow, zones_for  # noqa: PLC0415

    keys = []
    for example in EXAMPLES:
        country = example.portfolio["country"]
        # Of Chile's debtors some may live on Easter Island, where it is two hours earlier.
        zones = zones_for(country=country, subdivision=None, stated_zone=None)
        local_day = at.astimezone(ZoneInfo(example.portfolio["time_zone"])).date()
        keys.append(OpeningKey(country, "", zones, "email", local_day))
    # The instants of openings are UTC without a time zone.
    begins = at.replace(tzinfo=None)
    ends = begins + timedelta(hours=1)
    for opening in to_arrow(build_openings(keys=keys)).to_pylist():
        if opening["opens_at_utc"] is None:
            return False
        opens = opening["opens_at_utc"].replace(tzinfo=None)
        closes = opening["closes_at_utc"].replace(tzinfo=None)
        if begins < opens or closes < ends:
            return False
    return True


def _check_port(port: int) -> None:
    """Refuse a port that is taken, before minutes are spent on making the demonstration."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandRefused(
                "Port %(port)s is taken by another program; choose one with --port.", port=port
            ) from error


def _demo_password() -> str:
    """Return the password of all users, drawn on the first call and stored for the next."""
    return created_once.read_or_create(_stored_file("demo-password"), secrets.token_urlsafe(9))


def _stored_file(name: str) -> Path:
    """Return the path of a file in the data directory."""
    return database.data_dir() / name


def _summary_lines(document: dict[str, Any]) -> tuple[str, ...]:
    """Return what a person needs to know of the demonstration: its figures, its instant, and who may sign in."""
    others = ", ".join(member.username for member in CAST if member.username != SHOWN_USER)
    figures = (
        f"{document['accounts']} accounts in {document['portfolios']} portfolios, "
        f"{document['contacts_planned']} contacts planned, "
        f"{document['sent']} sent to the built-in mailbox, {document.get('answers', 0)} answers of debtors"
    )
    return (
        f"Demonstration: {figures}.",
        f"It plays {document['now'][:16].replace('T', ' ')} UTC, when the law of its three countries allows contact.",
        f"User: {document['user']}   Password: {document['password']}   (the same for {others})",
    )
