"""Indicators of an account. Those here are read off facts and need no model."""

import ibis
import ibis.expr.types as ir


def contact_level(accounts: ir.Table) -> ir.IntegerValue:
    """Return how well the debtor can be reached, 0 to 3: one point for each of e-mail, phone and address in use.

    accounts: has_email, has_phone, has_address.
    """
    has_points = (accounts.has_email, accounts.has_phone, accounts.has_address)
    points = [has_point.ifelse(1, 0) for has_point in has_points]
    return sum(points, ibis.literal(0)).cast("int64")


def payment_record(accounts: ir.Table) -> ir.StringValue:
    """Return the record of the debtor's payments in the last 90 days: `regular` (two or more), `some` (one), `none`.

    accounts: payments_90d.
    """
    return ibis.cases((accounts.payments_90d >= 2, "regular"), (accounts.payments_90d == 1, "some"), else_="none")
