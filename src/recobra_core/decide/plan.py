"""Plan of contacts out of due steps: one per debtor and creditor, by the best contact point (decision 11)."""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from recobra_core.days import AsOf, day_value

CHANNELS_OPEN = ("email",)

# Levels: how far each contact point gets. The best one of a debtor says why nobody can be reached.
_NO_POINT = 0
_CHANNEL_NOT_OPEN = 1
_NO_TEMPLATE = 2
_POINT_NOT_VALID = 3
_OPTED_OUT = 4
_REACHABLE = 5
UNREACHABLE_REASONS = {
    _NO_POINT: "no_point",
    _CHANNEL_NOT_OPEN: "channel_not_open",
    _NO_TEMPLATE: "no_template",
    _POINT_NOT_VALID: "point_not_valid",
    _OPTED_OUT: "opted_out",
}
# Stands for a missing rank: after every real one.
_LAST_RANK = 2**31 - 1


@dataclass(frozen=True)
class Plan:
    """Contacts of a day's messages. Every due message step stands in `items` exactly once.

    candidates: what the gate asks of a contact but its instant (`local_date`, `at_utc`): candidate_id, debtor_id,
        creditor_id (these two together unique), account_id (null: the message is about everything overdue), country,
        subdivision, zones, channel, opted_out, consent, held, hold_reason, point_valid; and portfolio_id,
        contact_point_id, lead_account_id, lead_step_key, strategy_code, template_code, message_class, planned_on.
        The lead is the account with the most days past due.
    items: the firings that each contact carries: debtor_id, creditor_id, account_id, step_key, occurrence,
        cycle_date, reachable.
    unreachable: debtor_id, creditor_id, portfolio_id, lead_account_id, lead_step_key, reason. A task for a person;
        its items fire too, so that it is created once.
        Reasons: no_point, channel_not_open, no_template, point_not_valid, opted_out (also where not known).
    reached: the lead of each debtor and creditor with its best contact point, of which the other three are made.
    """

    candidates: ir.Table
    items: ir.Table
    unreachable: ir.Table
    reached: ir.Table


def plan_contacts(
    due: ir.Table,
    accounts: ir.Table,
    points: ir.Table,
    templates: ir.Table,
    *,
    as_of: AsOf,
    channels_open: tuple[str, ...] = CHANNELS_OPEN,
    stored: ir.Table | None = None,
) -> Plan:
    """Plan one contact per debtor and creditor out of `tables.DUE`, with everything that is due today.

    accounts: account_id, creditor_id, dpd, country, subdivision, zones, held.
    points: contact_point_id, debtor_id, channel, valid, opted_out, consent, quality, place, rank (lower goes first),
        preferred (the debtor asked for this channel: it goes first among those the step allows).
    templates: template_code, channel: what can be sent, and how.
    stored: a table of the engine with the rows of `Plan.reached`, so that they are worked out once for the other three.
    The tables share their source: keep `due` as a table of the engine before evaluating them.
    """
    facts = accounts.select("account_id", "creditor_id", "dpd", "country", "subdivision", "zones", "held")
    messages = due.filter(due.track == "message").inner_join(facts, "account_id")
    # The most severe due step of each debtor and creditor leads the message.
    severity = [messages.dpd.desc(), messages.order.desc(), messages.account_id]
    window = ibis.window(group_by=[messages.debtor_id, messages.creditor_id], order_by=severity)
    ranked = messages.mutate(place=ibis.row_number().over(window))
    leads = ranked.filter(ranked.place == 0).drop("place")
    found = _add_best_point(leads, points, templates, channels_open)
    reached = found if stored is None else stored
    is_reachable = reached.level == _REACHABLE
    reachable = reached.select("debtor_id", "creditor_id", reachable=is_reachable)
    items = messages.inner_join(reachable, ["debtor_id", "creditor_id"]).select(
        "debtor_id", "creditor_id", "account_id", "step_key", "occurrence", "cycle_date", "reachable"
    )
    failed = reached.filter(~is_reachable)
    reasons = [(failed.level == level, reason) for level, reason in UNREACHABLE_REASONS.items()]
    unreachable = failed.select(
        "debtor_id",
        "creditor_id",
        "portfolio_id",
        lead_account_id=failed.account_id,
        lead_step_key=failed.step_key,
        reason=ibis.cases(*reasons, else_=UNREACHABLE_REASONS[_NO_POINT]),
    )
    candidates = _build_candidates(reached.filter(is_reachable), as_of)
    return Plan(candidates=candidates, items=items, unreachable=unreachable, reached=found)


def plan_tasks(due: ir.Table) -> ir.Table:
    """Return the tasks to create: the account, the step that asks, kind, title, queue and days until due."""
    tasks = due.filter(due.track == "task")
    return _select_firings(tasks, kind=tasks.action, title=tasks.title, queue=tasks.queue, due_in_days=tasks.days)


def plan_stage_changes(due: ir.Table) -> ir.Table:
    """Return the changes of stage: the account, the step that moves it and the new stage."""
    changes = due.filter(due.track == "stage")
    return _select_firings(changes, stage=changes.action)


def plan_holds(due: ir.Table) -> ir.Table:
    """Return the holds to set: the account, the step that asks, the reason and the length in days."""
    holds = due.filter(due.track == "hold")
    return _select_firings(holds, reason=holds.action, days=holds.days)


def _select_firings(due: ir.Table, **columns: ir.Value) -> ir.Table:
    """Return the identity of each firing and the given columns."""
    identity = ["account_id", "debtor_id", "portfolio_id", "strategy_code", "step_key", "occurrence", "cycle_date"]
    return due.select(*identity, **columns)


def _add_best_point(leads: ir.Table, points: ir.Table, templates: ir.Table, channels_open: tuple[str, ...]) -> ir.Table:
    """Add to each lead its best contact point and its `level`, _NO_POINT where there is none."""
    options = _pair_points(leads, points, templates, channels_open)
    # The last column decides between equals, so that every engine and rerun chooses the same.
    best = [
        options.level.desc(),
        options.preference,
        options.quality.fill_null(-1).desc(),
        options["rank"].fill_null(_LAST_RANK),
        options.contact_point_id,
    ]
    window = ibis.window(group_by=[options.debtor_id, options.creditor_id], order_by=best)
    ranked = options.mutate(nth=ibis.row_number().over(window))
    chosen = ranked.filter(ranked.nth == 0).select(
        "contact_point_id",
        "channel",
        "opted_out",
        "consent",
        "place",
        "level",
        point_valid=ranked.valid,
        chosen_debtor=ranked.debtor_id,
        chosen_creditor=ranked.creditor_id,
    )
    same_debtor = [leads.debtor_id == chosen.chosen_debtor, leads.creditor_id == chosen.chosen_creditor]
    reached = leads.left_join(chosen, same_debtor)
    return reached.mutate(level=reached.level.fill_null(_NO_POINT))


def _pair_points(leads: ir.Table, points: ir.Table, templates: ir.Table, channels_open: tuple[str, ...]) -> ir.Table:
    """Pair each lead with the points of the channels its step allows; add `preference` and `level`."""
    wanted = leads.select("debtor_id", "creditor_id", "action", "channels")
    columns = [
        "contact_point_id",
        "debtor_id",
        "channel",
        "valid",
        "opted_out",
        "consent",
        "quality",
        "rank",
        "place",
        "preferred",
    ]
    pairs = wanted.inner_join(points.select(*columns), "debtor_id")
    # The place of the channel in the step's list; -1 is nowhere.
    pairs = pairs.mutate(preference=pairs.channels.index(pairs.channel))
    pairs = pairs.filter(pairs.preference >= 0)
    # The channel that the debtor asked for goes before the order of the step.
    pairs = pairs.mutate(preference=pairs.preferred.fill_null(False).ifelse(-1, pairs.preference))
    ready = templates.select(ready_template="template_code", ready_channel="channel").distinct()
    pairs = pairs.left_join(ready, [pairs.action == ready.ready_template, pairs.channel == ready.ready_channel])
    is_open = pairs.channel.isin(channels_open) if channels_open else ibis.literal(False)
    # In this order, so that the highest level is what stands closest to the debtor being reached.
    level = ibis.cases(
        (~is_open, _CHANNEL_NOT_OPEN),
        (pairs.ready_template.isnull(), _NO_TEMPLATE),
        (~pairs.valid.fill_null(False), _POINT_NOT_VALID),
        (pairs.opted_out.fill_null(True), _OPTED_OUT),
        else_=_REACHABLE,
    )
    return pairs.mutate(level=level.cast("int64"))


def _build_candidates(reached: ir.Table, as_of: AsOf) -> ir.Table:
    """Return the reachable leads in the shape of `Plan.candidates`."""
    order = ibis.window(order_by=[reached.debtor_id, reached.creditor_id])
    return reached.select(
        "debtor_id",
        "creditor_id",
        "portfolio_id",
        "contact_point_id",
        "channel",
        "strategy_code",
        "message_class",
        "country",
        "subdivision",
        "zones",
        "opted_out",
        "consent",
        "held",
        "point_valid",
        "place",
        candidate_id=ibis.row_number().over(order),
        # One message about everything overdue: no single account, and no hold, or the step would not be due.
        account_id=ibis.null("int64"),
        hold_reason=ibis.null("string"),
        lead_account_id=reached.account_id,
        lead_step_key=reached.step_key,
        template_code=reached.action,
        planned_on=day_value(as_of),
    )
