"""Plantillas: the words of messages, checked while they are written and tried on a real debtor."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access.roles import Right, may
from recobra.console.guard import StaffRequest, needs
from recobra.contact import operations, queries
from recobra.contact.operations import TemplateRefused
from recobra.contact.rendering.render import NotRendered
from recobra.kit import clock
from recobra.portfolio.queries import accounts_for, debtor_for, search
from recobra.strategy import schedule
from recobra.strategy.queries import strategies

from .place import Installation

PARTS = ("name", "subject", "text", "html")


@require_GET
@needs(Right.SEE_MESSAGES)
def index(request: StaffRequest) -> HttpResponse:
    """Show the templates in force."""
    context = {"templates": queries.templates(), "place": _place()}
    return render(request, "console/messages/templates.html", context)


@require_GET
@needs(Right.SEE_MESSAGES)
def detail(request: StaffRequest, template_id: int) -> HttpResponse:
    """Show one version of a template, and the others of its code."""
    template = _template(template_id)
    versions = queries.templates(in_force=False).filter(
        code=template.code, channel=template.channel, language=template.language
    )
    context = {"template": template, "versions": versions, "place": _place()}
    return render(request, "console/messages/template.html", context)


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_TEMPLATES)
def edit(request: StaffRequest, template_id: int) -> HttpResponse:
    """Write a new version of a template; what is wrong is said, line by line, and nothing is kept."""
    template = _template(template_id)
    given = {part: getattr(template, part) for part in PARTS}
    mistakes: list[Any] = []
    if request.method == "POST":
        given = {part: request.POST.get(part, "").replace("\r\n", "\n") for part in PARTS}
        try:
            saved = operations.save_template(
                code=template.code, channel=template.channel, language=template.language, **given,
                actor=request.user.username, actor_id=request.user.pk, now=clock.now(),
            )  # fmt: skip
        except TemplateRefused as refused:
            mistakes = list(refused.mistakes)
        else:
            messages.success(request, _("Version %(number)d is in force.") % {"number": saved.version})
            return redirect("console:template", saved.pk)
    context = {
        "template": template, "given": given, "mistakes": mistakes, "variables": queries.template_variables(),
        "fields": queries.template_fields(),
    }  # fmt: skip
    return render(request, "console/messages/template_edit.html", context, status=422 if mistakes else 200)


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_TEMPLATES)
def retire(request: StaffRequest, template_id: int) -> HttpResponse:
    """Ask once, naming the published strategies that send it, then take a version out of use."""
    template = _template(template_id)
    if request.method == "POST":
        operations.retire_template(
            template_id=template.pk, actor=request.user.username, actor_id=request.user.pk, now=clock.now()
        )
        messages.success(request, _("Version %(number)d was retired.") % {"number": template.version})
        return redirect("console:template", template.pk)
    context = {"template": template, "before": queries.template_before(template), "users": _users(request, template)}
    return render(request, "console/messages/template_retire.html", context)


def _users(request: StaffRequest, template: Any) -> list[str]:
    """Return the names of the published strategies that send a template."""
    published = [each.published for each in strategies(request.user) if each.published]
    return [
        version.document["name"] for version in published
        if any(step["do"].get("send") == template.code for step in version.document["steps"])
    ]  # fmt: skip


@require_POST
@needs(Right.SEE_MESSAGES)
def preview(request: StaffRequest, template_id: int) -> HttpResponse:
    """Show the message that a real debtor would get now (`debtor`: a name, document or account; else the first).

    Words of one's own instead of the template's are tried only by who may keep them.
    """
    template = _template(template_id)
    if not may(request.user, Right.EDIT_TEMPLATES) and any(part in request.POST for part in PARTS):
        raise PermissionDenied
    for part in PARTS[1:]:
        setattr(template, part, request.POST.get(part, getattr(template, part)).replace("\r\n", "\n"))
    context: dict[str, Any] = {}
    try:
        debtor = _debtor(request)
        if queries.beyond(request.user, debtor.pk):
            context["refused"] = [_("This debtor also owes in portfolios that are not yours. Name another.")]
        else:
            words = operations.preview(template=template, debtor_id=debtor.pk, now=clock.now())
            context = {"debtor": debtor, "words": words}
    except ObjectDoesNotExist:
        context["refused"] = [_("No debtor of yours is found by that.")]
    except TemplateRefused as refused:
        context["refused"] = [str(mistake) for mistake in refused.mistakes]
    except NotRendered as unfit:
        context["refused"] = [str(unfit)]
    return render(request, "console/messages/_preview.html", context)


def _debtor(request: StaffRequest) -> Any:
    text = request.POST.get("debtor", "").strip()
    accounts = accounts_for(request.user)
    account = (accounts.filter(pk__in=search(request.user, text)) if text else accounts).first()
    if account is None:
        raise ObjectDoesNotExist
    return debtor_for(request.user, account.debtor_id)


def _template(template_id: int) -> Any:
    template = queries.template(template_id)
    if template is None:
        raise ObjectDoesNotExist
    return template


def _place() -> Installation:
    return Installation(time_zone=schedule.zone().key)


urlpatterns = [
    path("mensajes/plantillas/", index, name="templates"),
    path("mensajes/plantillas/<int:template_id>/", detail, name="template"),
    path("mensajes/plantillas/<int:template_id>/editar/", edit, name="template-edit"),
    path("mensajes/plantillas/<int:template_id>/retirar/", retire, name="template-retire"),
    path("mensajes/plantillas/<int:template_id>/prueba/", preview, name="template-preview"),
]
