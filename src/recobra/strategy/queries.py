"""Public reads of strategies and of the daily cycle.

Documents and runs belong to the installation and hold no personal data; portfolios are always those of the user.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from procrastinate.contrib.django.models import ProcrastinateJob

from recobra.access.queries import User
from recobra.portfolio.models import Account, Portfolio
from recobra.portfolio.queries import portfolios_for
from recobra_core.decide import Strategy, ready

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


def list_runs(*, before: int | None = None, limit: int = 30) -> list[CycleRun]:
    """Return the newest runs; `before` is the id of the last one already shown."""
    runs = CycleRun.objects.order_by("-id")
    return list((runs if before is None else runs.filter(id__lt=before))[:limit])


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
    """Tell if a cycle that a person requested is queued or running."""
    return ProcrastinateJob.objects.filter(task_name="cycle.run", status__in=["todo", "doing"]).exists()
