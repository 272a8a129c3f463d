"""Readers of payments that return Arrow tables, each with the schema above it."""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pyarrow as pa

from recobra.kit import tables
from recobra.portfolio.models import Portfolio

RETURNED = pa.schema([("account_id", pa.int64()), ("amount_minor", pa.int64())])


def read_returned_money(portfolio: Portfolio, *, as_of: date) -> pa.Table:
    """Return by account the payments up to a day that were reversed on it or later (schema RETURNED).

    Who wrote a balance on that day may still have counted them. What a load had inferred was no payment of its own.
    """
    begins_at = datetime.combine(as_of, time.min, ZoneInfo(portfolio.time_zone))
    query = """
        SELECT posting.account_id, sum(posting.amount_minor)::bigint
        FROM payments_payment payment
        -- Postings are found by their account.
        JOIN portfolio_account account
            ON account.debtor_id = payment.debtor_id AND account.portfolio_id = payment.portfolio_id
        JOIN portfolio_posting posting
            ON posting.account_id = account.id AND posting.payment_id = payment.id AND posting.reverses_id IS NOT NULL
        WHERE payment.portfolio_id = %s AND payment.source <> 'INFERRED'
            AND payment.paid_date <= %s AND payment.reversed_at >= %s
        GROUP BY posting.account_id"""
    return tables.fetch(query, [portfolio.pk, as_of, begins_at], RETURNED)
