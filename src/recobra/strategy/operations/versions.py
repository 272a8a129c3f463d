"""Versions of a strategy: draft, retired, assigned to portfolios. A published one is never edited."""

from __future__ import annotations

from typing import Any, Final

from django.db import IntegrityError, transaction
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


class StrategyChanged(StrategyRefused):
    """Somebody else has changed it since it was looked at."""


def check_document(document: Any) -> Strategy:
    """Parse a strategy document with the columns of this installation. Raises StrategyRefused."""
    try:
        return Strategy.parse(document, catalogue=rule_catalogue())
    except DocumentError as error:
        raise StrategyRefused(error.messages(screen_language())) from error


def mark_of(version: StrategyVersion | None) -> str:
    """Return a mark that is another one whenever a version was saved, published or retired; '' for none."""
    return f"{version.number}:{version.status}:{version.created_at.isoformat()}" if version else ""


def lock_versions(code: str) -> list[StrategyVersion]:
    """Return the versions of a strategy, locked and in order: who changes one may have to retire another."""
    return list(StrategyVersion.objects.select_for_update().filter(code=code).order_by("pk"))


def lock_version(version_id: int, *, seen: str | None = None) -> StrategyVersion:
    """Return a version, locked with the others of its strategy.

    `seen` is its `mark_of` when the change was begun. Raises StrategyChanged where it is another one by now.
    """
    code = StrategyVersion.objects.values_list("code", flat=True).get(pk=version_id)
    version = next(each for each in lock_versions(code) if each.pk == version_id)
    if seen is not None and seen != mark_of(version):
        raise StrategyChanged([_("This version was changed meanwhile. Look at it again before you go on.")])
    return version


@requires(Right.EDIT_STRATEGIES)
@transaction.atomic
def save_draft(*, document: Any, seen: str | None = None, actor: Actor) -> StrategyVersion:
    """Save a document as the draft of its strategy, in place of an earlier draft. Raises StrategyRefused.

    `seen` is the `mark_of` of the draft that was there when the change was begun. Raises StrategyChanged, which is a
    StrategyRefused too, where it is another one by now.
    """
    strategy = check_document(document)
    versions = lock_versions(strategy.code)
    draft = next((each for each in versions if each.status == Status.DRAFT), None)
    if seen is not None and seen != mark_of(draft):
        raise StrategyChanged([_describe_change(draft)])
    if draft is None:
        number = 1 + max((each.number for each in versions), default=0)
        draft = StrategyVersion(code=strategy.code, number=number, status=Status.DRAFT)
    draft.document = strategy.to_document()
    draft.objective = strategy.objective or ""
    draft.created_at = actor.now
    draft.created_by = actor.name
    try:
        with transaction.atomic():
            draft.save()
    except IntegrityError as error:  # somebody else began a draft of it at the same moment
        raise StrategyChanged([_describe_change(None)]) from error
    # Who was asked about the draft as it was would put another one in force.
    withdraw_publication(version=draft, reason=_("The draft was changed."), actor=actor)
    record_about(kind=StrategyDraftSaved, version=draft, actor=actor)
    return draft


def _describe_change(draft: StrategyVersion | None) -> str:
    """Return what to tell somebody whose draft is another one by now: `draft`, or none any more."""
    if draft is None:
        return _("The draft was published or retired meanwhile. Save again to begin a new one.")
    text = _("%(who)s saved this draft while you were writing. Save again to put yours in its place.")
    return text % {"who": draft.created_by}


@requires(Right.EDIT_STRATEGIES)
@transaction.atomic
def retire_version(*, version_id: int, seen: str | None = None, actor: Actor) -> StrategyVersion:
    """Take a version out of force; its portfolios have no strategy until another is published.

    `seen` as in `lock_version`. Raises StrategyRefused, and StrategyChanged where it is another one by now.
    """
    version = lock_version(version_id, seen=seen)
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
    return follow_strategy(portfolio_id=portfolio_id, code=code, actor=actor)


@consequence
@transaction.atomic
def follow_strategy(*, portfolio_id: int, code: str, actor: Actor) -> Assignment:
    """Do what `assign_strategy` does, for who may open portfolios and so says what a new one follows."""
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
