"""Which rows of a payment file are new money: a movement is itself, not its reference.

One operation of a bank may pay many documents, so several movements may bear one reference. Two rows are one movement
where reference, account, amount and day agree.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.utils.translation import gettext as _

from recobra.payments.models import Payment
from recobra.portfolio.models import Portfolio
from recobra.tabular.records import RowFault
from recobra_core.money import from_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that one operation moved to one account; `account` is '' where it pays all accounts of the debtor."""

    reference: str
    debtor_id: int
    account: str
    amount_minor: int
    paid_date: date

    def is_same(self, other: Movement) -> bool:
        """Return whether two movements of one reference are one."""
        return (
            (self.amount_minor, self.paid_date, self.debtor_id)
            == (other.amount_minor, other.paid_date, other.debtor_id)
        ) and (self.account == other.account or "" in {self.account, other.account})


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
    columns = ("reference", "debtor_id", "account__external_id", "amount_minor", "paid_date")
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
    new = [movement for movement in lines if not any(movement.is_same(one.movement) for one in known)]
    found.known += len(lines) - len(new)
    standing = [one for one in known if one.reversed_at is None]
    days = {movement.paid_date for movement in new} | {one.movement.paid_date for one in standing}
    has_all_known = all(any(one.movement.is_same(movement) for movement in lines) for one in standing)
    if _is_correction(new, known) or (len(days) <= 1 and has_all_known):
        found.new_lines.update(lines[movement] for movement in new)
        return
    for movement in new:
        if standing:
            found.errors += _list_differences(lines[movement], movement, standing, currency)
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


def _list_differences(
    line: int, movement: Movement, standing: Sequence[KnownMovement], currency: str
) -> list[RowFault]:
    """Return in what a row differs from the recorded movement of its reference that is nearest to it."""
    written = _write_out(movement, currency)
    recorded = [_write_out(one.movement, currency) for one in standing]
    equal_cells = [Counter(texts[column] == written[column] for column in written)[True] for texts in recorded]
    nearest = recorded[equal_cells.index(max(equal_cells))]
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
