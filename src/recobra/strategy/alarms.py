"""The alarms that apps declare in `alarm_rules.py`, raised and cleared with their cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache
from types import MappingProxyType

from django.db import transaction

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.kit.alarm_rule import AlarmRule, InstallationAlarm, PortfolioAlarm
from recobra.kit.declarations import declared
from recobra.policy.settings import Policy
from recobra.strategy.freshness import fresh_portfolios

from .alarm_rules import STALE_LOAD
from .models import Alarm


@cache
def alarm_rules() -> Mapping[str, AlarmRule]:
    """Return the declared alarms by code."""
    return MappingProxyType({rule.code: rule for rule in declared("alarm_rules", "ALARMS")})


@consequence
@transaction.atomic
def check_freshness(*, policies: Mapping[int, Policy], as_of: date, actor: Actor) -> frozenset[int]:
    """Raise and clear the alarm of portfolios whose last load is too old for contacts; return those portfolios.

    `policies` are those of the portfolios on the day.
    """
    stale = frozenset(policies) - fresh_portfolios(policies, day=as_of)
    _update_alarms(STALE_LOAD, stale, actor.now)
    return stale


@requires(Right.SERVE)
@transaction.atomic
def check_installation(*, actor: Actor) -> None:
    """Raise and clear the alarms of the whole installation."""
    for rule in alarm_rules().values():
        if not isinstance(rule, InstallationAlarm):
            continue
        open_alarms = Alarm.objects.filter(kind=rule.code, portfolio__isnull=True, cleared_at__isnull=True)
        if not rule.has_cause(actor.now - rule.lasting):
            open_alarms.update(cleared_at=actor.now)
        elif not open_alarms.exists():
            Alarm.objects.create(kind=rule.code, text=rule.text, raised_at=actor.now)


@consequence
@transaction.atomic
def check_data(*, portfolio_ids: Iterable[int], actor: Actor) -> None:
    """Raise and clear the alarms of portfolios: gaps in the data, and what waits for a person."""
    checked_ids = frozenset(portfolio_ids)
    for rule in alarm_rules().values():
        if isinstance(rule, PortfolioAlarm) and rule.find is not None:
            alarmed_ids = frozenset(rule.find(actor.now - rule.lasting).order_by().distinct())
            _update_alarms(rule, alarmed_ids & checked_ids, actor.now)


def _update_alarms(rule: PortfolioAlarm, portfolio_ids: frozenset[int], now: datetime) -> None:
    """Leave exactly these portfolios with an open alarm; one that is open already keeps its day."""
    open_alarms = Alarm.objects.filter(kind=rule.code, cleared_at__isnull=True)
    open_alarms.exclude(portfolio_id__in=portfolio_ids).update(cleared_at=now)
    alarmed_ids = set(open_alarms.values_list("portfolio_id", flat=True))
    Alarm.objects.bulk_create(
        Alarm(portfolio_id=pk, kind=rule.code, text=rule.text, raised_at=now)
        for pk in sorted(portfolio_ids - alarmed_ids)
    )
