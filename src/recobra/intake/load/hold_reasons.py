"""Why a load waits for a person instead of being written: it would hide money, or is not what the sender stated."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from recobra.intake.load_context import LoadContext
from recobra.intake.models import Load
from recobra.intake.relations import ExaminedFile
from recobra.intake.stage.currencies import stated_currency_sql
from recobra.intake.stage.money import cells_of
from recobra.tabular.sql_text import literal
from recobra.tabular.workspace import Workspace
from recobra_core.money import from_minor

FROM_ROWS: Final = 10  # a share of fewer rows, or of fewer accounts, says nothing
MANY_DOUBLES: Final = 5  # rows; a few slip into any file, and each of them is told


def find_hold_reasons(
    context: LoadContext,
    duck: Workspace,
    examined: ExaminedFile,
    *,
    rows: int,
    amount_minor: int,
    previous: Load | None,
) -> list[dict[str, Any]]:
    """Return why a person must confirm the load, each reason with its code and facts; none where it may go on.

    `rows` is how many the file has, `amount_minor` what its accepted accounts owe, `previous` the last load.
    """
    reasons: list[dict[str, Any]] = []
    document = context.document
    if not document.options.partial:
        reasons += _find_losses(context, duck, examined, amount_minor=amount_minor, previous=previous)
    own = context.portfolio.currency
    unread = examined.file.unread_currency
    if unread:
        reasons.append({"code": "unread_currency", **unread, "rows": rows, "own": own})
    if rows >= FROM_ROWS:
        limit = document.options.aside_limit * rows
        others = _count_other_currencies(context, duck, examined)
        if others > 0 and others >= limit:
            amounts = _other_amounts(context, examined)
            reasons.append({"code": "other_currency", "found": others, "rows": rows, "amounts": amounts})
        repeated = sum(each["rows"] for each in examined.aside if each["code"] == "repeated")
        different = duck.count(examined.keys.duplicates)
        if repeated + different >= max(MANY_DOUBLES, limit):
            reasons.append({"code": "doubles", "repeated": repeated, "different": different, "rows": rows})
    if document.control.rows not in {None, rows}:
        reasons.append({"code": "control_rows", "given": document.control.rows, "found": rows})
    amount = Decimal(amount_minor).scaleb(-context.decimals)
    if document.control.amount is not None and document.control.amount != amount:
        given, found = ({own: f"{each:f}"} for each in (document.control.amount, amount))
        reasons.append({"code": "control_amount", "given": given, "found": found})
    alike = duck.count(examined.alike.rows)
    if alike:
        reasons.append({"code": "alike", "count": alike})
    return reasons


def _find_losses(
    context: LoadContext, duck: Workspace, examined: ExaminedFile, *, amount_minor: int, previous: Load | None
) -> Iterator[dict[str, Any]]:
    """Yield the reasons of a file with many fewer accounts, or much less money, than the portfolio had before it."""
    kept = 1 - context.document.options.shrink_limit
    present = duck.count(examined.changes.present)
    (open_accounts,) = duck.fetch_row(f"SELECT count(*) FROM {examined.known.accounts} WHERE status = 'OPEN'")
    if present < open_accounts * kept:
        yield {"code": "shrunk", "found": present, "known": open_accounts}
    # What is remembered covers the accounts of earlier files too, where the last one was a part.
    accounts, known_minor = duck.fetch_row(
        f"SELECT count(*), coalesce(sum(amount_minor), 0)::BIGINT FROM {examined.known.previous}"
    )
    if not accounts and previous is not None:
        accounts, known_minor = previous.figures.get("accounts", 0), previous.figures.get("amount_minor", 0)
    if accounts >= FROM_ROWS and amount_minor < known_minor * kept:
        own = context.portfolio.currency
        found, known = ({own: f"{from_minor(minor, own):f}"} for minor in (amount_minor, known_minor))
        yield {"code": "less_money", "found": found, "known": known}


def _count_other_currencies(context: LoadContext, duck: Workspace, examined: ExaminedFile) -> int:
    """Return how many rows in another currency reach no portfolio: rejected, or set aside and not sent to another."""
    (rejected,) = duck.fetch_row(f"SELECT count(DISTINCT line) FROM {examined.checked.errors} WHERE code = 'currency'")
    cells = cells_of(examined.file, f"SELECT cells FROM {examined.file.aside} WHERE code = 'currency'")
    sent = ", ".join(map(literal, context.document.currencies)) or "NULL"
    currency = stated_currency_sql(context, examined.file.columns)
    (aside,) = duck.fetch_row(f"SELECT count(*) FILTER (WHERE ({currency} IN ({sent})) IS NOT true) FROM ({cells})")
    return int(rejected + aside)


def _other_amounts(context: LoadContext, examined: ExaminedFile) -> dict[str, str]:
    """Return by currency what rows in other currencies say is owed, those that go to another portfolio left out."""
    known = {context.portfolio.currency, *context.document.currencies}
    sums: dict[str, Decimal] = {}
    for part in examined.money:
        if part["part"] in {"rejected", "currency"}:
            for currency, amount in part["amounts"].items():
                if currency not in known:
                    sums[currency] = sums.get(currency, Decimal(0)) + Decimal(amount)
    return {currency: f"{amount:f}" for currency, amount in sorted(sums.items())}
