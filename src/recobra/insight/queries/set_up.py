"""How far an installation is from its first lawful contacts: each step computed from what exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from django.conf import settings
from django.db.models import QuerySet

from recobra.access.queries import User, list_staff
from recobra.intake.models import Load
from recobra.intake.queries import loads_for
from recobra.messaging.models import Provider
from recobra.messaging.templates.missing_facts import MissingFact, find_missing_facts
from recobra.policy.portfolio_policies import policy_on
from recobra.policy.settings import Policy
from recobra.portfolio.models import Creditor, Portfolio
from recobra.portfolio.queries import creditors_for, find_portfolios
from recobra.strategy.models import CycleRun
from recobra.strategy.queries import published_names, strategy_codes


class Step(StrEnum):
    """The steps of the set-up, in their order."""

    CREDITOR = "creditor"
    PORTFOLIO = "portfolio"
    FILE = "file"
    DIAGNOSIS = "diagnosis"
    STRATEGY = "strategy"
    CHANNEL = "channel"
    TEAM = "team"
    DAY = "day"


OPTIONAL: Final = frozenset({Step.TEAM})
"""Steps that may be left for later: one person alone can begin."""


@dataclass(frozen=True, kw_only=True)
class SetUp:
    """What exists of each step. `creditor` and `portfolio` are those that the next step is about, None for none yet.

    `missing` are the details of the creditor without which messages wait. `load` is the first one that is done, `held`
    one that waits for a person. `provider` is a channel's that was tested well; in demonstration mode none is needed.
    `last_run` is the newest cycle that saw the load.
    """

    creditor: Creditor | None
    missing: tuple[MissingFact, ...]
    has_way_to_pay: bool
    portfolio: Portfolio | None
    policy: Policy
    load: Load | None
    held: Load | None
    strategy_code: str
    strategy_name: str
    provider: Provider | None
    untested: Provider | None
    colleagues: int
    last_run: CycleRun | None
    done: frozenset[Step]

    @property
    def next_step(self) -> Step | None:
        """Return the first step that is not done and cannot be left for later, None where the installation works."""
        return next((step for step in Step if step not in self.done | OPTIONAL), None)

    @property
    def done_count(self) -> int:
        """Return how many of the steps that are needed are done."""
        return len(self.done - OPTIONAL)

    @property
    def needed_count(self) -> int:
        """Return how many steps are needed."""
        return len(Step) - len(OPTIONAL)


def has_loaded_portfolio(user: User) -> bool:
    """Tell if any file was loaded into a portfolio that a user may see."""
    return loads_for(user).filter(status=Load.Status.DONE).exists()


def is_unfinished() -> bool:
    """Tell if the installation has not planned a day yet of what was loaded, or has no channel that was tested."""
    load = Load.objects.filter(status=Load.Status.DONE).order_by("pk").first()
    return load is None or _find_run_since(load) is None or not (settings.DEMO or _tested_providers().exists())


def _find_run_since(load: Load) -> CycleRun | None:
    """Return the newest cycle that is done and saw a load: one may have run of itself before there was anything."""
    done = CycleRun.objects.filter(status=CycleRun.Status.DONE, started_at__gte=load.finished_at or load.started_at)
    return done.order_by("-as_of").first()


def _tested_providers() -> QuerySet[Provider]:
    """Return the providers that are on, were tested well, and have not stopped our account."""
    return Provider.objects.filter(enabled=True, stopped_at__isnull=True, tested_well=True).order_by("channel", "rank")


def read_set_up(user: User, *, now: datetime) -> SetUp:
    """Return how far the portfolios of a user are. Nothing of it is stored: it is what exists now."""
    loads = loads_for(user)
    load = loads.filter(status=Load.Status.DONE, portfolio__disabled_at__isnull=True).order_by("pk").first()
    held = loads.filter(status=Load.Status.HELD, portfolio__disabled_at__isnull=True).order_by("-pk").first()
    worked = find_portfolios(user, is_disabled=False).order_by("pk")
    portfolio = load.portfolio if load else worked.first()
    creditor = portfolio.creditor if portfolio else creditors_for(user).filter(disabled_at=None).order_by("pk").first()
    missing: tuple[MissingFact, ...] = ()
    has_way_to_pay = False
    if creditor is not None:
        has_way_to_pay = creditor.has_readable_instructions() and bool(creditor.payment_instructions)
        facts = find_missing_facts(creditor, on=now.date()) if has_way_to_pay else []
        missing = tuple(fact for fact in facts if fact.is_required)
    strategy_code = strategy_codes([portfolio.pk]).get(portfolio.pk, "") if portfolio else ""
    strategy_name = dict(published_names()).get(strategy_code, "")
    provider = _tested_providers().first()
    last_run = _find_run_since(load) if load else None
    colleagues = list_staff().filter(is_active=True).exclude(pk=user.pk).count()
    is_done = {
        Step.CREDITOR: has_way_to_pay and not missing,
        Step.PORTFOLIO: portfolio is not None,
        Step.FILE: load is not None,
        Step.DIAGNOSIS: load is not None and bool(load.diagnosis),
        Step.STRATEGY: bool(strategy_name),
        Step.CHANNEL: settings.DEMO or provider is not None,
        Step.TEAM: colleagues > 0,
        Step.DAY: last_run is not None,
    }
    return SetUp(
        creditor=creditor,
        missing=missing,
        has_way_to_pay=has_way_to_pay,
        portfolio=portfolio,
        policy=policy_on(portfolio.pk, portfolio.local_day(now)) if portfolio else Policy(),
        load=load,
        held=held,
        strategy_code=strategy_code,
        strategy_name=strategy_name,
        provider=provider,
        untested=Provider.objects.order_by("channel", "rank").first() if provider is None else None,
        colleagues=colleagues,
        last_run=last_run,
        done=frozenset(step for step, is_so in is_done.items() if is_so),
    )
