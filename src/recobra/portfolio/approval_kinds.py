"""The kinds of change of this app that need a second person."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from django.utils.translation import gettext_lazy

from recobra.access.actors import Actor
from recobra.access.roles import Right
from recobra.approvals.kinds import Kind, Part
from recobra.approvals.models import Approval
from recobra.approvals.operations import ApprovalRefused

from .models import Creditor
from .operations import CREDITOR_DETAILS, DETAILS, SALT, CreditorRefused, change_creditor_details


def _approve(approval: Approval, actor: Actor) -> None:
    """Let messages say the new details. Raises ApprovalRefused where the law has come to bar one."""
    try:
        change_creditor_details(
            creditor_id=int(approval.subject),
            texts=_texts_of(approval.new),
            salt=approval.new[SALT],
            approval_id=approval.pk,
            author=approval.author,
            actor=actor,
        )
    except CreditorRefused as refusal:
        raise ApprovalRefused(str(refusal)) from refusal


def _compare(approval: Approval) -> Sequence[Part]:
    """Return each text that messages would say, the old beside the new."""
    old = _texts_of(approval.old)
    return [
        Part(label=str(CREDITOR_DETAILS[name]), old=old[name], new=text)
        for name, text in _texts_of(approval.new).items()
    ]


def _texts_of(document: Mapping[str, str]) -> dict[str, str]:
    """Return the texts that an approval holds, by the detail that each is of."""
    # Approvals from before the other details were asked about hold where to pay alone, as `text`.
    return {"payment_instructions" if name == "text" else name: text for name, text in document.items() if name != SALT}


def _names(creditor_ids: Collection[str]) -> Mapping[str, str]:
    return {str(pk): name for pk, name in Creditor.objects.filter(pk__in=creditor_ids).values_list("pk", "name")}


CREDITOR: Final = Kind(
    code=DETAILS,
    label=gettext_lazy("What messages say of a creditor, and where to pay"),
    right=Right.APPROVE_CRITICAL_CHANGES,
    approve=_approve,
    lock=lambda subject: Creditor.objects.select_for_update(no_key=True).get(pk=subject),
    names=_names,
    parts=_compare,
    page="creditor",
    is_optional=True,
)
KINDS = (CREDITOR,)
