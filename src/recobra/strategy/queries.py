"""Public reads of strategies and of the daily cycle.

Documents and runs belong to the installation and hold no personal data; portfolios are always those of the user.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models import Count, Q
from procrastinate.contrib.django.models import ProcrastinateJob

from recobra.access.queries import User, portfolio_codes
from recobra.journal.queries import count_facts
from recobra.messaging.models import Contact
from recobra.portfolio.models import Account, Portfolio
from recobra.portfolio.queries import portfolios_for
from recobra.workbench.models import Task
from recobra_core.decide import Strategy, ready

from .facts import StageChanged
from .models import Assignment, CycleStep
from .models import CycleRun as CycleRun  # noqa: PLC0414 - the doors name the types from here
from .models import StrategyVersion as StrategyVersion  # noqa: PLC0414
from .operations.cycle import STEPS
from .policies import rule_catalogue as rule_catalogue  # noqa: PLC0414 - doors ask the queries for it

Status = StrategyVersion.Status


@dataclass(frozen=True, kw_only=True)
class StrategyListing:
    """A strategy with its versions, newest first, and the user's portfolios that follow it."""

    code: str
    versions: list[StrategyVersion]
    portfolios: list[Portfolio]

    @property
    def published(self) -> StrategyVersion | None:
        """Return the version in force."""
        return self._version_with(Status.PUBLISHED)

    @property
    def draft(self) -> StrategyVersion | None:
        """Return the version being written."""
        return self._version_with(Status.DRAFT)

    @property
    def shown(self) -> StrategyVersion:
        """Return the version to show for the strategy: the one in force, else the newest."""
        return self.published or self.versions[0]

    def _version_with(self, status: str) -> StrategyVersion | None:
        return next((version for version in self.versions if version.status == status), None)


def strategies_for(user: User) -> list[StrategyListing]:
    """Return every strategy by code."""
    by_code: dict[str, list[StrategyVersion]] = {}
    for version in StrategyVersion.objects.order_by("code", "-number"):
        by_code.setdefault(version.code, []).append(version)
    return [
        StrategyListing(code=code, versions=versions, portfolios=portfolios_following(user, code))
        for code, versions in by_code.items()
    ]


def strategy_for(user: User, code: str) -> StrategyListing:
    """Return one strategy. Raises StrategyVersion.DoesNotExist."""
    versions = list(StrategyVersion.objects.filter(code=code).order_by("-number"))
    if not versions:
        raise StrategyVersion.DoesNotExist(code)
    return StrategyListing(code=code, versions=versions, portfolios=portfolios_following(user, code))


def get_version(code: str, number: int) -> StrategyVersion:
    """Return one version. Raises StrategyVersion.DoesNotExist."""
    return StrategyVersion.objects.get(code=code, number=number)


def portfolios_following(user: User, code: str) -> list[Portfolio]:
    """Return the user's portfolios that follow a strategy."""
    ids = set(Assignment.objects.filter(strategy_code=code, active=True).values_list("portfolio_id", flat=True))
    return [portfolio for portfolio in portfolios_for(user) if portfolio.pk in ids]


def assignments_for(user: User) -> list[tuple[Portfolio, str]]:
    """Return the user's portfolios, each with the code of the strategy it follows or nothing."""
    codes = dict(Assignment.objects.filter(active=True).values_list("portfolio_id", "strategy_code"))
    return [(portfolio, codes.get(portfolio.pk, "")) for portfolio in portfolios_for(user)]


def strategy_codes(portfolio_ids: Sequence[int]) -> dict[int, str]:
    """Return the code of the strategy that each of some portfolios follows; one without a strategy is left out."""
    followed = Assignment.objects.filter(active=True, portfolio__in=portfolio_ids)
    return dict(followed.values_list("portfolio_id", "strategy_code"))


def published_names() -> list[tuple[str, str]]:
    """Return the code and the name of every strategy in force, by code."""
    published = StrategyVersion.objects.filter(status=Status.PUBLISHED).order_by("code")
    return [(code, str(document.get("name", code))) for code, document in published.values_list("code", "document")]


def accounts_following(code: str) -> int:
    """Return how many open accounts of the whole installation follow a strategy."""
    ids = Assignment.objects.filter(strategy_code=code, active=True).values("portfolio_id")
    return Account.objects.filter(portfolio__in=ids, status=Account.Status.OPEN).count()


def parse_strategy(document: object) -> Strategy:
    """Read a document against this installation's columns. Raises DocumentError with all problems."""
    return Strategy.parse(document, catalogue=rule_catalogue())


def ready_made_strategies() -> list[Strategy]:
    """Return the strategies that come with the product, to start from."""
    return [ready.load_strategy(name) for name in ready.CODES]


# The daily cycle

_FIGURES: Final = ("contacts_planned", "contacts_blocked", "tasks_created", "transitions")


@dataclass(frozen=True, kw_only=True)
class RunFigures:
    """A run of the cycle with its figures, as far as a user may see them."""

    run: CycleRun
    contacts_planned: int
    contacts_blocked: int
    tasks_created: int
    transitions: int


def accounts_in_cycle() -> int:
    """Return how many open accounts a cycle classifies."""
    return Account.objects.filter(status=Account.Status.OPEN).count()


def list_runs(*, before: int | None = None, limit: int = 30) -> list[CycleRun]:
    """Return the newest runs; `before` is the id of the last one already shown."""
    runs = CycleRun.objects.order_by("-id")
    return list((runs if before is None else runs.filter(id__lt=before))[:limit])


def figures_of(user: User, runs: Sequence[CycleRun]) -> list[RunFigures]:
    """Return the figures of runs, in their order: as the run wrote them, or counted in the portfolios of the user."""
    if portfolio_codes(user) is None:
        return [RunFigures(run=run, **{name: run.figures.get(name, 0) for name in _FIGURES}) for run in runs]
    portfolio_ids = [portfolio.pk for portfolio in portfolios_for(user)]
    begun = [run.started_at for run in runs]
    own = Contact.objects.filter(portfolio__in=portfolio_ids, planned_for__in=[run.as_of for run in runs])
    planned = own.exclude(purpose__in=[Contact.Purpose.REPLY, Contact.Purpose.MANUAL])
    is_blocked = Q(status=Contact.Status.BLOCKED)
    by_day = {
        day: (allowed, blocked)
        for day, allowed, blocked in planned.order_by()
        .values("planned_for")
        .annotate(allowed=Count("pk", filter=~is_blocked), blocked=Count("pk", filter=is_blocked))
        .values_list("planned_for", "allowed", "blocked")
    }
    own_tasks = Task.objects.filter(portfolio__in=portfolio_ids, created_at__in=begun).order_by()
    tasks = dict(own_tasks.values("created_at").annotate(count=Count("pk")).values_list("created_at", "count"))
    moves = count_facts(StageChanged.kind, portfolio_ids=portfolio_ids, at=begun)
    figures = []
    for run in runs:
        allowed, blocked = by_day.get(run.as_of, (0, 0))
        figures.append(
            RunFigures(
                run=run,
                contacts_planned=allowed,
                contacts_blocked=blocked,
                tasks_created=tasks.get(run.started_at, 0),
                transitions=moves.get(run.started_at, 0),
            )
        )
    return figures


def get_run(run_id: int) -> CycleRun:
    """Return one run. Raises CycleRun.DoesNotExist."""
    return CycleRun.objects.get(pk=run_id)


def latest_run() -> CycleRun | None:
    """Return the newest run, in any status."""
    return CycleRun.objects.order_by("-id").first()


def steps_of(run: CycleRun) -> list[tuple[str, CycleStep | None]]:
    """Return the named steps in order, each with its row once it has begun."""
    rows = {step.name: step for step in run.steps.all()}
    return [(name, rows.get(name)) for name in STEPS]


def latest_day() -> date | None:
    """Return the latest day whose cycle is done."""
    done = CycleRun.objects.filter(status=CycleRun.Status.DONE).order_by("-as_of").first()
    return done.as_of if done else None


def is_cycle_queued() -> bool:
    """Tell if a cycle that a person requested, or the taking back of a day, is queued or running."""
    names = ["cycle.run", "cycle.take_back"]
    return ProcrastinateJob.objects.filter(task_name__in=names, status__in=["todo", "doing"]).exists()
