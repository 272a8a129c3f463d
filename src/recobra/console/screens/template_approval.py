"""Plantillas: what is decided about a version: put forward, approved by a second person, sent back, weighed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from recobra.access.roles import Right
from recobra.console.guard import StaffRequest, needs
from recobra.kit import clock
from recobra.messaging import operations as messaging
from recobra.messaging.templates.operations import OwnTemplate, TemplateBlocked, WrongStatus


@require_POST
@needs(Right.EDIT_TEMPLATES)
def submit(request: StaffRequest, template_id: int) -> HttpResponse:
    """Put a draft before the people who approve."""
    return _done(request, template_id, messaging.submit_template, _("It waits for a second person's approval."))


@require_POST
@needs(Right.APPROVE_TEMPLATES)
def approve(request: StaffRequest, template_id: int) -> HttpResponse:
    """Put a version in force."""
    return _done(
        request,
        template_id,
        messaging.approve_template,
        _("This version is in force."),
        note=request.POST.get("note", ""),
    )


@require_POST
@needs(Right.APPROVE_TEMPLATES)
def reject(request: StaffRequest, template_id: int) -> HttpResponse:
    """Send a version back, saying why."""
    return _done(
        request,
        template_id,
        messaging.reject_template,
        _("It was sent back to its author."),
        note=request.POST.get("note", ""),
    )


@require_POST
@needs(Right.APPROVE_TEMPLATES)
def weigh(request: StaffRequest, template_id: int) -> HttpResponse:
    """Set how often a variant is drawn."""
    given = request.POST.get("weight", "")
    weight = int(given) if given.isdecimal() else -1
    return _done(request, template_id, messaging.weigh_template, _("The weight was set."), weight=weight)


def _done(
    request: StaffRequest, template_id: int, operation: Callable[..., Any], told: str, **facts: Any
) -> HttpResponse:
    """Do one thing with a version and say what became of it, on its own page."""
    try:
        operation(
            template_id=template_id, actor=request.user.username, actor_id=request.user.pk, now=clock.now(), **facts
        )
    except (OwnTemplate, TemplateBlocked, WrongStatus) as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, told)
    return redirect("console:template", template_id)


urlpatterns = [
    path("mensajes/plantillas/<int:template_id>/presentar/", submit, name="template-submit"),
    path("mensajes/plantillas/<int:template_id>/aprobar/", approve, name="template-approve"),
    path("mensajes/plantillas/<int:template_id>/devolver/", reject, name="template-reject"),
    path("mensajes/plantillas/<int:template_id>/peso/", weigh, name="template-weigh"),
]
