"""`recobra demo`: an installation to look at, made on the first start and found on the next."""

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
from typing import Any

from recobra.cli import bootstrap, demo_campaign, demo_replies, options
from recobra.cli.answer import Answer, CommandRefused
from recobra.kit import created_once, database

DEFAULT_ACCOUNTS = 20_000
MORNING = time(15, 0)  # ten in Lima and Bogotá, noon in Santiago
SHOWN_USER = "carla"
PROGRESS_STEP = 500  # messages between two lines of progress
CAST = (
    ("ana", "Ana", "GESTOR", ("PE-CONSUMO",)),
    ("bruno", "Bruno", "SUPERVISOR", ("PE-CONSUMO", "CO-SERVICIOS")),
    ("carla", "Carla", "MANAGER", ()),
    ("dario", "Darío", "ADMINISTRATOR", ()),
    ("hilda", "Hilda", "AUDITOR", ()),
)


def add(commands: options.Commands) -> None:
    """Add the command to the command line."""
    demo = options.add_command(commands, "demo", "make a demonstration, or find the one made before, and serve it")
    demo.add_argument("--accounts", type=options.parse_count, default=DEFAULT_ACCOUNTS, metavar="N")
    demo.add_argument(
        "--as-of", type=options.parse_day, metavar="DATE", help="the day played (default: the latest lawful)"
    )
    demo.add_argument("--port", type=options.parse_port, default=8000, metavar="P")
    demo.add_argument("--no-dispatch", action="store_true", help="leave what was planned in the outbox")
    demo.add_argument("--no-serve", action="store_true", help="end when the demonstration is ready")
    demo.set_defaults(run=_run_demo)


def _run_demo(chosen: argparse.Namespace) -> Answer:
    os.environ["RECOBRA_DEMO"] = "1"
    if not chosen.no_serve:
        _check_port(chosen.port)
    bootstrap.set_public_url(chosen.port)
    bootstrap.set_up()
    document = _read_made_demo() or _make_demo(chosen)
    told = {**document, "user": SHOWN_USER, "password": _password()}
    lines = _summary_lines(told)
    if chosen.no_serve:
        return Answer(document=told, lines=lines)
    from recobra.cli import serve  # noqa: PLC0415 - the console is loaded only to be served

    return serve.answer_and_serve(chosen.port, lines=lines, **told)


def _read_made_demo() -> dict[str, Any] | None:
    """Return what the first start told, or None where it did not come to its end."""
    kept = _stored_file("demo.json")
    return json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else None


def _make_demo(chosen: argparse.Namespace) -> dict[str, Any]:
    """Make the demonstration. Every step may be repeated, so a start that was interrupted goes on."""
    from recobra.cli.demo_data import EXAMPLES  # noqa: PLC0415 - needed on the first start only
    from recobra.kit import clock  # noqa: PLC0415 - needs the settings

    _refuse_other_portfolios({example.portfolio["code"] for example in EXAMPLES})
    at = _choose_instant(chosen.as_of, clock.now())
    bootstrap.report_progress(f"Making the demonstration of {at:%Y-%m-%d %H:%M} UTC; the next start will find it.")
    loads = _load_portfolios(chosen.accounts, at)
    paid = _record_payments(at)
    _create_users(at)
    bootstrap.report_progress("Running the daily cycle …")
    from recobra.strategy import operations as strategy  # noqa: PLC0415 - needs the settings

    cycle = strategy.run_cycle(as_of=at.date(), actor="demo", now=at)
    document = {
        "now": at.isoformat(),
        "as_of": at.date().isoformat(),
        "portfolios": len(loads),
        "accounts": sum(load["created"] for load in loads),
        "rejected": sum(load["rejected"] for load in loads),
        "payments": paid,
        "contacts_planned": cycle["contacts_planned"],
        "contacts_blocked": cycle["contacts_blocked"],
        "tasks_created": cycle["tasks_created"],
        "sent": 0,
        "answers": 0,
    }
    if not chosen.no_dispatch:
        bootstrap.report_progress("Sending to the built-in mailbox …")
        document["sent"] = _send_due(at, cycle["contacts_planned"])
        document["answers"] = demo_replies.play_replies(at=at)
    demo_campaign.save_demo_draft(portfolio_code="PE-CONSUMO", username=SHOWN_USER, at=at)
    _stored_file("demo.json").write_text(json.dumps(document), encoding="utf-8")
    return document


def _load_portfolios(accounts: int, at: datetime) -> list[dict[str, Any]]:
    """Open the portfolios, give each its strategy and load its file."""
    from recobra.cli.demo_data import EXAMPLES  # noqa: PLC0415 - needed on the first start only
    from recobra.intake import operations as intake  # noqa: PLC0415
    from recobra.messaging import operations as messaging  # noqa: PLC0415 - needs the settings
    from recobra.portfolio import setup  # noqa: PLC0415
    from recobra.strategy import operations as strategy  # noqa: PLC0415

    messaging.ensure_library(now=at)
    strategy.ensure_ready_made(actor="demo", now=at)
    folder = bootstrap.demo_dir()
    folder.mkdir(exist_ok=True)
    loads = []
    for example in EXAMPLES:
        creditor = setup.open_creditor(**example.creditor, actor="demo", now=at)
        portfolio = setup.open_portfolio(creditor=creditor, **example.portfolio, actor="demo", now=at)
        strategy.assign_strategy(portfolio_id=portfolio.pk, code=example.strategy, actor="demo", now=at)
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
                actor="demo",
                now=at,
            )
        )
    return loads


def _record_payments(at: datetime) -> int:
    """Record what came in during the last weeks, before anybody is contacted; return how many payments."""
    from recobra.cli.demo_data import EXAMPLES  # noqa: PLC0415 - needed on the first start only
    from recobra.payments import operations as payments  # noqa: PLC0415 - needs the settings

    bootstrap.report_progress("Recording a month of payments …")
    taken = 0
    for example in EXAMPLES:
        code = example.portfolio["code"]
        loaded = bootstrap.demo_dir() / f"{code.lower()}-{at.date()}.csv"
        path = example.write_payments(loaded, as_of=at.date())
        figures = payments.load_file(path=path, portfolio_code=code, actor="demo", now=at)
        taken += figures["accepted"] + figures["known"]
    return taken


def _create_users(at: datetime) -> None:
    from recobra.access import operations as access  # noqa: PLC0415 - needs the settings
    from recobra.access.queries import User  # noqa: PLC0415

    for username, name, role, portfolios in CAST:
        if not User.objects.filter(username=username).exists():
            access.create_user(
                username=username,
                first_name=name,
                role=role,
                portfolios=portfolios,
                password=_password(),
                email=f"{username}@example.com",
                actor="demo",
                now=at,
            )


def _send_due(at: datetime, planned: int) -> int:
    """Send everything that is due, by two dispatchers at once; return how many messages left."""
    from recobra.access.queries import User  # noqa: PLC0415 - needs the settings
    from recobra.messaging import operations as messaging  # noqa: PLC0415 - needs the settings
    from recobra.messaging import queries  # noqa: PLC0415

    carla = User.objects.get(username=SHOWN_USER)
    words = [sys.executable, "-m", "recobra.cli", "dispatch", "--once", "--now", at.isoformat(), "--json"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as other:  # noqa: S603
        sent = 0
        while ended := messaging.dispatch_once(now=at, limit=PROGRESS_STEP)["sent"]:
            sent += ended
            bootstrap.report_progress(
                f"  {queries.counts_for(carla, day=at.date())[queries.Status.SENT]} of {planned} sent …"
            )
        theirs, _nothing = other.communicate()
    if other.returncode != 0:
        raise CommandRefused("The second dispatcher failed; its reason is above.")
    return sent + int(json.loads(theirs)["sent"])


def _refuse_other_portfolios(ours: set[str]) -> None:
    from recobra.portfolio import setup  # noqa: PLC0415 - needs the settings

    theirs = [each.code for each in setup.list_portfolios() if each.code not in ours]
    if theirs:
        raise CommandRefused(f"This installation holds the portfolio {theirs[0]}: a demonstration needs an empty one.")


def _choose_instant(day: date | None, now: datetime) -> datetime:
    """Return the instant that is played: now or the latest morning on which the law lets all three be contacted."""
    if day is not None:
        return datetime.combine(day, MORNING, UTC)
    mornings = (datetime.combine(now.date() - timedelta(days=back), MORNING, UTC) for back in range(30))
    for at in (now, *mornings):
        if at <= now and _is_lawful(at):
            return at
    raise CommandRefused("No morning of the last month was lawful in all three countries.")


def _is_lawful(at: datetime) -> bool:
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - needed on the first start only

    from recobra.cli.demo_data import EXAMPLES  # noqa: PLC0415
    from recobra_core.law import OpeningKey, build_openings, to_arrow  # noqa: PLC0415

    zones = [(example.portfolio["country"], example.portfolio["time_zone"]) for example in EXAMPLES]
    keys = [OpeningKey(country, "", zone, "email", at.astimezone(ZoneInfo(zone)).date()) for country, zone in zones]
    instant = at.replace(tzinfo=None)
    return all(
        row["opens_at_utc"] is not None
        and row["opens_at_utc"].replace(tzinfo=None) <= instant
        and instant + timedelta(hours=1) <= row["closes_at_utc"].replace(tzinfo=None)
        for row in to_arrow(build_openings(keys=keys)).to_pylist()
    )


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CommandRefused(f"Port {port} is taken by another program; choose one with --port.") from error


def _password() -> str:
    return created_once.read_or_create(_stored_file("demo-password"), secrets.token_urlsafe(9))


def _stored_file(name: str) -> Path:
    return database.data_dir() / name


def _summary_lines(told: dict[str, Any]) -> tuple[str, ...]:
    others = ", ".join(name for name, *_rest in CAST if name != SHOWN_USER)
    figures = (
        f"{told['accounts']} accounts in {told['portfolios']} portfolios, {told['contacts_planned']} contacts planned, "
        f"{told['sent']} sent to the built-in mailbox, {told.get('answers', 0)} answers of debtors"
    )
    return (
        f"Demonstration: {figures}.",
        f"It plays {told['now'][:16].replace('T', ' ')} UTC, when the law of its three countries allows contact.",
        f"User: {told['user']}   Password: {told['password']}   (the same for {others})",
    )
