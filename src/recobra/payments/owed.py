"""What is owed once the money in hand is counted: payments of which a part found no open amount.

Nobody is asked for money that is here already. The ledger stays as it is; these readers stand before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
from django.db.models import Q

from recobra.kit import tables
from recobra.portfolio import snapshot, statement
from recobra.portfolio.models import Account
from recobra.portfolio.snapshot import ITEMS, Scope
from recobra.portfolio.statement import Document, Statement
from recobra_core.money.waterfall import CONCEPTS

from .models import Payment

_InHand = dict[tuple[int, int], int]
"""Minor units by portfolio and debtor."""


def read_open_items(scope: Scope, *, as_of: date) -> pa.Table:
    """Return what is open on each instalment at the end of a day less the money in hand, the oldest first (ITEMS)."""
    items = snapshot.read_open_items(scope, as_of=as_of)
    in_hand = _read_money_in_hand(
        scope.condition(debtor="debtor_id", portfolio="portfolio_id"), Q(paid_date__lte=as_of)
    )
    if not in_hand:
        return items
    debtor_ids = pa.array([debtor_id for _portfolio_id, debtor_id in in_hand], pa.int64())
    has_money = pc.is_in(items["debtor_id"], debtor_ids)
    rows = items.filter(has_money).sort_by("due_date").to_pylist()
    payers = Scope(portfolio_ids=scope.portfolio_ids, debtor_ids=sorted({row["debtor_id"] for row in rows}))
    held = set(snapshot.read_holds(payers, as_of=as_of)["account_id"].to_pylist())
    # What is disputed is not asked for, so it takes no money from what is.
    rows.sort(key=lambda row: row["account_id"] in held)
    open_accounts = set(
        Account.objects.filter(
            tables.is_any_of("pk", {row["account_id"] for row in rows}), status=Account.Status.OPEN
        ).values_list("pk", flat=True)
    )
    for row in rows:
        payer = (row["portfolio_id"], row["debtor_id"])
        # An account that the creditor took back or wrote off is not asked for: its money would be lost for the others.
        if row["account_id"] in open_accounts:
            row["open_minor"] -= _take(in_hand, payer, row["open_minor"])
    left = [row for row in rows if row["open_minor"]]
    return pa.concat_tables([items.filter(pc.invert(has_money)), pa.Table.from_pylist(left, schema=ITEMS)])


def fetch_statements(days: Mapping[int, date]) -> dict[int, Statement]:
    """Return the statement of each debtor on its day less the money in hand; `days`: day by debtor id."""
    statements = statement.fetch_statements(days)
    if not days:
        return statements
    in_hand = _read_money_in_hand(Q(tables.is_any_of("debtor_id", days)), Q(paid_date__lte=max(days.values())), days)
    if not in_hand:
        return statements
    payers = {debtor_id for _portfolio_id, debtor_id in in_hand}
    accounts = Account.objects.filter(tables.is_any_of("debtor_id", payers))
    portfolios = dict(accounts.values_list("pk", "portfolio_id"))
    for debtor_id in payers:
        statements[debtor_id] = _lower_statement(statements[debtor_id], debtor_id, portfolios, in_hand)
    return statements


def _lower_statement(whole: Statement, debtor_id: int, portfolios: Mapping[int, int], in_hand: _InHand) -> Statement:
    """Return a statement less the money in hand; `portfolios`: portfolio by account id."""
    lowered: dict[int, Document | None] = {}
    # As of the open items: what is disputed comes last.
    for document in sorted([*whole.overdue, *whole.upcoming], key=lambda document: (document.held, -document.days)):
        payer = (portfolios[document.account_id], debtor_id)
        lowered[id(document)] = _lower_document(document, _take(in_hand, payer, document.owed_minor))
    return replace(
        whole,
        overdue=tuple(left for document in whole.overdue if (left := lowered[id(document)]) is not None),
        upcoming=tuple(left for document in whole.upcoming if (left := lowered[id(document)]) is not None),
    )


def _lower_document(document: Document, paid_minor: int) -> Document | None:
    """Return a document less an amount, taken from its concepts in the usual order; None where nothing is left."""
    if paid_minor == document.owed_minor:
        return None
    concepts: dict[str, int] = {}
    left_minor = paid_minor
    for concept in CONCEPTS:
        amount_minor = document.concepts_minor.get(concept, 0)
        taken_minor = min(left_minor, max(amount_minor, 0))
        left_minor -= taken_minor
        if amount_minor != taken_minor:
            concepts[concept] = amount_minor - taken_minor
    return replace(document, owed_minor=document.owed_minor - paid_minor, concepts_minor=concepts)


def _read_money_in_hand(payers: Q, up_to: Q, days: Mapping[int, date] | None = None) -> _InHand:
    """Return what was paid and found no open amount; `days`: the day that counts for each debtor, where they differ."""
    standing = Payment.objects.filter(payers, up_to, unapplied_minor__gt=0, reversed_at__isnull=True).order_by()
    in_hand: _InHand = defaultdict(int)
    rows = standing.values_list("portfolio_id", "debtor_id", "paid_date", "unapplied_minor")
    for portfolio_id, debtor_id, paid_date, unapplied_minor in rows:
        if days is None or paid_date <= days[debtor_id]:
            in_hand[portfolio_id, debtor_id] += unapplied_minor
    return in_hand


def _take(in_hand: _InHand, payer: tuple[int, int], owed_minor: int) -> int:
    """Take as much of a payer's money as is owed away, and return it."""
    taken_minor = min(in_hand.get(payer, 0), max(owed_minor, 0))
    if taken_minor:
        in_hand[payer] -= taken_minor
    return taken_minor
