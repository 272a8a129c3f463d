"""Preview of a strategy's reach: what it would do today, counted before it does it."""

import ibis
import ibis.expr.types as ir

from recobra_core.decide.due import amount_at_stake
from recobra_core.decide.plan import Plan

UNREACHABLE = "unreachable"


def count_reach(due: ir.Table, accounts: ir.Table, plan: Plan) -> ir.Table:
    """Count what is due, by step and channel.

    accounts: account_id, creditor_id, currency, dpd, overdue_minor, balance_minor. Returns strategy_code, step_key,
    order, track, channel (null but for messages; `unreachable` where nobody can be reached), currency, accounts,
    debtors, amount_minor: what is overdue, or the balance where nothing is yet.
    """
    facts = accounts.select("account_id", "creditor_id", "currency", amount_minor=amount_at_stake(accounts))
    affected = due.inner_join(facts, "account_id")
    contacts = plan.candidates.select(
        contact_debtor="debtor_id",
        contact_creditor="creditor_id",
        contact_channel="channel",
        contact_track=ibis.literal("message"),
    )
    # A debtor has one contact for all due messages; other tracks have no channel.
    same_debtor = [
        affected.debtor_id == contacts.contact_debtor,
        affected.creditor_id == contacts.contact_creditor,
        affected.track == contacts.contact_track,
    ]
    affected = affected.left_join(contacts, same_debtor)
    message_channel = affected.contact_channel.fill_null(UNREACHABLE)
    channel = ibis.ifelse(affected.track == "message", message_channel, ibis.null("string"))
    by = ["strategy_code", "step_key", "order", "track", "channel", "currency"]
    counted = affected.mutate(channel=channel).group_by(by)
    return counted.aggregate(
        accounts=lambda steps: steps.account_id.nunique(),
        debtors=lambda steps: steps.debtor_id.nunique(),
        amount_minor=lambda steps: steps.amount_minor.sum().cast("int64"),
    ).order_by("strategy_code", "order", "channel", "currency")
