"""Plantillas: decisions about a version: submitted, approved by a second person, sent back, weighted."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recobra.access.roles import Right
from recobra.console.actions import actor_and_time
from recobra.console.guard import StaffRequest, needs
from recobra.messaging import operations as messaging
from recobra.messaging.templates.operations import OwnTemplate, TemplateBlocked, WrongStatus


@require_POST
@needs(Right.EDIT_TEMPLATES)
def submit_template(request: StaffRequest, template_id: int) -> HttpResponse:
    """Submit a draft for approval."""
    return _decide(request, template_id, messaging.submit_template, _("It waits for a second person's approval."))


@require_POST
@needs(Right.APPROVE_TEMPLATES)
def approve_template(request: StaffRequest, template_id: int) -> HttpResponse:
    """Approve a version, which puts it in force."""
    return _decide(
        request,
        template_id,
        messaging.approve_template,
        _("This version is in force."),
        note=request.POST.get("note", ""),
    )


@require_POST
@needs(Right.APPROVE_TEMPLATES)
def reject_template(request: StaffRequest, template_id: int) -> HttpResponse:
    """Send a version back to its author, with the reason."""
    return _decide(
        request,
        template_id,
        messaging.reject_template,
        _("It was sent back to its author."),
        note=request.POST.get("note", ""),
    )


@require_POST
@needs(Right.APPROVE_TEMPLATES)
def weigh_template(request: StaffRequest, template_id: int) -> HttpResponse:
    """Set how often a variant is drawn."""
    text = request.POST.get("weight", "")
    # The operation refuses -1 with a text fit to show.
    weight = int(text) if text.isdecimal() else -1
    return _decide(request, template_id, messaging.weigh_template, _("The weight was set."), weight=weight)


def _decide(
    request: StaffRequest, template_id: int, operation: Callable[..., object], done: str, **options: str | int
) -> HttpResponse:
    """Run an operation on a version and return to its page, with `done` or the refusal as message."""
    try:
        operation(template_id=template_id, **actor_and_time(request), **options)
    except (OwnTemplate, TemplateBlocked, WrongStatus) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("console:template", template_id)


urlpatterns = [
    path("mensajes/plantillas/<int:template_id>/presentar/", submit_template, name="template-submit"),
    path("mensajes/plantillas/<int:template_id>/aprobar/", approve_template, name="template-approve"),
    path("mensajes/plantillas/<int:template_id>/devolver/", reject_template, name="template-reject"),
    path("mensajes/plantillas/<int:template_id>/peso/", weigh_template, name="template-weigh"),
]
