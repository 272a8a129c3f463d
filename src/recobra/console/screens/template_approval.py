"""Plantillas: a version put forward for approval, and the weight of a variant."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recobra.access.roles import Right
from recobra.approvals.operations import ApprovalRefused
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_id
from recobra.messaging import operations as messaging
from recobra.messaging.queries import Template
from recobra.messaging.templates.operations import WrongStatus


@require_POST
@needs(Right.EDIT_TEMPLATES)
def submit_template(request: StaffRequest, template_id: int) -> HttpResponse:
    """Put a draft forward for approval."""
    try:
        template = messaging.submit_template(template_id=template_id, actor=actor_of(request))
    except (ApprovalRefused, WrongStatus) as refusal:
        messages.error(request, str(refusal))
    else:
        if template.status == Template.Status.APPROVED:
            messages.success(request, _("This version is in force. Nobody else could approve it; the audit says so."))
        else:
            messages.success(request, _("It waits for a second person's approval."))
    return redirect("console:template", template_id)


@require_POST
@needs(Right.APPROVE_TEMPLATES)
def weigh_template(request: StaffRequest, template_id: int) -> HttpResponse:
    """Set how often a variant is drawn."""
    # The operation refuses -1 with a text fit to show.
    text = request.POST.get("weight", "")
    weight = -1 if parse_id(text) is None else int(text)
    try:
        messaging.weigh_template(template_id=template_id, weight=weight, actor=actor_of(request))
    except WrongStatus as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The weight was set."))
    return redirect("console:template", template_id)


urlpatterns = [
    path("mensajes/plantillas/<int:template_id>/presentar/", submit_template, name="template-submit"),
    path("mensajes/plantillas/<int:template_id>/peso/", weigh_template, name="template-weigh"),
]
