"""Versions of a strategy: draft, retired, assigned to portfolios. A published one is never edited."""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.approvals.operations import withdraw_of_subject
from recobra.journal.operations import record_fact
from recobra.kit.language import screen_language
from recobra.portfolio.models import Portfolio
from recobra.portfolio.scope import check_portfolio
from recobra.strategy.facts import StrategyAssigned, StrategyDraftSaved, StrategyPublished, StrategyRetired
from recobra.strategy.models import Assignment, StrategyVersion
from recobra.strategy.policies import rule_catalogue
from recobra_core.decide.strategy import Strategy
from recobra_core.documents import DocumentError

Status = StrategyVersion.Status


PUBLICATION: Final = "strategy"
"""The kind of approval of a draft that is to be in force."""


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
    # Who was asked about the draft as it was would put another one in force.
    withdraw_publication(version=draft, reason=_("The draft was changed."), actor=actor)
    record_about(kind=StrategyDraftSaved, version=draft, actor=actor)
    return draft


@requires(Right.EDIT_STRATEGIES)
@transaction.atomic
def retire_version(*, version_id: int, actor: Actor) -> StrategyVersion:
    """Take a version out of force; its portfolios have no strategy until another is published."""
    version = StrategyVersion.objects.select_for_update().get(pk=version_id)
    if version.status == Status.RETIRED:
        raise StrategyRefused([_("The version is retired already.")])
    withdraw_publication(version=version, reason=_("The version was retired."), actor=actor)
    version.status = Status.RETIRED
    version.retired_at = actor.now
    version.save()
    record_about(kind=StrategyRetired, version=version, actor=actor)
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


@consequence
def record_about(
    *, kind: type[StrategyDraftSaved | StrategyPublished | StrategyRetired], version: StrategyVersion, actor: Actor
) -> None:
    """Record a fact about a version in the journal."""
    fact = kind(code=version.code, number=version.number, version_id=version.pk)
    record_fact(fact, actor=actor, version=f"{version.code} v{version.number}")


@consequence
def withdraw_publication(*, version: StrategyVersion, reason: str, actor: Actor) -> None:
    """Take back the question whether a draft may be in force, where one waits."""
    withdraw_of_subject(kind=PUBLICATION, subject=str(version.pk), reason=reason, actor=actor)
