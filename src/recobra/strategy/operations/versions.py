"""Versions of a strategy: draft, published, retired. A published one is never edited."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.kit.language import screen_language
from recobra.portfolio.models import Portfolio
from recobra.portfolio.scope import check_portfolio
from recobra.strategy.facts import StrategyAssigned, StrategyDraftSaved, StrategyPublished, StrategyRetired
from recobra.strategy.models import Assignment, StrategyVersion
from recobra.strategy.policies import rule_catalogue
from recobra_core.decide import ready
from recobra_core.decide.strategy import Strategy
from recobra_core.documents import DocumentError

Status = StrategyVersion.Status


class StrategyRefused(Exception):
    """The strategy cannot be saved, published or assigned; `problems` are shown as they are."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


def check_document(document: Any) -> Strategy:
    """Parse a strategy document with the columns of this installation. Raises StrategyRefused."""
    try:
        return Strategy.parse(document, catalogue=rule_catalogue())
    except DocumentError as error:
        raise StrategyRefused(error.messages(screen_language())) from error


@requires(Right.EDIT_STRATEGIES)
@transaction.atomic
def save_draft(*, document: Any, actor: Actor) -> StrategyVersion:
    """Save a document as the draft of its strategy, in place of an earlier draft. Raises StrategyRefused."""
    strategy = check_document(document)
    versions = StrategyVersion.objects.select_for_update().filter(code=strategy.code)
    draft = versions.filter(status=Status.DRAFT).first()
    if draft is None:
        newest = versions.order_by("-number").first()
        number = newest.number + 1 if newest else 1
        draft = StrategyVersion(code=strategy.code, number=number, status=Status.DRAFT)
    draft.document = strategy.to_document()
    draft.objective = strategy.objective or ""
    draft.created_at = actor.now
    draft.created_by = actor.name
    draft.save()
    _record_fact(StrategyDraftSaved, draft, actor)
    return draft


@requires(Right.EDIT_STRATEGIES)
@transaction.atomic
def publish_version(*, version_id: int, actor: Actor) -> StrategyVersion:
    """Put a draft in force; the version before it retires. Raises StrategyRefused."""
    version = StrategyVersion.objects.select_for_update().get(pk=version_id)
    if version.status != Status.DRAFT:
        raise StrategyRefused([_("Only a draft can be published.")])
    check_document(version.document)
    StrategyVersion.objects.filter(code=version.code, status=Status.PUBLISHED).update(
        status=Status.RETIRED, retired_at=actor.now
    )
    version.status = Status.PUBLISHED
    version.published_at = actor.now
    version.published_by = actor.name
    version.save()
    _record_fact(StrategyPublished, version, actor)
    return version


@requires(Right.EDIT_STRATEGIES)
@transaction.atomic
def retire_version(*, version_id: int, actor: Actor) -> StrategyVersion:
    """Take a version out of force; its portfolios have no strategy until another is published."""
    version = StrategyVersion.objects.select_for_update().get(pk=version_id)
    if version.status == Status.RETIRED:
        raise StrategyRefused([_("The version is retired already.")])
    version.status = Status.RETIRED
    version.retired_at = actor.now
    version.save()
    _record_fact(StrategyRetired, version, actor)
    return version


@requires(Right.EDIT_STRATEGIES)
@transaction.atomic
def assign_strategy(*, portfolio_id: int, code: str, actor: Actor) -> Assignment:
    """Let a portfolio follow a strategy from the next cycle on. Raises StrategyRefused."""
    check_portfolio(actor, portfolio_id)
    if not StrategyVersion.objects.filter(code=code, status=Status.PUBLISHED).exists():
        raise StrategyRefused([_("The strategy «%(code)s» has no published version.") % {"code": code}])
    portfolio = Portfolio.objects.get(pk=portfolio_id)
    assignment, _is_new = Assignment.objects.update_or_create(
        portfolio=portfolio, defaults={"strategy_code": code, "active": True}
    )
    record_fact(StrategyAssigned(code=code), actor=actor, portfolio_id=portfolio_id)
    return assignment


@requires(Right.EDIT_STRATEGIES)
@transaction.atomic
def ensure_ready_made(*, actor: Actor) -> list[str]:
    """Publish the ready-made strategies that the installation does not have yet; return their codes."""
    published = []
    for name in ready.CODES:
        strategy = ready.load_strategy(name)
        if StrategyVersion.objects.filter(code=strategy.code).exists():
            continue
        draft = save_draft(document=strategy.to_document(), actor=actor)
        publish_version(version_id=draft.pk, actor=actor)
        published.append(strategy.code)
    return published


def _record_fact(
    kind: type[StrategyDraftSaved | StrategyPublished | StrategyRetired], version: StrategyVersion, actor: Actor
) -> None:
    """Record a fact about a version in the journal."""
    fact = kind(code=version.code, number=version.number, version_id=version.pk)
    record_fact(fact, actor=actor, version=f"{version.code} v{version.number}")
