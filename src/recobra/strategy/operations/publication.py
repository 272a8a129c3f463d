"""Publication of a draft: at once, or once a second person has agreed, as the company set it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import yaml
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.approvals.kinds import Kind, Part
from recobra.approvals.models import Approval
from recobra.approvals.operations import ApprovalRefused, Author, ask
from recobra.approvals.second_person import needs_second_person
from recobra.kit.language import screen_language
from recobra.strategy.facts import StrategyPublished
from recobra.strategy.models import StrategyVersion
from recobra.strategy.policies import rule_catalogue
from recobra_core.decide import diff_strategies, ready
from recobra_core.decide.strategy import Strategy
from recobra_core.documents import DocumentError

from .versions import PUBLICATION, StrategyRefused, check_document, lock_version, record_about, save_draft

Status = StrategyVersion.Status


@requires(Right.EDIT_STRATEGIES)
@transaction.atomic
def publish_version(*, version_id: int, seen: str | None = None, actor: Actor) -> StrategyVersion:
    """Put a draft in force; the version before it retires. Raises StrategyRefused.

    Where a second person has to agree first, it comes back as the draft that it was. Raises ApprovalRefused where it
    waits already. `seen` is its `mark_of` when it was looked at: nobody publishes what another person saved since.
    """
    version = _lock_draft(version_id, seen=seen)
    if not needs_second_person(PUBLICATION, actor=actor):
        _put_in_force(version, actor)
        return version
    before = StrategyVersion.objects.filter(code=version.code, status=Status.PUBLISHED).first()
    ask(
        kind=PUBLICATION,
        subject=str(version.pk),
        old=_to_values(before) if before else {},
        new=_to_values(version),
        author=Author(name=version.created_by, user_id=None),
        actor=actor,
    )
    version.refresh_from_db()
    return version


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


def _lock_draft(version_id: int, *, seen: str | None = None) -> StrategyVersion:
    """Return a draft that this installation can read, locked. Raises StrategyRefused."""
    version = lock_version(version_id, seen=seen)
    if version.status != Status.DRAFT:
        raise StrategyRefused([_("Only a draft can be published.")])
    check_document(version.document)
    return version


def _put_in_force(version: StrategyVersion, actor: Actor) -> None:
    """Put a draft in force; the version before it retires."""
    StrategyVersion.objects.filter(code=version.code, status=Status.PUBLISHED).update(
        status=Status.RETIRED, retired_at=actor.now
    )
    version.status = Status.PUBLISHED
    version.published_at = actor.now
    version.published_by = actor.name
    version.save()
    record_about(kind=StrategyPublished, version=version, actor=actor)


def _approve(approval: Approval, actor: Actor) -> None:
    """Put the draft in force. Raises ApprovalRefused where it can no longer be read."""
    try:
        version = _lock_draft(int(approval.subject))
    except StrategyRefused as refusal:
        raise ApprovalRefused(str(refusal)) from refusal
    _put_in_force(version, actor)


def _to_values(version: StrategyVersion) -> dict[str, str]:
    """Return what a person compares of a version."""
    return {
        "name": str(version.document.get("name", version.code)),
        "version": str(version.number),
        "objective": version.objective,
        "document": yaml.safe_dump(version.document, allow_unicode=True, sort_keys=False, width=110),
    }


def _compare(approval: Approval) -> Sequence[Part]:
    """Return the old version beside the new one, and the changes in words."""
    labels = {
        "name": _("Name"),
        "version": _("Version"),
        "objective": _("Objective"),
        "document": _("Document"),
    }
    parts = [
        Part(label=label, old=approval.old.get(name, ""), new=approval.new.get(name, ""))
        for name, label in labels.items()
    ]
    changes = _list_changes(approval)
    return [Part(label=_("In words"), old="", new="\n".join(changes)), *parts] if changes else parts


def _list_changes(approval: Approval) -> list[str]:
    """Return what changed, in words; [] where there is no older version, or one that can no longer be read."""
    if not approval.old:
        return []
    try:
        old, new = (
            Strategy.parse(yaml.safe_load(values["document"]), catalogue=rule_catalogue())
            for values in (approval.old, approval.new)
        )
    except DocumentError:
        return []
    return [change.sentence for change in diff_strategies(old, new, lang=screen_language())]


STRATEGY: Final = Kind(
    code=PUBLICATION,
    label=gettext_lazy("Publication of a strategy"),
    right=Right.APPROVE_CRITICAL_CHANGES,
    approve=_approve,
    lock=lambda subject: lock_version(int(subject)),
    title=lambda approval: f"{approval.new['name']} · v{approval.new['version']}",
    parts=_compare,
    is_optional=True,
)
