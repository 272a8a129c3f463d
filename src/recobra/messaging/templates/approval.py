"""Approval of templates: a draft is put forward, and a second person puts it in force (`recobra.approvals`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.approvals.kinds import Kind, Part
from recobra.approvals.models import Approval
from recobra.approvals.operations import Author, ask
from recobra.messaging.facts import TemplateApproved, TemplateRejected, TemplateSubmitted
from recobra.messaging.models import Template
from recobra.messaging.templates.operations import WrongStatus, record_about, refuse_blocked
from recobra.messaging.templates.selection import templates_in_force, versions_of

CODE: Final = "template"
Status = Template.Status
_PARTS: Final = {
    "name": gettext_lazy("Name"),
    "subject": gettext_lazy("Subject"),
    "text": gettext_lazy("Text"),
    "html": "HTML",
    "buttons": gettext_lazy("Buttons"),
    "stage": gettext_lazy("Stage"),
    "legal": gettext_lazy("Legal notice"),
}


@requires(Right.EDIT_TEMPLATES)
@transaction.atomic
def submit_template(*, template_id: int, actor: Actor) -> Template:
    """Put a draft forward; where nobody but its author could approve it, it is in force at once.

    Raises TemplateBlocked and WrongStatus.
    """
    template = Template.objects.select_for_update().get(pk=template_id)
    if template.status != Status.DRAFT or template.retired_at is not None:
        raise WrongStatus(
            _("This version is «%(status)s» and cannot be put forward so.") % {"status": template.get_status_display()}
        )
    refuse_blocked(template=template, now=actor.now)
    template.status = Status.SUBMITTED
    template.save(update_fields=["status", "findings"])
    record_about(kind=TemplateSubmitted, template=template, actor=actor)
    before = templates_in_force().filter(pk__in=versions_of(template)).first()
    ask(
        kind=CODE,
        subject=str(template.pk),
        old=_describe(before) if before else {},
        new=_describe(template),
        author=Author(name=template.created_by, user_id=template.created_by_id),
        actor=actor,
    )
    template.refresh_from_db()
    return template


def _describe(template: Template) -> dict[str, str]:
    """Return what a person compares of a template, by part; '' for what it does not have."""
    buttons = [" · ".join(filter(None, (button.get("key"), button.get("title")))) for button in template.buttons]
    return {
        "name": template.name,
        "subject": template.subject,
        "text": template.text,
        "html": template.html,
        "buttons": "\n".join(buttons),
        "stage": template.stage,
        "legal": "✓" if template.legal else "",
    }


def _lock(subject: str) -> Template:
    return Template.objects.select_for_update().get(pk=subject)


def _put_in_force(approval: Approval, actor: Actor) -> None:
    """Put the template in force. Raises TemplateBlocked where the law has come to bar it."""
    template = _lock(approval.subject)
    refuse_blocked(template=template, now=actor.now)
    _set_status(template, Status.APPROVED)
    record_about(kind=TemplateApproved, template=template, actor=actor)


def _send_back(approval: Approval, actor: Actor) -> None:
    template = _lock(approval.subject)
    _set_status(template, Status.REJECTED)
    record_about(kind=TemplateRejected, template=template, actor=actor)


def _make_draft_again(approval: Approval, _actor: Actor) -> None:
    _set_status(_lock(approval.subject), Status.DRAFT)


def _set_status(template: Template, status: Status) -> None:
    template.status = status
    template.save(update_fields=["status", "findings"])


def _title(approval: Approval) -> str:
    return str(approval.new.get("name", approval.subject))


def _compare(approval: Approval) -> Sequence[Part]:
    """Return each part that the old or the new version has."""
    parts = [
        Part(
            label=str(label),
            old=approval.old.get(name, ""),
            new=approval.new.get(name, ""),
            codes="stage" if name == "stage" else "",
        )
        for name, label in _PARTS.items()
    ]
    return [part for part in parts if part.old or part.new]


TEMPLATE: Final = Kind(
    code=CODE,
    label=gettext_lazy("Template"),
    right=Right.APPROVE_TEMPLATES,
    approve=_put_in_force,
    reject=_send_back,
    withdraw=_make_draft_again,
    lock=_lock,
    title=_title,
    parts=_compare,
    page="template",
)
