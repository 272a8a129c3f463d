"""Statement of what a debtor owes on one day, document by document, over all portfolios."""

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
    `interest_terms` says rate, kind and period in the creditor's words, '' where the load did not say.
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
    """The documents that a message may name, oldest first."""

    overdue: tuple[Document, ...] = ()
    upcoming: tuple[Document, ...] = ()
    hold_reason: str = ""

    def documents_for(self, *, notice: bool) -> tuple[Document, ...]:
        """Return the documents of a message: upcoming ones for a notice, overdue ones for anything else."""
        return self.upcoming if notice else self.overdue

    def without_held(self) -> Statement:
        """Return the statement without accounts on hold: a disputed debt is not asked for."""
        return Statement(
            overdue=tuple(document for document in self.overdue if not document.held),
            upcoming=tuple(document for document in self.upcoming if not document.held),
            hold_reason=self.hold_reason,
        )


_HOLD_IN_FORCE = """h.lifted_at IS NULL AND h.starts_on <= w.day AND (h.ends_on IS NULL OR h.ends_on >= w.day)"""

CONCEPTS = ("PRINCIPAL", "INTEREST", "LATE_INTEREST", "FEE", "TAX")
_CONCEPT_SUMS = ", ".join(
    f"coalesce(sum(p.amount_minor) FILTER (WHERE p.concept = '{name}'), 0)::bigint" for name in CONCEPTS
)

_DOCUMENTS = f"""
    SELECT w.debtor_id, a.id, a.external_id, a.product, i.number, f.currency, i.due_date,
        sum(p.amount_minor)::bigint, w.day - i.due_date,
        coalesce(a.attributes ->> 'interest_terms', ''), a.contract, a.opened_date,
        array[{_CONCEPT_SUMS}],
        EXISTS (SELECT FROM portfolio_hold h WHERE h.account_id = a.id AND {_HOLD_IN_FORCE})
    FROM unnest(%s::bigint[], %s::date[]) AS w(debtor_id, day)
    JOIN portfolio_account a ON a.debtor_id = w.debtor_id AND a.status = 'OPEN'
    JOIN portfolio_portfolio f ON f.id = a.portfolio_id
    JOIN portfolio_instalment i ON i.account_id = a.id AND i.due_date IS NOT NULL
    JOIN portfolio_posting p ON p.account_id = a.id AND p.instalment_id = i.id AND p.value_date <= w.day
    GROUP BY w.debtor_id, w.day, a.id, i.id, f.id HAVING sum(p.amount_minor) > 0
    ORDER BY w.debtor_id, i.due_date, a.external_id, i.number"""

_HOLDS = f"""
    SELECT w.debtor_id, min(h.reason) FROM unnest(%s::bigint[], %s::date[]) AS w(debtor_id, day)
    JOIN portfolio_hold h ON h.debtor_id = w.debtor_id AND h.account_id IS NULL AND {_HOLD_IN_FORCE}
    GROUP BY w.debtor_id"""


def fetch_statements(days: Mapping[int, date]) -> dict[int, Statement]:
    """Return the statement of each debtor on its day, from the ledger (open accounts, holds of that day).

    `days`: day by debtor id. Upcoming are, per account, the documents of its next due date, today's included.
    """
    parameters: list[Any] = [list(days), list(days.values())]
    with connection.cursor() as cursor:
        cursor.execute(_DOCUMENTS, parameters)
        rows = cursor.fetchall()
        cursor.execute(_HOLDS, parameters)
        hold_reasons = dict(cursor.fetchall())
    by_debtor: dict[int, list[Document]] = {debtor_id: [] for debtor_id in days}
    for debtor_id, *fields in rows:
        by_debtor[debtor_id].append(_build_document(tuple(fields)))
    return {
        debtor_id: Statement(
            overdue=tuple(document for document in documents if document.days > 0),
            upcoming=tuple(_next_due(document for document in documents if document.days <= 0)),
            hold_reason=hold_reasons.get(debtor_id, ""),
        )
        for debtor_id, documents in by_debtor.items()
    }


def _build_document(row: tuple[Any, ...]) -> Document:
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
    # An invoice is known by its own number; instalments need the account beside theirs.
    shown_number = account if product == "INVOICE" and number == "1" else f"{account}/{number}"
    return Document(
        account_id=account_id,
        number=shown_number,
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


def _next_due(documents: Iterable[Document]) -> Iterable[Document]:
    """Yield the documents of each account's first due date; they come sorted by it."""
    first: dict[int, date] = {}
    for document in documents:
        if first.setdefault(document.account_id, document.due_date) == document.due_date:
            yield document
