"""Approval of single sign-on: switching it on, and new settings of one that is in use (`recobra.approvals`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.access.actors import Actor
from recobra.access.roles import Right
from recobra.approvals.kinds import Kind, Part
from recobra.approvals.models import Approval

from .models import IdentityProvider
from .operations import CODE, apply_proposal, forget_proposal
from .setting_labels import LABELS


def _lock(subject: str) -> IdentityProvider:
    return IdentityProvider.objects.select_for_update().get(pk=subject)


def _approve(approval: Approval, actor: Actor) -> None:
    apply_proposal(provider=_lock(approval.subject), actor=actor)


def _forget(approval: Approval, _actor: Actor) -> None:
    forget_proposal(provider=_lock(approval.subject))


def _compare(approval: Approval) -> Sequence[Part]:
    """Return each setting, the old beside the new; of the secret only whether it is another."""
    return [
        Part(label=str(LABELS.get(name, name)), old=approval.old.get(name, ""), new=value)
        for name, value in approval.new.items()
    ]


SIGN_ON: Final = Kind(
    code=CODE,
    label=gettext_lazy("Single sign-on"),
    right=Right.APPROVE_CRITICAL_CHANGES,
    approve=_approve,
    reject=_forget,
    withdraw=_forget,
    lock=_lock,
    title=lambda approval: approval.new.get("name", "") or _("Single sign-on"),
    parts=_compare,
    is_optional=True,
)
