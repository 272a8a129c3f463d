"""Asking for a second person, and deciding. Two people at once are told apart by the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.hands import LASTS, are_one_hand, has_removed_holder
from recobra.access.permissions import NotAllowed, check_right, check_scope, consequence, requires
from recobra.access.queries import find_user_id
from recobra.access.roles import Right
from recobra.approvals.facts import ApprovalAsked, ChangeApproved, ChangeRejected, ChangeWithdrawn
from recobra.approvals.kinds import Kind, kind_of
from recobra.approvals.models import Approval
from recobra.approvals.queries import has_second_person, waiting_of
from recobra.journal.facts import Fact
from recobra.journal.operations import record_fact

REASON_LENGTH_MAX: Final = 2_000
Decision = Approval.Decision


class ApprovalRefused(Exception):
    """The step cannot be done; the text is shown as it is."""


class AlreadyDecided(ApprovalRefused):
    """Somebody has decided or withdrawn it meanwhile."""


class OwnChange(ApprovalRefused):
    """The author of a change may not decide about it while somebody else can."""


@dataclass(frozen=True, kw_only=True)
class Author:
    """Who wrote a change, if that is not who asks."""

    name: str
    user_id: int | None


@consequence
@transaction.atomic
def ask(
    *,
    kind: str,
    subject: str,
    old: Mapping[str, str],
    new: Mapping[str, str],
    portfolio_code: str = "",
    author: Author | None = None,
    at_once: bool = False,
    actor: Actor,
) -> Approval:
    """Let a change wait for a second person; where nobody else could decide, do it at once and say so.

    `subject` is the id of what changes. `at_once`: the company wants no second person, and the row keeps old and new.
    The operation that asks has checked that its actor may change it. Raises ApprovalRefused where a change of the
    subject waits already.
    """
    wanted = kind_of(kind)
    writer = author or Author(name=actor.name, user_id=actor.user_id)
    try:
        with transaction.atomic():
            approval = Approval.objects.create(
                kind=kind,
                subject=subject,
                portfolio_code=portfolio_code,
                old=dict(old),
                new=dict(new),
                author=writer.name,
                # Known by name alone, an author could approve by a second account of the same hand.
                author_id=writer.user_id or find_user_id(writer.name),
                asked_at=actor.now,
                asked_by=actor.name,
                asked_by_id=actor.user_id,
            )
    except IntegrityError as error:
        raise ApprovalRefused(_("A change of this waits for approval already.")) from error
    record_fact(ApprovalAsked(approval_id=approval.pk, approval_kind=kind, subject=subject), actor=actor)
    if at_once or (wanted.right in actor.rights and _is_alone(approval, wanted, actor)):
        _decide(approval, wanted, Decision.APPROVED, alone=True, actor=actor)
    return approval


@requires(Right.DECIDE)
@transaction.atomic
def approve(*, approval_id: int, reason: str = "", actor: Actor) -> Approval:
    """Approve a change, which does it. Raises ApprovalRefused, and NotAllowed without the right of its kind."""
    approval = _find(approval_id, actor)
    kind = _check_right(approval, actor)
    alone = _check_author(approval, kind, actor)
    if not alone and are_one_hand(approval.author_id, actor.user_id, right=kind.right, now=actor.now):
        text = _("You and its author count as one person for %(days)d days: the same hand opened the access of both.")
        raise OwnChange(text % {"days": LASTS.days})
    _decide(approval, kind, Decision.APPROVED, reason=reason, alone=alone, actor=actor)
    return approval


@requires(Right.DECIDE)
@transaction.atomic
def reject(*, approval_id: int, reason: str, actor: Actor) -> Approval:
    """Send a change back to its author with the reason. Raises as `approve` does."""
    approval = _find(approval_id, actor)
    kind = _check_right(approval, actor)
    alone = _check_author(approval, kind, actor)
    if not reason.strip():
        raise ApprovalRefused(_("Say why, so that its author can mend it."))
    _decide(approval, kind, Decision.REJECTED, reason=reason, alone=alone, actor=actor)
    return approval


@requires(Right.DECIDE)
@transaction.atomic
def withdraw(*, approval_id: int, reason: str = "", actor: Actor) -> Approval:
    """Take back a change that waits. Raises ApprovalRefused, and NotAllowed for who neither wrote it nor asked."""
    approval = _find(approval_id, actor)
    is_own = approval.is_by(actor.name, actor.user_id) or approval.is_asked_by(actor.name, actor.user_id)
    if not is_own:
        raise NotAllowed(_("Only who wrote a change or put it forward withdraws it."))
    _decide(approval, kind_of(approval.kind), Decision.WITHDRAWN, reason=reason, actor=actor)
    return approval


@consequence
@transaction.atomic
def withdraw_of_subject(*, kind: str, subject: str, reason: str, actor: Actor) -> None:
    """Take back what waits about a subject, locked by the caller, that is no longer to be changed so."""
    approval = waiting_of(kind, subject)
    if approval is not None:
        _decide(approval, kind_of(kind), Decision.WITHDRAWN, reason=reason, actor=actor)


def _find(approval_id: int, actor: Actor) -> Approval:
    """Return an approval within the actor's reach. Raises ObjectDoesNotExist."""
    approval = Approval.objects.get(pk=approval_id)
    if approval.portfolio_code:
        check_scope(actor, approval.portfolio_code)
    return approval


def _check_right(approval: Approval, actor: Actor) -> Kind:
    """Return the kind of an approval. Raises NotAllowed for an actor without the right that decides about it."""
    kind = kind_of(approval.kind)
    check_right(actor, kind.right)
    return kind


def _is_alone(approval: Approval, kind: Kind, actor: Actor) -> bool:
    """Tell if nobody but the author could decide, and the author did not see to that."""
    is_left = not has_second_person(approval)
    return is_left and not has_removed_holder(approval.author_id, right=kind.right, now=actor.now)


def _check_author(approval: Approval, kind: Kind, actor: Actor) -> bool:
    """Tell if the author decides alone. Raises OwnChange where somebody else could decide."""
    is_author = approval.is_by(actor.name, actor.user_id)
    if is_author and not _is_alone(approval, kind, actor):
        raise OwnChange(_("Who wrote a change does not decide about it: a second person must."))
    return is_author


def _decide(
    approval: Approval, kind: Kind, decision: Decision, *, reason: str = "", alone: bool = False, actor: Actor
) -> None:
    """Write a decision and do what follows. Raises AlreadyDecided where another one was first."""
    kind.lock(approval.subject)
    changes = {
        "decision": decision,
        "decided_at": actor.now,
        "decided_by": actor.name,
        "decided_by_id": actor.user_id,
        "reason": reason.strip()[:REASON_LENGTH_MAX],
        "alone": alone,
    }
    # Of two who decide at once the second waits for the row, finds it decided, and changes nothing.
    if Approval.objects.filter(pk=approval.pk, decision=Decision.WAITING).update(**changes) == 0:
        approval.refresh_from_db()
        values = {"decision": approval.get_decision_display(), "name": approval.decided_by}
        raise AlreadyDecided(_("This is decided: «%(decision)s», by %(name)s.") % values)
    approval.refresh_from_db()
    pk = approval.pk
    subject = approval.subject
    fact: Fact
    if decision == Decision.APPROVED:
        kind.approve(approval, actor)
        fact = ChangeApproved(approval_id=pk, approval_kind=kind.code, subject=subject, alone=alone)
    elif decision == Decision.REJECTED:
        kind.reject(approval, actor)
        fact = ChangeRejected(approval_id=pk, approval_kind=kind.code, subject=subject)
    else:
        kind.withdraw(approval, actor)
        fact = ChangeWithdrawn(approval_id=pk, approval_kind=kind.code, subject=subject)
    record_fact(fact, actor=actor)
