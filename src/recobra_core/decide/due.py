"""Which steps of a strategy are due today (decision 12): reached or passed, once per account, step and cycle.

One pass over the accounts: each track is one ordered choice among its steps, not a row for every account and step.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from functools import reduce
from operator import and_
from typing import Any

import ibis
import ibis.expr.types as ir

from recobra_core.decide.steps import STAGES, TRACKS, AfterEvent, AfterStep, AtDpd, ChangeStage, Step
from recobra_core.decide.strategy import Strategy
from recobra_core.decide.tables import DUE

_EXPONENTS = range(5)
_NOTHING_FIRED = -1
_TOLD = ("step_key", "action", "track", "message_class", "channels", "title", "queue", "days")


def find_due_steps(accounts: ir.Table, firings: ir.Table, strategy: Strategy, *, as_of: date) -> ir.Table:
    """Return the steps to fire on a day, as `tables.DUE`: at most one per account and track.

    `accounts` holds `tables.ACCOUNTS` and the columns of the strategy's rules; `firings` is `tables.FIRINGS`.
    Within a track only the furthest due step fires, and none before one that has fired in this cycle: a step that
    waits for an event stands in the document where it belongs on the ladder. Held, stopped and unknown accounts
    fire nothing; `silenced` says why.
    """
    speaking = accounts.filter(_reason(accounts, strategy, as_of).isnull())
    ladder = _with_memory(speaking, firings, strategy)
    chosen = {track: _choice(ladder, strategy, track, as_of) for track in _tracks(strategy)}
    due = ladder.mutate(**{f"due_{track}": order for track, order in chosen.items()})
    due = due.filter(ibis.or_(*(due[f"due_{track}"].notnull() for track in chosen)))
    due = due.mutate(order=ibis.array([due[f"due_{track}"] for track in chosen]).unnest())
    return _described(due.filter(due.order.notnull()), strategy)


def find_silenced(accounts: ir.Table, strategy: Strategy, *, as_of: date) -> ir.Table:
    """Return the accounts on which no step may fire on a day, as `tables.SILENCED`.

    The reason is `unknown` (days past due, cycle or hold not known), `held`, or the event that stops:
    `payment`, `promise`, `dispute`, `reply`.
    """
    reasons = accounts.select("account_id", reason=_reason(accounts, strategy, as_of))
    return reasons.filter(reasons.reason.notnull())


def amount_at_stake(accounts: ir.Table) -> ir.IntegerValue:
    """Return what is overdue, or the balance while nothing is."""
    return ibis.ifelse(accounts.dpd > 0, accounts.overdue_minor, accounts.balance_minor)


def _reason(accounts: ir.Table, strategy: Strategy, as_of: date) -> ir.StringValue:
    unknown = accounts.dpd.isnull() | accounts.cycle_date.isnull() | accounts.held.isnull()
    stops = [
        ((accounts[f"last_{event}_on"] >= as_of - timedelta(days)).fill_null(False), event)
        for event, days in strategy.stops.items()
        if days is not None
    ]
    return ibis.cases((unknown, "unknown"), (accounts.held, "held"), *stops, else_=ibis.null("string"))


def _tracks(strategy: Strategy) -> list[str]:
    return [track for track in TRACKS if any(step.do.track == track for step in strategy.steps)]


def _with_memory(accounts: ir.Table, firings: ir.Table, strategy: Strategy) -> ir.Table:
    """Add what has fired in the present cycle: the furthest step of each track and the steps that others await."""
    known = firings.filter(firings.step_key.isin([step.key for step in strategy.steps]))
    known = known.mutate(order=ibis.cases(*((known.step_key == s.key, at) for at, s in enumerate(strategy.steps))))
    remembered = {
        f"furthest_{track}": known.order.max(where=known.order.isin(_orders(strategy, track)))
        for track in _tracks(strategy)
    }
    for order in _recalled(strategy):
        remembered[f"fired_on_{order}"] = known.fired_on.max(where=known.order == order)
        remembered[f"times_{order}"] = known.occurrence.max(where=known.order == order)
    memory = known.group_by(memory_of=known.account_id, memory_cycle=known.cycle_date).aggregate(**remembered)
    same = [accounts.account_id == memory.memory_of, accounts.cycle_date == memory.memory_cycle]
    return accounts.left_join(memory, same)


def _orders(strategy: Strategy, track: str) -> list[int]:
    return [order for order, step in enumerate(strategy.steps) if step.do.track == track]


def _recalled(strategy: Strategy) -> list[int]:
    awaited = {step.when.step for step in strategy.steps if isinstance(step.when, AfterStep)}
    return [order for order, step in enumerate(strategy.steps) if step.repeat or step.key in awaited]


def _choice(ladder: ir.Table, strategy: Strategy, track: str, as_of: date) -> ir.IntegerValue:
    """Return the order of the step to fire on a track, or null."""
    furthest = ladder[f"furthest_{track}"].fill_null(_NOTHING_FIRED)
    cases = []
    for order in reversed(_orders(strategy, track)):
        fresh = furthest < order
        again = _again(ladder, strategy.steps[order], order, as_of)
        fireable = fresh if again is None else fresh | ((furthest == order) & again)
        cases.append(
            (_is_due(ladder, strategy, order, as_of) & fireable.fill_null(False), ibis.literal(order, "int64"))
        )
    return ibis.cases(*cases, else_=ibis.null("int64"))


def _again(ladder: ir.Table, step: Step, order: int, as_of: date) -> ir.BooleanValue | None:
    if step.repeat is None:
        return None
    waited = ladder[f"fired_on_{order}"] <= as_of - timedelta(step.repeat.every_days)
    return waited & (ladder[f"times_{order}"] < step.repeat.times)


def _is_due(ladder: ir.Table, strategy: Strategy, order: int, as_of: date) -> ir.BooleanValue:
    step = strategy.steps[order]
    conditions = [_reached(ladder, strategy, step, as_of)]
    if step.last_dpd is not None:
        conditions.append(ladder.dpd <= step.last_dpd)
    if step.rule is not None:
        conditions.append(step.rule.condition(ladder))
    if step.segments:
        conditions.append(ladder.segment.isin(step.segments))
    if step.stages:
        conditions.append(ladder.stage.isin(step.stages))
    if step.min_amount is not None:
        conditions.append(_amounts_to(ladder, step.min_amount))
    if isinstance(step.do, ChangeStage):
        conditions.append(ladder.stage.isin(_before(step.do.stage)))
    return reduce(and_, conditions).fill_null(False)


def _reached(ladder: ir.Table, strategy: Strategy, step: Step, as_of: date) -> ir.BooleanValue:
    when = step.when
    if isinstance(when, AtDpd):
        return ladder.dpd >= when.days
    latest = as_of - timedelta(when.days)
    if isinstance(when, AfterEvent):
        happened = ladder[f"last_{when.event}_on"]
        # An event of an earlier cycle starts nothing in this one.
        return (happened <= latest) & (happened >= ladder.cycle_date)
    awaited = strategy.steps.index(strategy.step(when.step))
    return ladder[f"fired_on_{awaited}"] <= latest


def _amounts_to(ladder: ir.Table, min_amount: Decimal) -> ir.BooleanValue:
    """Compare what is at stake with an amount in major units."""
    floors = (int((min_amount.scaleb(exponent)).to_integral_value(ROUND_CEILING)) for exponent in _EXPONENTS)
    cases = ((ladder.currency_exponent == exponent, floor) for exponent, floor in enumerate(floors))
    return amount_at_stake(ladder) >= ibis.cases(*cases, else_=ibis.null("int64"))


def _before(stage: str) -> Sequence[str]:
    return STAGES[: STAGES.index(stage)]


def _described(due: ir.Table, strategy: Strategy) -> ir.Table:
    """Write on each due step what it does, so that plans of several strategies can be put together."""
    times = [(due.order == order, due[f"times_{order}"].fill_null(0) + 1) for order in _recalled(strategy)]
    columns: dict[str, ir.Value] = {
        "strategy_code": ibis.literal(strategy.code),
        "occurrence": ibis.cases(*times, else_=1) if times else ibis.literal(1),
    }
    columns |= {name: _told(due, strategy, name) for name in _TOLD}
    columns |= {name: due[name] for name in DUE if name not in columns}
    return due.select(**{name: columns[name].cast(kind) for name, kind in DUE.items()})


def _told(due: ir.Table, strategy: Strategy, name: str) -> ir.Value:
    told = [_facts(step).get(name) for step in strategy.steps]
    cases = [(due.order == order, value) for order, value in enumerate(told) if value is not None]
    return ibis.cases(*cases, else_=ibis.null(DUE[name])) if cases else ibis.null(DUE[name])


def _facts(step: Step) -> dict[str, Any]:
    return {"step_key": step.key, "track": step.do.track, "message_class": step.message_class} | step.do.columns()
