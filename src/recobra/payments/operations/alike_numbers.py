"""Accounts and operations of a payment file that only zeros, or a spreadsheet, tell from known ones.

The rule is that of receivables (`tabular.numbers_alike`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import pyarrow as pa

from recobra.kit import tables
from recobra.payments.models import Payment
from recobra.portfolio.models import Portfolio
from recobra.tabular.numbers_alike import find_alike
from recobra.tabular.workspace import open_workspace

from .movements import OWNER_ID, Movement

_NUMBERS: Final = pa.schema([("number", pa.string())])


def find_alike_accounts(*, portfolio: Portfolio, numbers: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return by unknown number the first and the last account that it is like."""
    unknown = sorted(numbers)
    if not unknown:
        return {}
    query = "SELECT external_id FROM portfolio_account WHERE portfolio_id = %s"
    return _find_alike(unknown, tables.fetch(query, [portfolio.pk], _NUMBERS))


def find_recorded(*, portfolio: Portfolio, movements: Mapping[int, Movement]) -> dict[int, str]:
    """Return by line the recorded operation that a new movement is, but for how its number is written.

    Account, amount and day are the same; numbers of operations begin anew, so theirs alone would prove nothing. One
    that was reversed is one all the same: a cheque that came back is not paid by the file that names it.
    """
    days = {movement.paid_date for movement in movements.values()}
    payments = Payment.objects.filter(portfolio=portfolio, paid_date__in=days)
    payments = payments.exclude(source=Payment.Source.INFERRED)
    columns = ("reference", OWNER_ID, "account__external_id", "amount_minor", "paid_date")
    recorded: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for reference, *movement_of in payments.values_list(*columns):
        recorded[tuple(movement_of)].add(reference)
    twins: dict[int, set[str]] = {}
    for line, one in movements.items():
        # A payment of no single account paid this one too.
        same = [
            recorded.get((one.debtor_id, account, one.amount_minor, one.paid_date)) for account in (one.account, None)
        ]
        references = set().union(*filter(None, same)) - {one.reference}
        if references:
            twins[line] = references
    if not twins:
        return {}
    new = {movements[line].reference for line in twins}
    known = pa.table({"number": sorted(set().union(*twins.values()) - new)}, schema=_NUMBERS)
    alike = _find_alike(sorted(new), known)
    found = {}
    for line, references in twins.items():
        first, last = alike.get(movements[line].reference, ("", ""))
        recorded_as = references & {first, last}
        if recorded_as:
            found[line] = min(recorded_as)
    return found


def _find_alike(new: list[str], known: pa.Table) -> dict[str, tuple[str, str]]:
    """Return by new number the first and the last known one that it is like; those like none are left out."""
    with open_workspace() as duck:
        known_numbers = duck.create_from_arrow("known_numbers", known)
        new_numbers = duck.create_from_arrow("new_numbers", pa.table({"number": new}, schema=_NUMBERS))
        alike = find_alike(
            duck,
            "alike_numbers",
            new=f"SELECT number FROM {new_numbers}",
            known=f"SELECT number FROM {known_numbers}",
        )
        rows = duck.fetch_all(f"SELECT number, known, known_last FROM {alike} WHERE known IS NOT NULL")
    return {number: (first, last) for number, first, last in rows}
