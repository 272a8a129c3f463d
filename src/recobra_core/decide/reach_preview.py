"""How many would this touch today: what a strategy would do, counted before it does it."""

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
    touched = due.inner_join(facts, "account_id")
    ways = plan.candidates.select(
        way_debtor="debtor_id", way_creditor="creditor_id", way_channel="channel", way_track=ibis.literal("message")
    )
    same = [
        touched.debtor_id == ways.way_debtor,
        touched.creditor_id == ways.way_creditor,
        touched.track == ways.way_track,
    ]
    touched = touched.left_join(ways, same)
    channel = ibis.ifelse(touched.track == "message", touched.way_channel.fill_null(UNREACHABLE), ibis.null("string"))
    by = ["strategy_code", "step_key", "order", "track", "channel", "currency"]
    counted = touched.mutate(channel=channel).group_by(by)
    return counted.aggregate(
        accounts=lambda t: t.account_id.nunique(),
        debtors=lambda t: t.debtor_id.nunique(),
        amount_minor=lambda t: t.amount_minor.sum().cast("int64"),
    ).order_by("strategy_code", "order", "channel", "currency")
