"""Readers of the portfolio that return Arrow tables for the core, each with the schema above it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow as pa
from django.db.models import Q

from recobra.kit import tables
from recobra.portfolio.sql import hold_in_force, stated_consent


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The part of the installation that is read: some portfolios, or a few debtors in all of theirs."""

    portfolio_ids: Sequence[int]
    debtor_ids: Sequence[int] | None = None

    def where(self, *, debtor: str, portfolio: str | None = None) -> tuple[str, list[Any]]:
        """Return an SQL condition on the named columns and its parameters."""
        clauses = ["true"]
        parameters: list[Any] = []
        # Debtors alone where they are named: given both conditions, PostgreSQL walks through the whole portfolio.
        if portfolio is not None and self.debtor_ids is None:
            clauses.append(f"{portfolio} = ANY(%s)")
            parameters.append(list(self.portfolio_ids))
        if self.debtor_ids is not None:
            clauses.append(f"{debtor} = ANY(%s)")
            parameters.append(list(self.debtor_ids))
        return " AND ".join(clauses), parameters

    def condition(self, *, debtor: str, portfolio: str | None = None) -> Q:
        """Return the condition of `where` on the named fields of a QuerySet."""
        if self.debtor_ids is not None:
            return Q(tables.is_any_of(debtor, self.debtor_ids))
        return Q() if portfolio is None else Q(tables.is_any_of(portfolio, self.portfolio_ids))


ITEMS = pa.schema(
    [
        ("account_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("portfolio_id", pa.int64()),
        ("due_date", pa.date32()),
        ("open_minor", pa.int64()),
    ]
)


def read_open_items(scope: Scope, *, as_of: date) -> pa.Table:
    """Return what is open on each instalment at the end of a day, from the ledger alone (schema ITEMS).

    A day in the past is rebuilt with everything known today, back-dated payments included.
    """
    where, parameters = scope.where(debtor="account.debtor_id", portfolio="account.portfolio_id")
    # For a few debtors the postings are found by account; for whole portfolios one scan of the ledger is faster.
    narrowed = ""
    if scope.debtor_ids is not None:
        narrowed = "AND posting.account_id = ANY(ARRAY(SELECT wanted.id FROM wanted))"
    query = f"""
        WITH wanted AS MATERIALIZED (
            SELECT account.id, account.debtor_id, account.portfolio_id
            FROM portfolio_account account WHERE {where}
        ), open AS (
            SELECT posting.instalment_id, posting.account_id, sum(posting.amount_minor)::bigint AS open_minor
            FROM portfolio_posting posting WHERE posting.value_date <= %s {narrowed}
            GROUP BY posting.instalment_id, posting.account_id HAVING sum(posting.amount_minor) <> 0
        )
        SELECT open.account_id, wanted.debtor_id, wanted.portfolio_id, instalment.due_date, open.open_minor
        FROM open
        JOIN wanted ON wanted.id = open.account_id
        JOIN portfolio_instalment instalment ON instalment.id = open.instalment_id"""
    return tables.fetch(query, [*parameters, as_of], ITEMS)


ACCOUNTS = pa.schema(
    [
        ("account_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("portfolio_id", pa.int64()),
        ("product", pa.string()),
        ("opened_date", pa.date32()),
        ("attributes", pa.string()),
    ]
)


def read_accounts(scope: Scope) -> pa.Table:
    """Return the open accounts (schema ACCOUNTS)."""
    where, parameters = scope.where(debtor="debtor_id", portfolio="portfolio_id")
    query = f"""
        SELECT id, debtor_id, portfolio_id, product, opened_date, nullif(attributes::text, '{{}}')
        FROM portfolio_account WHERE status = 'OPEN' AND {where}"""
    return tables.fetch(query, parameters, ACCOUNTS)


DEBTORS = pa.schema(
    [
        ("debtor_id", pa.int64()),
        ("creditor_id", pa.int64()),
        ("debtor_kind", pa.string()),
        ("country", pa.string()),
        ("subdivision", pa.string()),
        ("time_zone", pa.string()),
    ]
)


def read_debtors(scope: Scope) -> pa.Table:
    """Return the debtors of the portfolios' creditors (schema DEBTORS); '' stands for not stated."""
    where, parameters = scope.where(debtor="id")
    query = f"""
        SELECT id, creditor_id, kind, country, subdivision, time_zone
        FROM portfolio_debtor
        WHERE creditor_id IN (SELECT creditor_id FROM portfolio_portfolio WHERE id = ANY(%s)) AND {where}"""
    return tables.fetch(query, [list(scope.portfolio_ids), *parameters], DEBTORS)


POINTS = pa.schema(
    [
        ("contact_point_id", pa.int64()),
        ("debtor_id", pa.int64()),
        ("kind", pa.string()),
        ("line", pa.string()),
        ("valid", pa.bool_()),
        ("opted_out", pa.bool_()),
        ("consent", pa.string()),
        ("quality", pa.int64()),
        ("place", pa.string()),
        ("unusable_for", pa.list_(pa.string())),
        ("granted_for", pa.list_(pa.string())),
        ("denied_for", pa.list_(pa.string())),
        ("preferred_channel", pa.string()),
    ]
)


def read_contact_points(scope: Scope) -> pa.Table:
    """Return the contact points in use (schema POINTS)."""
    where, parameters = scope.where(debtor="point.debtor_id")
    query = f"""
        SELECT
            point.id,
            point.debtor_id,
            point.kind,
            point.line,
            point.valid,
            point.opted_out_at IS NOT NULL,
            {stated_consent("point")},
            point.quality,
            point.place,
            {_list_as_json("point.unusable_for")},
            {_list_as_json("point.granted_for")},
            {_list_as_json("point.denied_for")},
            debtor.preferred_channel
        FROM portfolio_contactpoint point JOIN portfolio_debtor debtor ON debtor.id = point.debtor_id
        WHERE point.retired_at IS NULL AND {where}"""
    return tables.fetch(query, parameters, POINTS)


def _list_as_json(column: str) -> str:
    """Return SQL for a list column as `tables.fetch` takes it; the most are empty, and need no work."""
    return f"CASE WHEN {column} = '{{}}' THEN '[]' ELSE to_json({column})::text END"


HOLDS = pa.schema(
    [
        ("debtor_id", pa.int64()),
        ("account_id", pa.int64()),
        ("reason", pa.string()),
        ("disputed_minor", pa.int64()),
    ]
)


def read_holds(scope: Scope, *, as_of: date) -> pa.Table:
    """Return the holds in force on a day (schema HOLDS); no account means the whole debtor."""
    where, parameters = scope.where(debtor="debtor_id")
    query = f"""
        SELECT debtor_id, account_id, reason, disputed_minor FROM portfolio_hold
        WHERE {hold_in_force("portfolio_hold", day="%s")} AND {where}"""
    return tables.fetch(query, [as_of, as_of, *parameters], HOLDS)


PORTFOLIOS = pa.schema(
    [
        ("portfolio_id", pa.int64()),
        ("creditor_id", pa.int64()),
        ("portfolio", pa.string()),
        ("currency", pa.string()),
        ("default_zone", pa.string()),
    ]
)


def read_portfolios(scope: Scope) -> pa.Table:
    """Return the portfolios themselves (schema PORTFOLIOS)."""
    query = "SELECT id, creditor_id, code, currency, time_zone FROM portfolio_portfolio WHERE id = ANY(%s)"
    return tables.fetch(query, [list(scope.portfolio_ids)], PORTFOLIOS)
