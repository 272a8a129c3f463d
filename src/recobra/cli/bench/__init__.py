"""`recobra bench`: seconds of the product on a portfolio made for it, against those of the database alone."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer
from recobra.kit import database

DEFAULT_ACCOUNTS = 1_000_000
DEFAULT_MESSAGES = 10_000
DEFAULT_LINES = 50_000
DEFAULT_CUSTOMERS = 9_370
NIGHT_DISPATCHERS = 2
FIRST_DAY = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SECOND_DAY = FIRST_DAY + timedelta(days=1)
PORTFOLIO: dict[str, Any] = {
    "code": "BENCH",
    "name": "Bench",
    "industry": "CONSUMER",
    "country": "PE",
    "currency": "PEN",
    "time_zone": "America/Lima",
}
MAPPING: dict[str, Any] = {
    "name": "bench",
    "account": {"external_id": "cuenta", "product": {"value": "LOAN"}, "opened_date": "apertura"},
    "debtor": {"external_id": "cliente", "name": "nombre", "national_id": "dni", "national_id_kind": {"value": "DNI"}},
    "due_date": "vencimiento",
    "amounts": {"principal": "capital", "interest": "interes"},
    "phones": ["celular", "telefono", "trabajo", "whatsapp"],
    "emails": ["correo", "correo_2", "correo_3"],
    "address": {
        "street": "direccion",
        "district": "distrito",
        "city": "ciudad",
        "region": "region",
        "postal": "postal",
    },
    "options": {"decimal": "point", "date_order": "ymd", "gone": "paid", "lower_balance": "payment"},
}


def add_commands(commands: options.Commands) -> None:
    """Add the command to the command line."""
    bench = options.add_command(commands, "bench", "measure load, cycle and re-decision on a portfolio made for it")
    bench.add_argument("--accounts", type=options.parse_count, default=DEFAULT_ACCOUNTS, metavar="N")
    bench.add_argument("--dispatch", action="store_true", help="measure the sending of messages instead")
    bench.add_argument(
        "--messages", type=options.parse_count, default=DEFAULT_MESSAGES, metavar="N", help="with --dispatch"
    )
    bench.add_argument("--night", action="store_true", help="measure a whole night, as commands and as served, instead")
    bench.add_argument(
        "--lines", type=options.parse_count, default=DEFAULT_LINES, metavar="N", help="with --night: invoices"
    )
    bench.add_argument(
        "--customers", type=options.parse_count, default=DEFAULT_CUSTOMERS, metavar="N", help="with --night"
    )
    bench.add_argument(
        "--dispatchers", type=options.parse_count, metavar="N", help="with --dispatch and --night: at once"
    )
    bench.add_argument("--channel", choices=("email", "sms"), default="email", help="with --dispatch")
    bench.set_defaults(run=run_bench)


def run_bench(arguments: argparse.Namespace) -> Answer:
    """Measure in a new data directory and remove it: never on a company's data."""
    base = Path(os.environ.get("RECOBRA_DATA_DIR", "./.recobra")).resolve()
    base.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="bench-", dir=base))
    home.chmod(0o711)  # under root, the database's own user must reach its cluster
    os.environ["RECOBRA_DATA_DIR"] = str(home)
    for name in ("RECOBRA_DATABASE_URL", "RECOBRA_DATABASE_OWNER_URL"):
        os.environ.pop(name, None)
    if arguments.night:
        return _measure_night(home, arguments)
    bootstrap.set_up()
    try:
        if not arguments.dispatch:
            return Answer(document=_measure_days(home, arguments.accounts))
        from recobra.cli.bench import dispatch  # noqa: PLC0415 - needs the settings

        figures = dispatch.measure_dispatch(
            messages=arguments.messages,
            dispatchers=arguments.dispatchers or 1,
            channel=arguments.channel,
            now=FIRST_DAY,
        )
        return Answer(document=figures)
    finally:
        _remove_installation(home)


def _measure_night(home: Path, arguments: argparse.Namespace) -> Answer:
    """Measure a whole night; the answer fails where a message or an item is missing or came twice."""
    from recobra.cli.bench import night  # noqa: PLC0415 - brings the database's client, which other commands do without

    try:
        figures = night.measure_night(
            home,
            lines=arguments.lines,
            customers=arguments.customers,
            dispatchers=arguments.dispatchers or NIGHT_DISPATCHERS,
            day=FIRST_DAY,
        )
    finally:
        shutil.rmtree(home, ignore_errors=True)
    is_whole = not figures["duplicates"] and not figures["missing"]
    return Answer(document=figures, ok=is_whole, reason="Messages or items are missing or came twice.")


def _remove_installation(home: Path) -> None:
    """Stop the database of a bench and remove all its files."""
    from django.db import connections  # noqa: PLC0415 - needs the settings

    connections.close_all()
    database.embedded_server(home).remove()
    shutil.rmtree(home, ignore_errors=True)


def _measure_days(home: Path, accounts: int) -> dict[str, Any]:
    """Load two days and run their cycles; return seconds, floors, memory, ratios and what an account takes on disk.

    `ratio_first` is the product's time on the first day over the database's alone, `ratio_first_unchecked` over the
    database's where nothing checks foreign keys, `ratio_second` the time of the second day, on which little has
    changed, over the first.
    """
    from recobra.cli.bench import data, floors, memory, redecision, sizes  # noqa: PLC0415 - need the settings

    bootstrap.report_progress(f"Writing the files of {accounts} accounts …")
    first = data.write_day_file(home / "day-1.csv", accounts=accounts, first_day=FIRST_DAY.date())
    second = data.write_day_file(home / "day-2.csv", accounts=accounts, first_day=FIRST_DAY.date(), later=True)
    raw = floors.measure_raw_copy(first)
    floors.copy_empty_databases()
    _open_portfolio()
    watch = memory.MemoryWatch()
    with watch:
        load, cycle = _play_day(first, FIRST_DAY)
    storing, storing_unchecked = floors.measure_storing(home)
    with watch:
        second_load, second_cycle = _play_day(second, SECOND_DAY)
        bytes_per_account = sizes.measure_bytes_per_account(accounts)
        redecisions = redecision.measure_redecision(SECOND_DAY)
    return {
        "accounts": accounts,
        "raw_floor_s": raw,
        "storing_floor_s": storing,
        "storing_floor_unchecked_s": storing_unchecked,
        "load_s": load,
        "cycle_s": cycle,
        "second_load_s": second_load,
        "second_cycle_s": second_cycle,
        **redecisions,
        "peak_rss_mb": watch.peak_mb,
        "ratio_first": round((load + cycle) / storing, 2),
        "ratio_first_unchecked": round((load + cycle) / storing_unchecked, 2),
        "ratio_second": round((second_load + second_cycle) / (load + cycle), 2),
        "bytes_per_account": bytes_per_account,
    }


def _open_portfolio() -> None:
    """Open the bench's portfolio, with templates and a ready-made strategy."""
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.messaging import operations as messaging  # noqa: PLC0415
    from recobra.portfolio import setup  # noqa: PLC0415
    from recobra.strategy import operations as strategy  # noqa: PLC0415

    messaging.ensure_library(actor=service_actor(Service.LIBRARY, now=FIRST_DAY))
    bench = service_actor(Service.BENCH, now=FIRST_DAY)
    strategy.ensure_ready_made(actor=bench)
    creditor = setup.open_creditor(code="BENCH", name="Bench", actor=bench)
    portfolio = setup.open_portfolio(creditor=creditor, **PORTFOLIO, actor=bench)
    strategy.assign_strategy(portfolio_id=portfolio.pk, code="consumo", actor=bench)


def _play_day(path: Path, now: datetime) -> tuple[float, float]:
    """Load a day's file and run its cycle; return the seconds of each."""
    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.intake import operations as intake  # noqa: PLC0415
    from recobra.strategy import operations as strategy  # noqa: PLC0415

    bootstrap.report_progress(f"Loading {path.name} …")
    begin = time.perf_counter()
    intake.load_file(
        path=path,
        file_name=path.name,
        portfolio_code="BENCH",
        mapping=MAPPING,
        as_of=now.date(),
        actor=service_actor(Service.BENCH, now=now),
    )
    loaded = time.perf_counter()
    bootstrap.report_progress(f"… {loaded - begin:.1f} s. Running the cycle …")
    figures = strategy.run_cycle(as_of=now.date(), actor=service_actor(Service.BENCH, now=now))
    done = time.perf_counter()
    steps = ", ".join(f"{step['name']} {step['seconds']}" for step in figures["steps"])
    bootstrap.report_progress(f"… {done - loaded:.1f} s: {steps}; {figures['contacts_planned']} contacts planned.")
    return round(loaded - begin, 2), round(done - loaded, 2)
