"""`recobra report`: figures of the boards, for files and other programs."""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path
from typing import Any

from recobra.cli import bootstrap, options
from recobra.cli.answer import Answer, CommandRefused

COLUMNS = ("currency", "bucket", "from_days", "to_days", "accounts", "debtors", "amount_minor")


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "report", "the figures of the boards")
    aging = options.add_command(verbs, "aging", "what is owed, by how long it has been due")
    aging.add_argument(
        "--as-of", type=options.parse_day, metavar="DATE", help="any day, also past ones (default: today)"
    )
    aging.add_argument("--portfolio", metavar="CODE", help="one portfolio (default: all)")
    aging.add_argument("--output", type=Path, metavar="FILE.xlsx", help="write the rows as a spreadsheet too")
    aging.set_defaults(run=report_aging)


def report_aging(arguments: argparse.Namespace) -> Answer:
    """Answer with the ageing of a day, and write it as a spreadsheet where asked."""
    bootstrap.set_up()
    from recobra.kit import clock  # noqa: PLC0415 - needs the settings
    from recobra.strategy import schedule  # noqa: PLC0415

    as_of = arguments.as_of or schedule.today(clock.now())
    rows = _aging_rows(as_of, arguments.portfolio)
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["currency"]] = totals.get(row["currency"], 0) + row["amount_minor"]
    document: dict[str, Any] = {
        "as_of": as_of,
        "portfolio": arguments.portfolio,
        "rows": rows,
        "total_minor": sum(totals.values()) if len(totals) < 2 else None,
        "totals": totals,
    }
    if arguments.output is not None:
        _write_spreadsheet(arguments.output, rows)
        document["output"] = str(arguments.output)
    return Answer(document=document)


def _aging_rows(as_of: date, code: str | None) -> list[dict[str, Any]]:
    """Return the ageing of one portfolio by its own buckets, or of all by the standard ones; rows by currency.

    `code` is that of the portfolio, None for all.
    """
    from recobra.insight.queries.aging import ageing_on_day  # noqa: PLC0415 - needs the settings
    from recobra.policy.portfolio_policies import policy_on  # noqa: PLC0415
    from recobra.portfolio import setup  # noqa: PLC0415
    from recobra_core.stages import Limits  # noqa: PLC0415

    portfolios = [setup.get_portfolio(code=code)] if code else setup.list_portfolios()
    # Portfolios of several policies are compared by the standard buckets.
    limits = policy_on(portfolios[0].pk, as_of).limits if code else Limits()
    rows = []
    for currency in sorted({portfolio.currency for portfolio in portfolios}):
        portfolio_ids = [portfolio.pk for portfolio in portfolios if portfolio.currency == currency]
        buckets = ageing_on_day(portfolio_ids=portfolio_ids, limits=limits, as_of=as_of)
        rows += [{"currency": currency, **bucket} for bucket in buckets]
    return rows


def _write_spreadsheet(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write the columns of COLUMNS to an Excel file. Raises CommandRefused for a file of another name than .xlsx."""
    import xlsxwriter  # noqa: PLC0415 - only for spreadsheets

    if path.suffix.lower() != ".xlsx":
        raise CommandRefused("%(path)s should end in %(ending)s.", path=path, ending=".xlsx")
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
        sheet = book.add_worksheet("aging")
        sheet.write_row(0, 0, COLUMNS)
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, [row[name] for name in COLUMNS])
