"""What a debtor owes a creditor on one day, document by document, over all portfolios."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An instalment, invoice or bill with what is still owed on it; `days` past due, negative before.

    `account` and `contract` are the creditor's numbers, `concepts_minor` splits what is owed (PRINCIPAL, INTEREST…),
    `interest_terms` says rate, kind and period in the creditor's words: '' where the load did not tell.
    """

    account_id: int
    number: str
    currency: str
    due_date: date
    owed_minor: int
    days: int
    held: bool
    product: str = "INVOICE"
    account: str = ""
    contract: str = ""
    signed_on: date | None = None
    concepts_minor: Mapping[str, int] = field(default_factory=dict)
    interest_terms: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The documents a message may speak of, oldest first."""

    overdue: tuple[Document, ...] = ()
    upcoming: tuple[Document, ...] = ()
    hold_reason: str = ""

    def speaks_of(self, *, notice: bool) -> tuple[Document, ...]:
        """Return what a message must be about: what falls due for a notice, else what is overdue."""
        return self.upcoming if notice else self.overdue

    def without_held(self) -> Statement:
        """Return it without the accounts that are on hold: a disputed debt is not asked for."""
        free = [tuple(d for d in part if not d.held) for part in (self.overdue, self.upcoming)]
        return Statement(overdue=free[0], upcoming=free[1], hold_reason=self.hold_reason)


_HELD = """h.lifted_at IS NULL AND h.starts_on <= w.day AND (h.ends_on IS NULL OR h.ends_on >= w.day)"""

CONCEPTS = ("PRINCIPAL", "INTEREST", "LATE_INTEREST", "FEE", "TAX")
_SUMS = ", ".join(f"coalesce(sum(p.amount_minor) FILTER (WHERE p.concept = '{name}'), 0)::bigint" for name in CONCEPTS)

_DOCUMENTS = f"""
    SELECT w.debtor_id, a.id, a.external_id, a.product, i.number, f.currency, i.due_date,
        sum(p.amount_minor)::bigint, w.day - i.due_date,
        coalesce(a.attributes ->> 'interest_terms', ''), a.contract, a.opened_date,
        array[{_SUMS}],
        EXISTS (SELECT FROM portfolio_hold h WHERE h.account_id = a.id AND {_HELD})
    FROM unnest(%s::bigint[], %s::date[]) AS w(debtor_id, day)
    JOIN portfolio_account a ON a.debtor_id = w.debtor_id AND a.status = 'OPEN'
    JOIN portfolio_portfolio f ON f.id = a.portfolio_id
    JOIN portfolio_instalment i ON i.account_id = a.id AND i.due_date IS NOT NULL
    JOIN portfolio_posting p ON p.account_id = a.id AND p.instalment_id = i.id AND p.value_date <= w.day
    GROUP BY w.debtor_id, w.day, a.id, i.id, f.id HAVING sum(p.amount_minor) > 0
    ORDER BY w.debtor_id, i.due_date, a.external_id, i.number"""

_HOLDS = f"""
    SELECT w.debtor_id, min(h.reason) FROM unnest(%s::bigint[], %s::date[]) AS w(debtor_id, day)
    JOIN portfolio_hold h ON h.debtor_id = w.debtor_id AND h.account_id IS NULL AND {_HELD}
    GROUP BY w.debtor_id"""


def statements(days: Mapping[int, date]) -> dict[int, Statement]:
    """Return the statement of each debtor on its day, from the ledger (open accounts, holds of that day).

    Upcoming are, per account, the documents of its next due date, today's included.
    """
    parameters: list[Any] = [list(days), list(days.values())]
    with connection.cursor() as cursor:
        cursor.execute(_DOCUMENTS, parameters)
        found = cursor.fetchall()
        cursor.execute(_HOLDS, parameters)
        holds = dict(cursor.fetchall())
    documents: dict[int, list[Document]] = {debtor_id: [] for debtor_id in days}
    for debtor_id, *fields in found:
        documents[debtor_id].append(_document(tuple(fields)))
    return {
        debtor_id: Statement(
            overdue=tuple(d for d in mine if d.days > 0),
            upcoming=tuple(_next(d for d in mine if d.days <= 0)),
            hold_reason=holds.get(debtor_id, ""),
        )
        for debtor_id, mine in documents.items()
    }


def _document(row: tuple[Any, ...]) -> Document:
    (
        account_id,
        account,
        product,
        number,
        currency,
        due_date,
        owed_minor,
        days,
        terms,
        contract,
        signed_on,
        sums,
        held,
    ) = row
    shown = account if product == "INVOICE" and number == "1" else f"{account}/{number}"
    return Document(
        account_id=account_id,
        number=shown,
        currency=currency,
        due_date=due_date,
        owed_minor=owed_minor,
        days=days,
        held=held,
        product=product,
        account=account,
        contract=contract,
        signed_on=signed_on,
        interest_terms=terms,
        concepts_minor={name: minor for name, minor in zip(CONCEPTS, sums, strict=True) if minor},
    )


def _next(documents: Iterable[Document]) -> Iterable[Document]:
    first: dict[int, date] = {}
    for document in documents:
        if first.setdefault(document.account_id, document.due_date) == document.due_date:
            yield document
