"""Policies of portfolios by day: each version holds from its day until the next one begins, as the law does."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import check_scope, consequence, requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.policy.facts import PortfolioPolicySaved
from recobra.policy.kinds import Fault
from recobra.policy.models import FROM_THE_BEGINNING, PortfolioPolicy
from recobra.policy.settings import (
    Policy,
    PolicyUnreadable,
    SettingFault,
    changed_settings,
    read_policy,
    write_policy,
)
from recobra.portfolio.models import Portfolio

_DEFAULT: Final = Policy()
EFFECTIVE_FROM: Final = "effective_from"
"""The name by which a fault speaks of the day of a version."""


class PolicyRefused(Exception):
    """The version is not saved; `faults` names all that is wrong with it, by setting or `EFFECTIVE_FROM`."""

    def __init__(self, faults: Sequence[SettingFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{each.setting}: {each.fault.expected}" for each in faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyHistory:
    """The versions of a portfolio's policy in their order: the first day of each, and the policies beside them."""

    starts: tuple[date, ...] = ()
    policies: tuple[Policy, ...] = ()

    def on(self, day: date) -> Policy:
        """Return the policy in force on a day; before the first version that of the product."""
        in_force = _DEFAULT
        for start, policy in zip(self.starts, self.policies, strict=True):
            if start > day:
                break
            in_force = policy
        return in_force

    def holidays(self) -> frozenset[date]:
        """Return the holidays of all times, each by the version that is in force on it."""
        stated = {holiday.day for policy in self.policies for holiday in policy.holidays}
        return frozenset(day for day in stated if self.on(day).is_holiday(day))


class PolicyHistories(dict[int, PolicyHistory]):
    """The histories of some portfolios by id; one without versions has the product's policy on every day."""

    def __missing__(self, _portfolio_id: int) -> PolicyHistory:
        return PolicyHistory()


def policy_histories(portfolio_ids: Iterable[int]) -> PolicyHistories:
    """Return the policies of some portfolios on every day. One query, for any number of portfolios and days."""
    versions = PortfolioPolicy.objects.filter(portfolio_id__in=list(portfolio_ids))
    rows = versions.order_by("portfolio_id", "effective_from")
    starts: dict[int, list[date]] = defaultdict(list)
    policies: dict[int, list[Policy]] = defaultdict(list)
    for portfolio_id, start, document in rows.values_list("portfolio_id", "effective_from", "document"):
        starts[portfolio_id].append(start)
        policies[portfolio_id].append(_read_stored(json.dumps(document, sort_keys=True)))
    return PolicyHistories(
        {
            portfolio_id: PolicyHistory(starts=tuple(days), policies=tuple(policies[portfolio_id]))
            for portfolio_id, days in starts.items()
        }
    )


def policy_on(portfolio_id: int, day: date) -> Policy:
    """Return the policy of one portfolio on a day. One query: for many portfolios ask `policy_histories`."""
    return policy_histories([portfolio_id])[portfolio_id].on(day)


@lru_cache(maxsize=256)
def _read_stored(document: str) -> Policy:
    """Return the policy of a stored document."""
    # A version in force never changes, so each process reads it once.
    return read_policy(json.loads(document))


@requires(Right.EDIT_RULES)
@transaction.atomic
def save_policy(
    *, portfolio_id: int, effective_from: date | None, document: Mapping[str, Any], actor: Actor
) -> PortfolioPolicy:
    """Save a version that holds from a day on, today or later. Raises PolicyRefused with all faults at once.

    `document` is what `settings.read_policy` reads; a setting that it leaves out has its default. A version of the same
    day is replaced while it is not yet in force. Raises OutOfScope, Portfolio.DoesNotExist.
    """
    # Locked: of two versions saved at once for one day, the second sees the first.
    portfolio = Portfolio.objects.select_for_update(no_key=True).get(pk=portfolio_id)
    check_scope(actor, portfolio.code)
    today = portfolio.local_day(actor.now)
    policy = None
    faults: list[SettingFault] = []
    versions = PortfolioPolicy.objects.filter(portfolio=portfolio)
    existing = versions.filter(effective_from=effective_from).first() if effective_from else None
    if effective_from is None or effective_from < today:
        found = effective_from.isoformat() if effective_from else ""
        expected = _("today or a later day: what is past keeps its policy")
        faults.append(SettingFault(setting=EFFECTIVE_FROM, fault=Fault(found=found, expected=expected)))
    elif existing is not None and effective_from == today:
        expected = _("a later day: a version of this day is in force already")
        fault = Fault(found=effective_from.isoformat(), expected=expected)
        faults.append(SettingFault(setting=EFFECTIVE_FROM, fault=fault))
    try:
        policy = read_policy(document)
    except PolicyUnreadable as unreadable:
        faults += unreadable.faults
    if faults or policy is None or effective_from is None:
        raise PolicyRefused(faults)
    others = versions.exclude(pk=existing.pk) if existing else versions
    before = others.filter(effective_from__lt=effective_from).order_by("effective_from").last()
    changed = changed_settings(read_policy(before.document) if before else _DEFAULT, policy)
    # A version to come that changes nothing any more is how one is taken back.
    if not (changed_settings(read_policy(existing.document), policy) if existing else changed):
        expected = _("at least one setting other than in the version before")
        raise PolicyRefused([SettingFault(setting="", fault=Fault(found=_("no change"), expected=expected))])
    values = {"document": write_policy(policy), "created_at": actor.now, "created_by": actor.name}
    saved, _is_new = PortfolioPolicy.objects.update_or_create(
        portfolio=portfolio, effective_from=effective_from, defaults=values
    )
    _record_saved(saved, [setting.name for setting in changed], actor, replaced=existing is not None)
    return saved


@consequence
@transaction.atomic
def begin_policy(*, portfolio_id: int, settings_of: int | None = None, actor: Actor) -> PortfolioPolicy:
    """Write the first version of a portfolio that has just been opened, for every day.

    It is the product's own, or the one that is in force today of the portfolio `settings_of`.
    """
    policy = _DEFAULT
    if settings_of is not None:
        copied = Portfolio.objects.get(pk=settings_of)
        policy = policy_on(copied.pk, copied.local_day(actor.now))
    saved = PortfolioPolicy.objects.create(
        portfolio_id=portfolio_id,
        effective_from=FROM_THE_BEGINNING,
        document=write_policy(policy),
        created_at=actor.now,
        created_by=actor.name,
    )
    _record_saved(saved, [setting.name for setting in changed_settings(_DEFAULT, policy)], actor, replaced=False)
    return saved


def _record_saved(saved: PortfolioPolicy, changed: list[str], actor: Actor, *, replaced: bool) -> None:
    """Record in the journal that a version was saved."""
    fact = PortfolioPolicySaved(
        policy_id=saved.pk, effective_from=saved.effective_from, changed=changed, replaced=replaced
    )
    record_fact(fact, actor=actor, portfolio_id=saved.portfolio_id)
