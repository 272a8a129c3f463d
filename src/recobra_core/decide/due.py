"""Due steps of a strategy (decision 12): reached or passed, once per account, step and cycle.

One pass over the accounts: each track is one ordered choice among its steps, not a row for every account and step.
"""

from decimal import ROUND_CEILING
from functools import reduce
from operator import and_
from typing import Any

import ibis
import ibis.expr.types as ir

from recobra_core.days import AsOf, days_before
from recobra_core.decide.steps import STAGES, TRACKS, AfterEvent, AfterStep, AtDpd, ChangeStage, Step
from recobra_core.decide.strategy import Strategy
from recobra_core.decide.tables import DUE

# Currencies of ISO 4217 keep 0 to 4 decimals.
_EXPONENTS = range(5)
_NOTHING_FIRED = -1
_STEP_COLUMNS = ("step_key", "action", "track", "message_class", "channels", "title", "queue", "days")


def find_due_steps(accounts: ir.Table, firings: ir.Table, strategy: Strategy, *, as_of: AsOf) -> ir.Table:
    """Return the steps to fire on a day, as `tables.DUE`: at most one per account and track.

    `accounts` holds `tables.ACCOUNTS` and the columns of the strategy's rules; `firings` is `tables.FIRINGS`.
    Within a track only the furthest due step fires, and none before one that has fired in this cycle: a step that
    waits for an event stands in the document where it belongs on the ladder. Held, stopped and unknown accounts
    fire nothing; `find_silenced` says why.
    """
    unsilenced = accounts.filter(_silence_reason(accounts, strategy, as_of).isnull())
    with_firings = _add_firings(unsilenced, firings, strategy)
    chosen = {track: _choose_step(with_firings, strategy, track, as_of) for track in _used_tracks(strategy)}
    due = with_firings.mutate(**{f"due_{track}": order for track, order in chosen.items()})
    # Most accounts have nothing due: they go before each of the others becomes a row per track.
    is_any_due = ibis.or_(*(due[f"due_{track}"].notnull() for track in chosen))
    due = due.filter(is_any_due)
    orders = ibis.array([due[f"due_{track}"] for track in chosen])
    due = due.mutate(order=orders.unnest())
    return _describe_steps(due.filter(due.order.notnull()), strategy)


def find_silenced(accounts: ir.Table, strategy: Strategy, *, as_of: AsOf) -> ir.Table:
    """Return the accounts on which no step may fire on a day, as `tables.SILENCED`.

    The reason is `unknown` (days past due, cycle or hold not known), `held`, or the event that stops:
    `payment`, `promise`, `dispute`, `reply`.
    """
    reasons = accounts.select("account_id", reason=_silence_reason(accounts, strategy, as_of))
    return reasons.filter(reasons.reason.notnull())


def amount_at_stake(accounts: ir.Table) -> ir.IntegerValue:
    """Return what is overdue, or the balance while nothing is; in minor units."""
    return ibis.ifelse(accounts.dpd > 0, accounts.overdue_minor, accounts.balance_minor)


def _silence_reason(accounts: ir.Table, strategy: Strategy, as_of: AsOf) -> ir.StringValue:
    """Return why no step may fire on each account (see `find_silenced`), null where one may."""
    # Unknown comes first: a null `held` would let the account through.
    unknown = accounts.dpd.isnull() | accounts.cycle_date.isnull() | accounts.held.isnull()
    stops = []
    for event, days in strategy.stops.items():
        # Without a number of days the event sets a hold, which `held` shows.
        if days is not None:
            is_recent = accounts[f"last_{event}_on"] >= days_before(as_of, days)
            stops.append((is_recent.fill_null(False), event))
    return ibis.cases((unknown, "unknown"), (accounts.held, "held"), *stops, else_=ibis.null("string"))


def _used_tracks(strategy: Strategy) -> list[str]:
    """Return the tracks on which the strategy has steps, in the order of TRACKS."""
    used = {step.do.track for step in strategy.steps}
    return [track for track in TRACKS if track in used]


def _add_firings(accounts: ir.Table, firings: ir.Table, strategy: Strategy) -> ir.Table:
    """Add what has fired in the present cycle: the furthest step of each track and the steps that others await."""
    # Firings of steps that this version no longer has say nothing about its ladder.
    known = firings.filter(firings.step_key.isin([step.key for step in strategy.steps]))
    orders = [(known.step_key == step.key, order) for order, step in enumerate(strategy.steps)]
    known = known.mutate(order=ibis.cases(*orders))
    columns = {}
    for track in _used_tracks(strategy):
        in_track = known.order.isin(_track_orders(strategy, track))
        columns[f"furthest_{track}"] = known.order.max(where=in_track)
    for order in _remembered_orders(strategy):
        columns[f"fired_on_{order}"] = known.fired_on.max(where=known.order == order)
        columns[f"times_{order}"] = known.occurrence.max(where=known.order == order)
    past = known.group_by(past_account=known.account_id, past_cycle=known.cycle_date).aggregate(**columns)
    same_cycle = [accounts.account_id == past.past_account, accounts.cycle_date == past.past_cycle]
    return accounts.left_join(past, same_cycle)


def _track_orders(strategy: Strategy, track: str) -> list[int]:
    """Return the positions, in the whole strategy, of the steps of a track."""
    return [order for order, step in enumerate(strategy.steps) if step.do.track == track]


def _remembered_orders(strategy: Strategy) -> list[int]:
    """Return the steps whose own firings matter: those that repeat and those that others wait for."""
    awaited = {step.when.step for step in strategy.steps if isinstance(step.when, AfterStep)}
    return [order for order, step in enumerate(strategy.steps) if step.repeat or step.key in awaited]


def _choose_step(accounts: ir.Table, strategy: Strategy, track: str, as_of: AsOf) -> ir.IntegerValue:
    """Return the order of the step to fire on a track, or null. `accounts` come from `_add_firings`."""
    furthest = accounts[f"furthest_{track}"].fill_null(_NOTHING_FIRED)
    cases = []
    # From the last step back: the furthest one that is due goes before all others.
    for order in reversed(_track_orders(strategy, track)):
        may_fire = furthest < order
        repeat = strategy.steps[order].repeat
        if repeat is not None:
            has_waited = accounts[f"fired_on_{order}"] <= days_before(as_of, repeat.every_days)
            may_repeat = has_waited & (accounts[f"times_{order}"] < repeat.times)
            may_fire |= (furthest == order) & may_repeat
        is_due = _is_due(accounts, strategy, order, as_of)
        cases.append((is_due & may_fire.fill_null(False), ibis.literal(order, "int64")))
    return ibis.cases(*cases, else_=ibis.null("int64"))


def _is_due(accounts: ir.Table, strategy: Strategy, order: int, as_of: AsOf) -> ir.BooleanValue:
    """Return whether the step at position `order` is due on each account; false where that is unknown."""
    step = strategy.steps[order]
    conditions = [_is_reached(accounts, strategy, step, as_of)]
    if step.last_dpd is not None:
        conditions.append(accounts.dpd <= step.last_dpd)
    if step.rule is not None:
        conditions.append(step.rule.condition(accounts))
    if step.segments:
        conditions.append(accounts.segment.isin(step.segments))
    if step.stages:
        conditions.append(accounts.stage.isin(step.stages))
    if step.min_amount is not None:
        # The amount is in major units; each exponent gives it a floor of its own in minor ones.
        floors = []
        for exponent in _EXPONENTS:
            floor = step.min_amount.scaleb(exponent).to_integral_value(ROUND_CEILING)
            floors.append((accounts.currency_exponent == exponent, int(floor)))
        conditions.append(amount_at_stake(accounts) >= ibis.cases(*floors, else_=ibis.null("int64")))
    if isinstance(step.do, ChangeStage):
        # Steps only move an account forward.
        earlier_stages = STAGES[: STAGES.index(step.do.stage)]
        conditions.append(accounts.stage.isin(earlier_stages))
    # A step whose condition is not known does not fire.
    return reduce(and_, conditions).fill_null(False)


def _is_reached(accounts: ir.Table, strategy: Strategy, step: Step, as_of: AsOf) -> ir.BooleanValue:
    """Return whether the moment of a step has come on each account; null where that is unknown."""
    when = step.when
    if isinstance(when, AtDpd):
        return accounts.dpd >= when.days
    latest = days_before(as_of, when.days)
    if isinstance(when, AfterEvent):
        happened_on = accounts[f"last_{when.event}_on"]
        # An event of an earlier cycle starts nothing in this one.
        return (happened_on <= latest) & (happened_on >= accounts.cycle_date)
    awaited = strategy.steps.index(strategy.step(when.step))
    return accounts[f"fired_on_{awaited}"] <= latest


def _describe_steps(due: ir.Table, strategy: Strategy) -> ir.Table:
    """Write on each due step what it does, so that plans of several strategies can be put together."""
    times = [(due.order == order, due[f"times_{order}"].fill_null(0) + 1) for order in _remembered_orders(strategy)]
    columns: dict[str, ir.Value] = {
        "strategy_code": ibis.literal(strategy.code),
        "occurrence": ibis.cases(*times, else_=1) if times else ibis.literal(1),
    }
    steps: list[dict[str, Any]] = [
        {"step_key": step.key, "track": step.do.track, "message_class": step.message_class} | step.do.columns()
        for step in strategy.steps
    ]
    for name in _STEP_COLUMNS:
        values = [step.get(name) for step in steps]
        kind = DUE[name]
        cases = [
            (due.order == order, ibis.literal(value, kind)) for order, value in enumerate(values) if value is not None
        ]
        null = ibis.null(kind)
        # A column that no step of the strategy fills is null throughout.
        columns[name] = ibis.cases(*cases, else_=null) if cases else null
    columns |= {name: due[name] for name in DUE if name not in columns}
    # Cast to the schema: the union of strategies needs the same kinds in the same order.
    return due.select(**{name: columns[name].cast(kind) for name, kind in DUE.items()})
