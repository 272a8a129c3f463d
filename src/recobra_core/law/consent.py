"""Consent of one channel at a number or address, out of everything that was ever said about it."""

import ibis
import ibis.expr.types as ir


def resolve_consent(
    *, last_word: ir.StringValue, is_denied: ir.BooleanValue, is_granted: ir.BooleanValue, stated: ir.StringValue
) -> ir.StringValue:
    """Return granted, denied or null, by what goes first: the plan of a day and the last check ask alike.

    `last_word` is the latest entry of the ledger about the channel (granted or denied, null without one), `is_denied`
    and `is_granted` what the contact point carries for the channel, `stated` what was loaded for the whole point.
    """
    return ibis.cases(
        (last_word.notnull(), last_word),
        (is_denied.fill_null(False), "denied"),
        (is_granted.fill_null(False), "granted"),
        else_=stated,
    )
