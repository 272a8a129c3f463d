"""`recobra intake`: loads of files of receivables, and their rejected rows."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recobra.cli import bootstrap, mapping_file, options
from recobra.cli.answer import Answer, CommandRefused

if TYPE_CHECKING:
    from recobra.portfolio.description import PortfolioDescription

CHANGES = {"created": "new", "updated": "changed", "unchanged": "unchanged", "gone": "gone"}
SHOWN_ERRORS = 5


def add_commands(commands: options.Commands) -> None:
    """Add the group to the command line."""
    verbs = options.add_group(commands, "intake", "take files of receivables in")
    load = options.add_command(verbs, "load", "load a file into a portfolio; the same file twice changes nothing")
    load.add_argument("file", type=Path, metavar="FILE", help="CSV, XLSX, XLS or Parquet")
    load.add_argument("--portfolio", required=True, metavar="CODE")
    load.add_argument("--mapping", type=Path, required=True, metavar="MAPPING.yaml", help="what each column means")
    load.add_argument(
        "--as-of", type=options.parse_day, metavar="DATE", help="the day the file speaks of (default: today)"
    )
    load.add_argument("--dry-run", action="store_true", help="say what would happen and change nothing")
    load.set_defaults(run=load_receivables)
    errors = options.add_command(verbs, "errors", "give the rows of a load that were not accepted, as CSV to mend")
    errors.add_argument("load_id", type=options.parse_count, metavar="LOAD_ID")
    errors.add_argument("--output", type=Path, metavar="FILE.csv", help="where they go (default: errors-LOAD_ID.csv)")
    errors.set_defaults(run=write_errors)


def load_receivables(arguments: argparse.Namespace) -> Answer:
    """Load a file into a portfolio, or try it with --dry-run."""
    bootstrap.set_up()
    source = mapping_file.read_mapping(arguments.mapping)
    from django.db import transaction  # noqa: PLC0415 - needs the settings

    from recobra.intake.mapping import MappingFile  # noqa: PLC0415
    from recobra.kit.language import screen_language  # noqa: PLC0415
    from recobra_core.documents import DocumentError  # noqa: PLC0415
    from recobra_core.yaml_source import read_source  # noqa: PLC0415

    try:
        new_portfolio = read_source(MappingFile, source).portfolio
    except DocumentError as error:
        raise CommandRefused(f"{arguments.mapping}: {' '.join(error.messages(screen_language()))}") from error
    mapping = {key: value for key, value in source.value.items() if key != "portfolio"}
    if not arguments.dry_run:
        document = _load_into_portfolio(arguments, mapping, new_portfolio)
        return Answer(document=document, lines=_summary_lines(document))
    # A portfolio that the trial would open is rolled back with everything else.
    with transaction.atomic():
        document = _load_into_portfolio(arguments, mapping, new_portfolio)
        transaction.set_rollback(True)
    return Answer(document=document, lines=("Nothing was changed: this was a trial.", *_summary_lines(document)))


def _load_into_portfolio(
    arguments: argparse.Namespace, mapping: dict[str, Any], new_portfolio: PortfolioDescription | None
) -> dict[str, Any]:
    """Load the file, opening the portfolio where it is new and described. Raises CommandRefused, LoadRefused."""
    from django.utils.translation import gettext as _  # noqa: PLC0415 - needs the settings

    from recobra.access.actors import Service, service_actor  # noqa: PLC0415 - needs the settings
    from recobra.intake import operations  # noqa: PLC0415 - needs the settings
    from recobra.kit import clock  # noqa: PLC0415
    from recobra.portfolio import setup  # noqa: PLC0415
    from recobra.strategy import operations as strategy  # noqa: PLC0415

    command = service_actor(Service.COMMAND, now=clock.now())
    opened = "no"
    try:
        portfolio = setup.get_portfolio(code=arguments.portfolio)
    except setup.PortfolioUnknown as unknown:
        if new_portfolio is None:
            hint = _("A section «portfolio» in the mapping opens it (see docs/mapping.md).")
            raise CommandRefused(f"{unknown} {hint}") from unknown
        try:
            portfolio = strategy.open_described_portfolio(
                description=new_portfolio, code=arguments.portfolio, actor=command
            )
        except setup.PortfolioRefused as refusal:
            raise CommandRefused(str(refusal)) from refusal
        opened = "would open" if arguments.dry_run else "opened"
    figures = operations.load_file(
        path=arguments.file,
        file_name=arguments.file.name,
        portfolio_code=portfolio.code,
        mapping=mapping,
        as_of=arguments.as_of or clock.today(portfolio.time_zone),
        actor=command,
        dry_run=arguments.dry_run,
    )
    return {**figures, "portfolio": portfolio.code, "portfolio_opened": opened}


def _summary_lines(document: dict[str, Any]) -> tuple[str, ...]:
    """Return the summary of a load for a person: rows, changes, and where the rejected rows are."""
    from django.utils.translation import gettext as _  # noqa: PLC0415 - needs the settings

    from recobra.intake.refusals import WARNINGS, aside_words, expected_words, routed_words  # noqa: PLC0415 - needs the settings
    from recobra_core.money import from_minor  # noqa: PLC0415

    amount = f"{from_minor(document['amount_minor'], document['currency']):,}" if document["currency"] else "0"
    accounts = ", ".join(f"{document[key]} {word}" for key, word in CHANGES.items())
    lines = [
        f"Rows: {document['rows']}; accepted {document['accepted']}, rejected {document['rejected']}.",
        f"Accounts: {accounts}; {document['payments']} payments inferred.",
        f"Amount: {amount} {document['currency']}".rstrip() + ".",
    ]
    if document["portfolio_opened"] != "no":
        lines.insert(0, f"Portfolio {document['portfolio']}: {document['portfolio_opened']}.")
    if document["alike_joined"]:
        lines.append(f"Numbers taken for those that only zeros or rounding tell them from: {document['alike_joined']}.")
    lines += [aside_words(aside) for aside in document["aside"]]
    lines += [routed_words(routed) for routed in document.get("routed", ())]
    if document["held"]:
        lines.append(f"The load waits for confirmation in the console: {document['reason']}")
    for row in document["errors"][:SHOWN_ERRORS]:
        faults = "; ".join(f"{error['column']}: {_('expected')} {expected_words(error)}" for error in row["errors"])
        lines.append(f"Line {row['line']}: {faults}")
    if document["rejected"] > SHOWN_ERRORS:
        lines.append(f"Further rejected rows: {document['rejected'] - SHOWN_ERRORS}")
    if document["errors_file"]:
        lines.append(f"Rows to mend: {document['errors_file']}")
    for warning in document["warnings"]:
        lines.append(f"{WARNINGS[warning['code']]}: {warning['rows']} rows ({_first_lines(warning)})")
    if document["quality"]:
        lines.append(f"Quality of the data: {document['quality']['score']} of 100.")
    return tuple(lines)


def _first_lines(warning: dict[str, Any]) -> str:
    more = ", …" if warning["rows"] > len(warning["lines"]) else ""
    return f"lines {', '.join(map(str, warning['lines']))}{more}"


def write_errors(arguments: argparse.Namespace) -> Answer:
    """Write the rejected rows of a load to a CSV file."""
    bootstrap.set_up()
    from django.core.exceptions import ObjectDoesNotExist  # noqa: PLC0415 - needs the settings
    from django.utils.translation import gettext as _  # noqa: PLC0415

    from recobra.intake import operations  # noqa: PLC0415

    output = arguments.output or Path(f"errors-{arguments.load_id}.csv")
    try:
        rows = operations.write_errors(load_id=arguments.load_id, path=output)
    except ObjectDoesNotExist as error:
        raise CommandRefused(_("There is no load %(number)d.") % {"number": arguments.load_id}) from error
    return Answer(document={"load_id": arguments.load_id, "rows": rows, "output": str(output)})
