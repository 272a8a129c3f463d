"""Indicators of an account. Those here are read off facts and need no model."""

import ibis
import ibis.expr.types as ir


def contact_level(accounts: ir.Table) -> ir.IntegerValue:
    """How well the debtor can be reached, 0 to 3: one point for each of e-mail, phone and address in use.

    accounts: has_email, has_phone, has_address.
    """
    ways = (accounts.has_email, accounts.has_phone, accounts.has_address)
    return sum((way.ifelse(1, 0) for way in ways), ibis.literal(0)).cast("int64")


def payment_record(accounts: ir.Table) -> ir.StringValue:
    """What the debtor's payments of the last 90 days say: `regular` (two or more), `some` (one), `none`.

    accounts: payments_90d.
    """
    return ibis.cases((accounts.payments_90d >= 2, "regular"), (accounts.payments_90d == 1, "some"), else_="none")
