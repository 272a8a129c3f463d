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
from recobra.console import labels
from recobra.console.guard import StaffRequest, needs
from recobra.console.screens import template_approval as deciding
from recobra.console.screens import template_markup, template_results
from recobra.console.screens.countries.description import country_names
from recobra.kit import clock
from recobra.messaging import operations as messaging
from recobra.messaging import queries
from recobra.messaging.templates import check
from recobra.messaging.templates.by_channel import BUTTONS
from recobra.messaging.templates.lengths import Segments, count_segments
from recobra.messaging.templates.operations import TemplateRefused
from recobra.messaging.templates.render import NotRendered, RenderedMessage
from recobra.portfolio.queries import accounts_for, debtor_for, search_accounts
from recobra.strategy import schedule
from recobra.strategy.queries import strategies_for

from .place import Installation

PARTS = template_markup.FIELDS


@require_GET
@needs(Right.SEE_MESSAGES)
def index(request: StaffRequest) -> HttpResponse:
    """Show what waits for a decision, and the templates in force (`canal`, `pais` narrow them).

    A country is written with its own and with the general ones; a filter that says nothing known does not narrow.
    """
    channels, countries = labels.choices("channel"), country_names()
    given = {"channel": request.GET.get("canal", ""), "country": request.GET.get("pais", "")}
    known = {"channel": dict(channels), "country": dict(countries)}
    narrow = {name: value for name, value in given.items() if value in known[name]}
    narrowed = queries.channel_templates(**narrow)
    waiting = queries.template_versions(in_force=False).filter(status__in=("DRAFT", "SUBMITTED"), retired_at=None)
    context = {"waiting": waiting.order_by("-created_at"), "templates": narrowed, "place": _place()}
    context |= {"narrow": narrow, "channels": channels, "countries": countries}
    return render(request, "console/messages/templates.html", context)


@require_GET
@needs(Right.SEE_MESSAGES)
def detail(request: StaffRequest, template_id: int) -> HttpResponse:
    """Show one version of a template: what the law says of it, what changed, its variants and other versions."""
    template = _template(template_id)
    kin = queries.template_versions(in_force=False).filter(
        code=template.code,
        channel=template.channel,
        language=template.language,
        country=template.country,
        tone=template.tone,
    )
    versions = kin.filter(variant=template.variant)
    before = versions.filter(version__lt=template.version).first()
    variants = list(queries.template_versions().filter(pk__in=kin))
    context = {
        "template": template,
        "versions": versions,
        "place": _place(),
        "read": template_markup.read(template, clock.now(), messaging.lint_template),
        "before": before,
        "changes": template_markup.changes(before, template) if before else [],
        "variants": variants if len(variants) > 1 else [],
        "total": sum(each.weight for each in variants),
        "variant_results": template_results.variants_of(request.user, templates=kin, today=schedule.today(clock.now())),
        "own": template.created_by_id == request.user.pk or template.created_by == request.user.username,
    }
    return render(request, "console/messages/template.html", context)


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_TEMPLATES)
def edit(request: StaffRequest, template_id: int) -> HttpResponse:
    """Write a new draft of a template, or of another country, tone or variant; what is wrong is said, nothing kept."""
    template = _template(template_id)
    mistakes: list[Any] = []
    if request.method == "POST":
        try:
            saved = messaging.save_template(
                **_written(request, template), actor=request.user.username, actor_id=request.user.pk, now=clock.now()
            )
        except TemplateRefused as refused:
            mistakes = list(refused.mistakes)
        else:
            messages.success(request, _("Version %(number)d is kept as a draft.") % {"number": saved.version})
            return redirect("console:template", saved.pk)
        _take(template, _written(request, template))
    context = {
        "template": template,
        "mistakes": mistakes,
        "variables": queries.template_variables(),
        "fields": queries.template_fields(),
        "buttons": template_markup.as_lines(template.buttons),
        "parts": [part for part in PARTS if template_markup.has_part(template.channel, part)],
        "countries": country_names(),
        "tones": labels.choices("template_tone"),
        "stages": labels.choices("stage"),
        "has_buttons": template.channel in BUTTONS,
        "read": template_markup.read(template, clock.now(), messaging.lint_template),
    }
    return render(request, "console/messages/template_edit.html", context, status=422 if mistakes else 200)


@require_POST
@needs(Right.EDIT_TEMPLATES)
def reading(request: StaffRequest, template_id: int) -> HttpResponse:
    """Show, while a template is written, what is wrong in it and what the law says of it."""
    template = _template(template_id)
    _take(template, _written(request, template))
    wrong = mistakes_in(template)
    context = {"read": template_markup.read(template, clock.now(), messaging.lint_template), "wrong": wrong}
    return render(request, "console/messages/_reading.html", context)


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_TEMPLATES)
def retire(request: StaffRequest, template_id: int) -> HttpResponse:
    """Ask once, naming the published strategies that send it, then take a version out of use."""
    template = _template(template_id)
    if request.method == "POST":
        messaging.retire_template(
            template_id=template.pk, actor=request.user.username, actor_id=request.user.pk, now=clock.now()
        )
        messages.success(request, _("Version %(number)d was retired.") % {"number": template.version})
        return redirect("console:template", template.pk)
    context = {"template": template, "before": queries.previous_version(template), "users": _users(request, template)}
    return render(request, "console/messages/template_retire.html", context)


def _users(request: StaffRequest, template: Any) -> list[str]:
    """Return the names of the published strategies that send a template."""
    published = [each.published for each in strategies_for(request.user) if each.published]
    return [
        version.document["name"]
        for version in published
        if any(step["do"].get("send") == template.code for step in version.document["steps"])
    ]


@require_POST
@needs(Right.SEE_MESSAGES)
def preview(request: StaffRequest, template_id: int) -> HttpResponse:
    """Show the message that a real debtor would get now (`debtor`: a name, document or account; else the first).

    Words of one's own instead of the template's are tried only by who may keep them.
    """
    template = _template(template_id)
    if not may(request.user, Right.EDIT_TEMPLATES) and any(part in request.POST for part in PARTS):
        raise PermissionDenied
    _take(template, _written(request, template))
    context: dict[str, Any] = {}
    try:
        debtor = _debtor(request)
        if queries.owes_elsewhere(request.user, debtor.pk):
            context["refused"] = [_("This debtor also owes in portfolios that are not yours. Name another.")]
        else:
            shown = messaging.preview_message(template=template, debtor_id=debtor.pk, now=clock.now())
            context = {"debtor": debtor, "words": shown, "template": template, "sms": _segments(template, shown)}
    except ObjectDoesNotExist:
        context["refused"] = [_("No debtor of yours is found by that.")]
    except TemplateRefused as refused:
        context["refused"] = [str(mistake) for mistake in refused.mistakes]
    except NotRendered as unfit:
        context["refused"] = [str(unfit)]
    return render(request, "console/messages/_preview.html", context)


def _written(request: StaffRequest, template: Any) -> dict[str, Any]:
    """Return what the form says of a template; what it leaves out stays as it was."""
    given = request.POST
    found = {part: given.get(part, getattr(template, part)).replace("\r\n", "\n") for part in PARTS}
    kept = ("code", "channel", "language", "country", "tone", "stage", "variant", "weight", "legal", "buttons")
    found |= {name: getattr(template, name) for name in kept}
    found |= {name: given[name].strip() for name in ("country", "tone", "stage") if name in given}
    if "variant" in given:
        found["variant"] = "".join(letter for letter in given["variant"].strip().upper() if letter.isalnum())[:8]
    if "buttons" in given:
        found["buttons"] = template_markup.buttons_of(given["buttons"], template.channel)
    if "settings" in given:
        found["legal"] = "legal" in given
    return found


def _take(template: Any, written: dict[str, Any]) -> None:
    for name, value in written.items():
        setattr(template, name, value)


def _debtor(request: StaffRequest) -> Any:
    text = request.POST.get("debtor", "").strip()
    accounts = accounts_for(request.user)
    account = (accounts.filter(pk__in=search_accounts(request.user, text)) if text else accounts).first()
    if account is None:
        raise ObjectDoesNotExist
    return debtor_for(request.user, account.debtor_id)


def _segments(template: Any, shown: RenderedMessage) -> Segments | None:
    return count_segments(shown.text.strip()) if template.channel == "sms" else None


def mistakes_in(template: Any) -> list[Any]:
    """Return what is wrong in a template as it is being written."""
    parts = {part: getattr(template, part) for part in PARTS[1:]}
    return list(check.find_mistakes(**parts, channel=template.channel, buttons=template.buttons))


def _template(template_id: int) -> Any:
    template = queries.template_version(template_id)
    if template is None:
        raise ObjectDoesNotExist
    return template


def _place() -> Installation:
    return Installation(time_zone=schedule.installation_zone().key)


urlpatterns = [
    path("mensajes/plantillas/", index, name="templates"),
    path("mensajes/plantillas/<int:template_id>/", detail, name="template"),
    path("mensajes/plantillas/<int:template_id>/editar/", edit, name="template-edit"),
    path("mensajes/plantillas/<int:template_id>/lectura/", reading, name="template-reading"),
    *deciding.urlpatterns,
    path("mensajes/plantillas/<int:template_id>/retirar/", retire, name="template-retire"),
    path("mensajes/plantillas/<int:template_id>/prueba/", preview, name="template-preview"),
]
