"""Statement of what a debtor owes on one day, document by document, over all portfolios."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.db import connection

from recobra.portfolio.models import Portfolio
from recobra.portfolio.own_columns import OwnColumn, own_columns
from recobra.portfolio.sql import hold_in_force


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An instalment, invoice or bill with what is still owed on it; `days` past due, negative before.

    `account` and `contract` are the creditor's numbers, `concepts_minor` splits what is owed (PRINCIPAL, INTEREST…),
    `interest_terms` says rate, kind and period in the creditor's words, '' where the load did not say. `attributes` are
    the values of the portfolio's own columns, which `own_columns` declares.
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
    attributes: Mapping[str, Any] = field(default_factory=dict)
    own_columns: Mapping[str, OwnColumn] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The documents that a message may name, oldest first."""

    overdue: tuple[Document, ...] = ()
    upcoming: tuple[Document, ...] = ()
    hold_reason: str = ""

    def documents_for(self, *, notice: bool) -> tuple[Document, ...]:
        """Return the documents of a message: upcoming ones for a notice, overdue ones for anything else."""
        return self.upcoming if notice else self.overdue

    def overdue_minor(self, currency: str) -> int:
        """Return what is overdue in a currency."""
        return sum(document.owed_minor for document in self.overdue if document.currency == currency)

    def without_held(self) -> Statement:
        """Return the statement without accounts on hold: a disputed debt is not asked for."""
        return Statement(
            overdue=tuple(document for document in self.overdue if not document.held),
            upcoming=tuple(document for document in self.upcoming if not document.held),
            hold_reason=self.hold_reason,
        )


_DEBTOR_HOLD_IN_FORCE = hold_in_force("hold", day="wanted.day")
_ACCOUNT_HOLD_IN_FORCE = hold_in_force("hold", day="owed.day")

CONCEPTS = ("PRINCIPAL", "INTEREST", "LATE_INTEREST", "FEE", "TAX")
_CONCEPT_SUMS = ", ".join(
    f"coalesce(sum(posting.amount_minor) FILTER (WHERE posting.concept = '{name}'), 0)::bigint" for name in CONCEPTS
)

# Parameters of both queries: debtor ids, and the day of each. The ledger is summed first, and the instalment found by
# its key alone: a posting's account is that of its instalment, but PostgreSQL does not know that. Told both, it
# multiplies their chances, expects a single row and reads whole indexes over and over.
_DOCUMENTS = f"""
    WITH owed AS (
        SELECT
            wanted.debtor_id,
            wanted.day,
            account.id AS account_id,
            account.portfolio_id,
            account.external_id,
            account.product,
            coalesce(account.attributes ->> 'interest_terms', '') AS interest_terms,
            account.attributes,
            account.contract,
            account.opened_date,
            posting.instalment_id,
            sum(posting.amount_minor)::bigint AS owed_minor,
            array[{_CONCEPT_SUMS}] AS concepts_minor
        FROM unnest(%s::bigint[], %s::date[]) AS wanted(debtor_id, day)
        JOIN portfolio_account account ON account.debtor_id = wanted.debtor_id AND account.status = 'OPEN'
        -- The ledger as it was on the day: later postings have no effect on it.
        JOIN portfolio_posting posting ON posting.account_id = account.id AND posting.value_date <= wanted.day
        GROUP BY wanted.debtor_id, wanted.day, account.id, posting.instalment_id
        HAVING sum(posting.amount_minor) > 0)
    SELECT
        owed.debtor_id,
        -- Only where the portfolio declares columns of its own.
        CASE WHEN portfolio.attributes <> '{{}}' THEN owed.portfolio_id END,
        CASE WHEN portfolio.attributes <> '{{}}' THEN owed.attributes::text END,
        owed.account_id,
        owed.external_id,
        owed.product,
        instalment.number,
        portfolio.currency,
        instalment.due_date,
        owed.owed_minor,
        owed.day - instalment.due_date,
        owed.interest_terms,
        owed.contract,
        owed.opened_date,
        owed.concepts_minor,
        EXISTS (SELECT FROM portfolio_hold hold WHERE hold.account_id = owed.account_id AND {_ACCOUNT_HOLD_IN_FORCE})
    FROM owed
    JOIN portfolio_instalment instalment ON instalment.id = owed.instalment_id AND instalment.due_date IS NOT NULL
    JOIN portfolio_portfolio portfolio ON portfolio.id = owed.portfolio_id
    ORDER BY owed.debtor_id, instalment.due_date, owed.external_id, instalment.number"""

# Holds of the debtor; those of single accounts are in the documents.
_HOLDS = f"""
    SELECT wanted.debtor_id, min(hold.reason)
    FROM unnest(%s::bigint[], %s::date[]) AS wanted(debtor_id, day)
    JOIN portfolio_hold hold
        ON hold.debtor_id = wanted.debtor_id AND hold.account_id IS NULL AND {_DEBTOR_HOLD_IN_FORCE}
    GROUP BY wanted.debtor_id"""


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
    declaring_ids = {portfolio_id for _debtor_id, portfolio_id, *_columns in rows if portfolio_id}
    declaring = Portfolio.objects.filter(pk__in=declaring_ids) if declaring_ids else ()
    own = {portfolio.pk: own_columns(portfolio) for portfolio in declaring}
    by_debtor: dict[int, list[Document]] = {debtor_id: [] for debtor_id in days}
    for debtor_id, portfolio_id, attributes, *columns in rows:
        document = _build_document(*columns)
        if portfolio_id:
            document = replace(document, attributes=json.loads(attributes), own_columns=own[portfolio_id])
        by_debtor[debtor_id].append(document)
    statements = {}
    for debtor_id, documents in by_debtor.items():
        overdue = [document for document in documents if document.days > 0]
        not_overdue = [document for document in documents if document.days <= 0]
        statements[debtor_id] = Statement(
            overdue=tuple(overdue),
            upcoming=tuple(_next_due(not_overdue)),
            hold_reason=hold_reasons.get(debtor_id, ""),
        )
    return statements


def _build_document(  # noqa: PLR0917 - the columns of `_DOCUMENTS` after the debtor, in their order
    account_id: int,
    account: str,
    product: str,
    number: str,
    currency: str,
    due_date: date,
    owed_minor: int,
    days: int,
    interest_terms: str,
    contract: str,
    signed_on: date | None,
    concept_sums: list[int],
    held: bool,  # noqa: FBT001 - a column like the others
) -> Document:
    """Return a document from a row of `_DOCUMENTS`; `concept_sums` are in the order of CONCEPTS."""
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
        interest_terms=interest_terms,
        concepts_minor={name: minor for name, minor in zip(CONCEPTS, concept_sums, strict=True) if minor},
    )


def _next_due(documents: Iterable[Document]) -> Iterable[Document]:
    """Yield the documents of each account's first due date; they come sorted by it."""
    first: dict[int, date] = {}
    for document in documents:
        if first.setdefault(document.account_id, document.due_date) == document.due_date:
            yield document
