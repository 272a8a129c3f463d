"""Which rows of a payment file are new money: a movement is itself, not its reference.

One operation of a bank may pay many documents, so several movements may bear one reference. Two rows are one movement
where reference, account, amount and day agree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import chain, combinations, groupby
from typing import Final

from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from recobra.payments.models import Payment
from recobra.portfolio.models import Portfolio
from recobra.tabular.records import RowFault
from recobra_core.money import from_minor

OWNER_ID: Final = Coalesce("account__debtor_id", "debtor_id")
"""Who has the account of a recorded payment now: a load may have given it to another debtor since."""
_CELLS: Final = ("account", "amount", "date")
# All sets of cells, the largest first.
_CELLS_TOGETHER: Final = tuple(chain.from_iterable(combinations(_CELLS, count) for count in (3, 2, 1, 0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that one operation moved to one account; `account` is '' where it pays all accounts of the debtor."""

    reference: str
    debtor_id: int
    account: str
    amount_minor: int
    paid_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownMovement:
    """A movement that a payment of the portfolio records, when that came and when it was reversed, if it was."""

    movement: Movement
    received_at: datetime
    reversed_at: datetime | None


@dataclass(kw_only=True)
class SortedRows:
    """The rows of a file by what they are: lines of new movements, how many are known or repeated, and errors."""

    new_lines: set[int] = field(default_factory=set)
    known: int = 0
    repeated: int = 0
    errors: list[RowFault] = field(default_factory=list)


def fetch_known(*, portfolio: Portfolio, references: Iterable[str]) -> dict[str, list[KnownMovement]]:
    """Return what is recorded under each reference. Payments inferred from a load bear none of a bank."""
    columns = ("reference", OWNER_ID, "account__external_id", "amount_minor", "paid_date")
    payments = Payment.objects.filter(portfolio=portfolio, reference__in=set(references))
    payments = payments.exclude(source=Payment.Source.INFERRED).order_by("pk")
    known: dict[str, list[KnownMovement]] = defaultdict(list)
    rows = payments.values_list(*columns, "received_at", "reversed_at")
    for reference, debtor_id, account, amount_minor, paid_date, received_at, reversed_at in rows:
        movement = Movement(
            reference=reference,
            debtor_id=debtor_id,
            account=account or "",
            amount_minor=amount_minor,
            paid_date=paid_date,
        )
        known[reference].append(KnownMovement(movement=movement, received_at=received_at, reversed_at=reversed_at))
    return known


def sort_rows(
    *, rows: Mapping[int, Movement], known: Mapping[str, Sequence[KnownMovement]], currency: str
) -> SortedRows:
    """Return the rows (movements by line) as new, known, repeated or wrong; their order makes no difference.

    A row that repeats another one of the file is counted once. A row that agrees with a payment is known, also where
    that was reversed: a cheque that came back is not paid by the file that names it.
    """
    found = SortedRows()
    lines: dict[str, dict[Movement, int]] = defaultdict(dict)
    for line, movement in rows.items():
        if movement in lines[movement.reference]:
            found.repeated += 1
        else:
            lines[movement.reference][movement] = line
    for reference, movements in lines.items():
        _sort_operation(found, movements, known.get(reference, ()), currency)
    return found


def _sort_operation(
    found: SortedRows, lines: Mapping[Movement, int], known: Sequence[KnownMovement], currency: str
) -> None:
    """Sort the movements of one reference (each with its line)."""
    recorded = _Movements(one.movement for one in known)
    new = [movement for movement in lines if movement not in recorded]
    found.known += len(lines) - len(new)
    standing = [one for one in known if one.reversed_at is None]
    days = {movement.paid_date for movement in new} | {one.movement.paid_date for one in standing}
    of_file = _Movements(lines)
    has_all_known = all(one.movement in of_file for one in standing)
    if _is_correction(new, known) or (len(days) <= 1 and has_all_known):
        found.new_lines.update(lines[movement] for movement in new)
        return
    nearest = _Nearest([_write_out(one.movement, currency) for one in standing])
    for movement in new:
        if standing:
            found.errors += _list_differences(lines[movement], _write_out(movement, currency), nearest)
        else:
            day = movement.paid_date.isoformat()
            expected = _("one day in all rows of the operation «%(reference)s»") % {"reference": movement.reference}
            found.errors.append(RowFault(line=lines[movement], column="date", found=day, expected=expected))


def _is_correction(new: Sequence[Movement], known: Sequence[KnownMovement]) -> bool:
    """Return whether the new movements stand for reversed ones, of which each is corrected once."""
    reversed_at = [one.reversed_at for one in known if one.reversed_at is not None]
    if not reversed_at:
        return False
    corrected = sum(one.reversed_at is None and one.received_at > min(reversed_at) for one in known)
    return len(new) <= len(reversed_at) - corrected


class _Movements:
    """Movements of one reference, among which another one is found at once: a file may name one reference in all rows.

    Two are one where debtor, amount and day agree, and the account, unless one of them pays all accounts.
    """

    def __init__(self, movements: Iterable[Movement]) -> None:
        self._accounts: dict[tuple[int, int, date], set[str]] = defaultdict(set)
        for each in movements:
            self._accounts[each.debtor_id, each.amount_minor, each.paid_date].add(each.account)

    def __contains__(self, movement: Movement) -> bool:
        accounts = self._accounts.get((movement.debtor_id, movement.amount_minor, movement.paid_date), set())
        return bool(accounts) and (not movement.account or movement.account in accounts or "" in accounts)


class _Nearest:
    """Recorded movements as cells, of which the first that agrees with a row in most cells is found at once."""

    def __init__(self, recorded: Sequence[Mapping[str, str]]) -> None:
        self._recorded = recorded
        self._first: dict[tuple[tuple[str, str], ...], int] = {}
        for at, texts in enumerate(recorded):
            for columns in _CELLS_TOGETHER:
                self._first.setdefault(tuple((column, texts[column]) for column in columns), at)

    def find(self, written: Mapping[str, str]) -> Mapping[str, str]:
        """Return the movement that is nearest to a row; there is one at least."""
        for _count, sets in groupby(_CELLS_TOGETHER, key=len):
            keys = [tuple((column, written[column]) for column in columns) for columns in sets]
            places = [self._first[key] for key in keys if key in self._first]
            if places:
                return self._recorded[min(places)]
        raise LookupError


def _list_differences(line: int, written: Mapping[str, str], recorded: _Nearest) -> list[RowFault]:
    """Return in what a row differs from the recorded movement of its reference that is nearest to it."""
    nearest = recorded.find(written)
    return [
        RowFault(
            line=line,
            column=column,
            found=text,
            expected=_("%(value)s, as recorded of this operation; where it paid more, list all of it")
            % {"value": nearest[column] or _("all accounts of the debtor")},
        )
        for column, text in written.items()
        if nearest[column] != text
    ]


def _write_out(movement: Movement, currency: str) -> dict[str, str]:
    """Return a movement as the cells of a row."""
    return {
        "account": movement.account,
        "amount": f"{from_minor(movement.amount_minor, currency):f}",
        "date": movement.paid_date.isoformat(),
    }
