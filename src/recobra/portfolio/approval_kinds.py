"""The kinds of change of this app that need a second person."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.access.actors import Actor
from recobra.access.roles import Right
from recobra.approvals.kinds import Kind, Part
from recobra.approvals.models import Approval
from recobra.approvals.operations import ApprovalRefused

from .models import Creditor
from .operations import INSTRUCTIONS, CreditorRefused, change_payment_instructions


def _approve(approval: Approval, actor: Actor) -> None:
    """Let messages say the new way to pay. Raises ApprovalRefused where the law has come to bar it."""
    try:
        change_payment_instructions(
            creditor_id=int(approval.subject),
            text=approval.new["text"],
            salt=approval.new["salt"],
            approval_id=approval.pk,
            author=approval.author,
            actor=actor,
        )
    except CreditorRefused as refusal:
        raise ApprovalRefused(str(refusal)) from refusal


def _compare(approval: Approval) -> Sequence[Part]:
    return [Part(label=_("How and where to pay"), old=approval.old["text"], new=approval.new["text"])]


PAYMENT_INSTRUCTIONS: Final = Kind(
    code=INSTRUCTIONS,
    label=gettext_lazy("Where debtors pay"),
    right=Right.APPROVE_CRITICAL_CHANGES,
    approve=_approve,
    title=lambda approval: Creditor.objects.values_list("name", flat=True).get(pk=approval.subject),
    parts=_compare,
    page="creditor",
    is_optional=True,
)
KINDS = (PAYMENT_INSTRUCTIONS,)
