"""Read access to what waits for a second person, narrowed to what the user may decide."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db.models import QuerySet

from recobra.access.hands import are_one_hand
from recobra.access.queries import User, has_other_holder, portfolio_codes
from recobra.access.roles import has_right
from recobra.approvals.kinds import kind_of, kinds_by_code
from recobra.approvals.models import Approval as Approval  # noqa: PLC0414 - the doors name the type from here

DECIDED_SHOWN = 20


def waiting_for(user: User) -> QuerySet[Approval]:
    """Return what waits and the user may decide about, his or her own changes among them, oldest first."""
    return _in_scope(user).filter(decision=Approval.Decision.WAITING).order_by("asked_at", "id")


def decided_for(user: User) -> list[Approval]:
    """Return the last decisions about what the user may decide, newest first."""
    decided = _in_scope(user).exclude(decision=Approval.Decision.WAITING)
    return list(decided.order_by("-decided_at", "-id")[:DECIDED_SHOWN])


def approval_for(user: User, approval_id: int) -> Approval:
    """Return one that the user may decide about. Raises Approval.DoesNotExist."""
    return _in_scope(user).get(pk=approval_id)


def titles_of(approvals: Collection[Approval]) -> dict[int, str]:
    """Return what names each of some approvals in a line, by its id; a subject that is gone is named by its own id."""
    subjects: dict[str, set[str]] = {}
    for approval in approvals:
        subjects.setdefault(approval.kind, set()).add(approval.subject)
    names: dict[str, Mapping[str, str]] = {}
    for code, asked in subjects.items():
        if (read_names := kind_of(code).names) is not None:
            names[code] = read_names(asked)
    titles = {}
    for approval in approvals:
        known = names.get(approval.kind)
        title = kind_of(approval.kind).title(approval) if known is None else known.get(approval.subject)
        titles[approval.pk] = title or approval.subject
    return titles


def latest_of(kind: str, subject: str) -> Approval | None:
    """Return what was asked last about a subject, None where nothing was."""
    return Approval.objects.filter(kind=kind, subject=subject).order_by("-id").first()


def waiting_of(kind: str, subject: str) -> Approval | None:
    """Return what waits about a subject, None where nothing does."""
    return Approval.objects.filter(kind=kind, subject=subject, decision=Approval.Decision.WAITING).first()


def may_decide(user: User, approval: Approval, *, now: datetime) -> bool:
    """Tell if the user may decide about it now: by the right, and not as its author while somebody else can.

    Who counts as the author's own hand (`access.hands`) is the author.
    """
    kind = kind_of(approval.kind)
    if approval.decision != Approval.Decision.WAITING or not has_right(user, kind.right):
        return False
    if approval.is_by(user.username, user.pk):
        return not has_second_person(approval)
    return not are_one_hand(approval.author_id, user.pk, right=kind.right, now=now)


def has_second_person(approval: Approval) -> bool:
    """Tell if anybody other than the author could decide about it."""
    return has_other_holder(
        kind_of(approval.kind).right,
        name=approval.author,
        user_id=approval.author_id,
        portfolio_code=approval.portfolio_code,
    )


def may_withdraw(user: User, approval: Approval) -> bool:
    """Tell if the user may take it back: it waits, and the user wrote it or put it forward."""
    is_waiting = approval.decision == Approval.Decision.WAITING
    return is_waiting and (approval.is_by(user.username, user.pk) or approval.is_asked_by(user.username, user.pk))


def _in_scope(user: User) -> QuerySet[Approval]:
    """Return the approvals of the kinds that the user decides about, in his or her portfolios or in none."""
    kinds = [kind.code for kind in kinds_by_code().values() if has_right(user, kind.right)]
    approvals = Approval.objects.filter(kind__in=kinds)
    codes = portfolio_codes(user)
    return approvals if codes is None else approvals.filter(portfolio_code__in=["", *codes])
