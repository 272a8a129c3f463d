"""Plantillas: the texts of messages, checked while they are written and previewed for a real debtor."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access.roles import Right, has_right
from recobra.approvals import queries as approvals
from recobra.console import labels
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.letter_frame import show_letter
from recobra.console.screens import template_approval, template_markup, template_registration, template_results
from recobra.console.screens.countries.description import country_names
from recobra.console.screens.template_registration import describe_registrations
from recobra.kit import clock
from recobra.messaging import operations as messaging
from recobra.messaging import queries
from recobra.messaging.queries import Channel, Template
from recobra.messaging.templates import check, words
from recobra.messaging.templates.approval import CODE as TEMPLATE_KIND
from recobra.messaging.templates.by_channel import BUTTONS
from recobra.messaging.templates.by_channel import PARTS as PARTS_BY_CHANNEL
from recobra.messaging.templates.lengths import count_segments
from recobra.messaging.templates.operations import TemplateRefused
from recobra.messaging.templates.render import NotRendered, RenderedMessage
from recobra.portfolio.queries import Debtor, accounts_for, debtor_for, search_accounts
from recobra.strategy import schedule
from recobra.strategy.queries import strategies_for

from .place import installation_place

PARTS = template_markup.FIELDS
VARIANT_LENGTH_MAX = 8
CSRF_FIELD = "csrfmiddlewaretoken"


@require_GET
@needs(Right.SEE_MESSAGES)
def list_templates(request: StaffRequest) -> HttpResponse:
    """Show the templates that wait for a decision, and those in force (`?canal=`, `?pais=`).

    A country has its own templates and the general ones; an unknown filter does not filter.
    """
    channels = labels.choices("channel")
    countries = country_names()
    filters: dict[str, str] = {}
    channel = request.GET.get("canal", "")
    if channel in dict(channels):
        filters["channel"] = channel
    country = request.GET.get("pais", "")
    if country in dict(countries):
        filters["country"] = country
    waiting = queries.template_versions(in_force=False).filter(status__in=("DRAFT", "SUBMITTED"), retired_at=None)
    context = {
        "waiting": waiting.order_by("-created_at"),
        "templates": queries.channel_templates(**filters),
        "filters": filters,
        "channels": channels,
        "countries": countries,
        "place": installation_place(),
    }
    return render(request, "console/messages/templates.html", context)


@require_GET
@needs(Right.SEE_MESSAGES)
def show_template(request: StaffRequest, template_id: int) -> HttpResponse:
    """Show one version of a template: its findings, its changes, its variants and the other versions."""
    template = _find_template(template_id)
    # Every version of every variant of the same wording.
    siblings = queries.template_versions(in_force=False).filter(
        code=template.code,
        channel=template.channel,
        language=template.language,
        country=template.country,
        tone=template.tone,
    )
    versions = siblings.filter(variant=template.variant)
    before = versions.filter(version__lt=template.version).first()
    variants = list(queries.template_versions().filter(pk__in=siblings))
    context = {
        "template": template,
        "text_in_words": words.read_words(template.text),
        "versions": versions,
        "place": installation_place(),
        "read": template_markup.read_findings(template, clock.now()),
        "before": before,
        "changes": template_markup.list_changes(before, template) if before else [],
        "variants": variants if len(variants) > 1 else [],
        "total": sum(variant.weight for variant in variants),
        "variant_results": template_results.describe_variants(
            request.user, templates=siblings, today=schedule.today(clock.now())
        ),
        "meta": describe_registrations(template) if template.channel == Channel.WHATSAPP else None,
        "approval": approvals.latest_of(TEMPLATE_KIND, str(template.pk)),
    }
    return render(request, "console/messages/template.html", context)


@require_GET
@needs(Right.EDIT_TEMPLATES)
def choose_channel(request: StaffRequest) -> HttpResponse:
    """Ask for the channel of a new template, on which its parts depend."""
    channels = [(code, name) for code, name in labels.choices("channel") if code in PARTS_BY_CHANNEL]
    return render(request, "console/messages/template_channels.html", {"channels": channels})


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_TEMPLATES)
def edit_template(request: StaffRequest, template_id: int | None = None, channel: str = "") -> HttpResponse:
    """Save a new draft of a template, or of another country, tone or variant; nothing is saved with mistakes.

    Without a number it is a new template of a channel.
    """
    template = _find_template(template_id, channel)
    mistakes: list[check.Mistake] = []
    if request.method == "POST":
        try:
            saved = _save_draft(request, template)
        except TemplateRefused as refusal:
            mistakes = list(refusal.mistakes)
        else:
            messages.success(request, _("Version %(number)d is kept as a draft.") % {"number": saved.version})
            return redirect("console:template", saved.pk)
        _apply_form(request, template)
    context = {
        "template": template,
        "mistakes": mistakes,
        "is_new": template_id is None,
        "addresses": _addresses(template),
        "languages": [(code, labels.label_of("language", code)) for code in queries.template_languages()],
        "codes": queries.template_codes(),
        "in_words": words.read_words(template.text),
        "blocks": template_markup.list_blocks(template),
        "variables": queries.template_variables(),
        "fields": queries.template_fields(),
        "buttons": template_markup.format_buttons(template.buttons),
        "parts": [part for part in PARTS if template_markup.has_part(template.channel, part)],
        "countries": country_names(),
        "tones": labels.choices("template_tone"),
        "stages": labels.choices("stage"),
        "has_buttons": template.channel in BUTTONS,
        "read": template_markup.read_findings(template, clock.now()),
    }
    return render(request, "console/messages/template_edit.html", context, status=422 if mistakes else 200)


def _save_draft(request: StaffRequest, template: Template) -> Template:
    """Save the form as the next version of a template, or the first of a new one. Raises TemplateRefused."""
    values = _read_form(request, template)
    actor = actor_of(request)
    if template.pk is not None:
        return messaging.save_template(**values, actor=actor)
    key = {name: values.pop(name) for name in Template.VERSION_KEY}
    return messaging.create_template(**key, words=values, actor=actor)


def _addresses(template: Template) -> dict[str, str]:
    """Return where the pieces of the page of a template, saved or new, are asked for."""
    names = {"reading": "template-reading", "preview": "template-preview", "html": "template-preview-html"}
    if template.pk is not None:
        return {piece: reverse(f"console:{name}", args=[template.pk]) for piece, name in names.items()}
    return {piece: reverse(f"console:{name}-new", args=[template.channel]) for piece, name in names.items()}


@require_POST
@needs(Right.EDIT_TEMPLATES)
def check_template(request: StaffRequest, template_id: int | None = None, channel: str = "") -> HttpResponse:
    """Show, while a template is written, its mistakes and its findings."""
    template = _find_template(template_id, channel)
    _apply_form(request, template)
    parts = {part: getattr(template, part) for part in PARTS[1:]}
    context = {
        "read": template_markup.read_findings(template, clock.now()),
        "mistakes": list(check.find_mistakes(**parts, channel=template.channel, buttons=template.buttons)),
        "in_words": words.read_words(template.text),
    }
    return render(request, "console/messages/_reading.html", context)


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_TEMPLATES)
def retire_template(request: StaffRequest, template_id: int) -> HttpResponse:
    """Ask for confirmation, naming the published strategies that send the template, then retire a version."""
    template = _find_template(template_id)
    if request.method == "POST":
        messaging.retire_template(template_id=template.pk, actor=actor_of(request))
        messages.success(request, _("Version %(number)d was retired.") % {"number": template.version})
        return redirect("console:template", template.pk)
    context = {
        "template": template,
        "before": queries.previous_version(template),
        "strategies": _strategies_sending(request, template),
    }
    return render(request, "console/messages/template_retire.html", context)


def _strategies_sending(request: StaffRequest, template: Template) -> list[str]:
    """Return the names of the published strategies that send a template."""
    names = []
    for strategy in strategies_for(request.user):
        if strategy.published is None:
            continue
        document = strategy.published.document
        if any(step["do"].get("send") == template.code for step in document["steps"]):
            names.append(document["name"])
    return names


@require_POST
@needs(Right.SEE_MESSAGES)
def preview_template(request: StaffRequest, template_id: int | None = None, channel: str = "") -> HttpResponse:
    """Show the message that a real debtor would get now (`debtor`: a name, document or account; else the first)."""
    template = _read_template(request, template_id, channel)
    context: dict[str, Any] = {}
    try:
        debtor, words = _preview_words(request, template)
        sms = count_segments(words.text.strip()) if template.channel == "sms" else None
        # The frame of the HTML asks for it by the same fields.
        posted = [(name, value) for name, value in request.POST.items() if name != CSRF_FIELD]
        context = {"debtor": debtor, "words": words, "template": template, "sms": sms, "posted": posted}
        context["addresses"] = _addresses(template)
    except ObjectDoesNotExist:
        context["refused"] = [_("No debtor of yours is found by that.")]
    except TemplateRefused as refusal:
        context["refused"] = [str(mistake) for mistake in refusal.mistakes]
    except NotRendered as refusal:
        context["refused"] = [str(refusal)]
    return render(request, "console/messages/_preview.html", context)


@require_POST
@needs(Right.SEE_MESSAGES)
def preview_html(request: StaffRequest, template_id: int | None = None, channel: str = "") -> HttpResponse:
    """Show the HTML of the same message alone, for the frame of the preview."""
    try:
        _debtor, words = _preview_words(request, _read_template(request, template_id, channel))
    except (TemplateRefused, NotRendered) as refusal:
        # The preview beside the frame has said the same already.
        return show_letter(escape(str(refusal)))
    return show_letter(words.html)


def _read_template(request: StaffRequest, template_id: int | None, channel: str) -> Template:
    """Return a template with the texts of the form, which are shown and never saved. Raises PermissionDenied."""
    template = _find_template(template_id, channel)
    # Only who may save a text may see it with the facts of a debtor.
    if not has_right(request.user, Right.EDIT_TEMPLATES) and any(part in request.POST for part in PARTS):
        raise PermissionDenied
    _apply_form(request, template)
    return template


def _preview_words(request: StaffRequest, template: Template) -> tuple[Debtor, RenderedMessage]:
    """Return the debtor of the form and the message. Raises ObjectDoesNotExist, TemplateRefused, NotRendered."""
    debtor = _read_debtor(request)
    if queries.owes_elsewhere(request.user, debtor.pk):
        raise NotRendered(_("This debtor also owes in portfolios that are not yours. Name another."))
    return debtor, messaging.preview_message(template=template, debtor_id=debtor.pk, now=clock.now())


def _read_form(request: StaffRequest, template: Template) -> dict[str, Any]:
    """Return the template's values from the form; a field that it leaves out stays as it was."""
    data = request.POST
    kept = ("code", "channel", "language", "country", "tone", "stage", "variant", "weight", "legal", "buttons")
    values = {name: getattr(template, name) for name in kept}
    for part in PARTS:
        text = data.get(part, getattr(template, part))
        # Browsers post the line ends of a text field as two characters.
        values[part] = text.replace("\r\n", "\n")
    # The code and the language of a template that is there never change.
    identity = () if template.pk is not None else ("code", "language")
    for name in (*identity, "country", "tone", "stage"):
        if name in data:
            values[name] = data[name].strip()
    if "variant" in data:
        letters = [letter for letter in data["variant"].upper() if letter.isalnum()]
        values["variant"] = "".join(letters[:VARIANT_LENGTH_MAX])
    if "buttons" in data:
        values["buttons"] = template_markup.parse_buttons(data["buttons"], template.channel)
    # A checkbox that is off is not posted; `settings` tells that the form had it.
    if "settings" in data:
        values["legal"] = "legal" in data
    return values


def _apply_form(request: StaffRequest, template: Template) -> None:
    """Set the form's values on a template, which is shown and never saved."""
    for name, value in _read_form(request, template).items():
        setattr(template, name, value)


def _read_debtor(request: StaffRequest) -> Debtor:
    """Return the debtor that the search of the form finds, or the user's first one. Raises ObjectDoesNotExist."""
    text = request.POST.get("debtor", "").strip()
    accounts = accounts_for(request.user)
    if text:
        accounts = accounts.filter(pk__in=search_accounts(request.user, text))
    account = accounts.first()
    if account is None:
        raise ObjectDoesNotExist
    return debtor_for(request.user, account.debtor_id)


def _find_template(template_id: int | None, channel: str = "") -> Template:
    """Return a version of a template, or a new one of a channel. Raises ObjectDoesNotExist."""
    if template_id is None:
        if channel not in PARTS_BY_CHANNEL:
            raise ObjectDoesNotExist
        return Template(code="", channel=channel, name="", subject="", text="", html="", language="es")
    template = queries.template_version(template_id)
    if template is None:
        raise ObjectDoesNotExist
    return template


urlpatterns = [
    path("mensajes/plantillas/", list_templates, name="templates"),
    path("mensajes/plantillas/nueva/", choose_channel, name="template-new"),
    path("mensajes/plantillas/nueva/<slug:channel>/", edit_template, name="template-edit-new"),
    path("mensajes/plantillas/nueva/<slug:channel>/lectura/", check_template, name="template-reading-new"),
    path("mensajes/plantillas/nueva/<slug:channel>/prueba/", preview_template, name="template-preview-new"),
    path("mensajes/plantillas/nueva/<slug:channel>/prueba/html/", preview_html, name="template-preview-html-new"),
    path("mensajes/plantillas/<int:template_id>/", show_template, name="template"),
    path("mensajes/plantillas/<int:template_id>/editar/", edit_template, name="template-edit"),
    path("mensajes/plantillas/<int:template_id>/lectura/", check_template, name="template-reading"),
    *template_approval.urlpatterns,
    *template_registration.urlpatterns,
    path("mensajes/plantillas/<int:template_id>/retirar/", retire_template, name="template-retire"),
    path("mensajes/plantillas/<int:template_id>/prueba/", preview_template, name="template-preview"),
    path("mensajes/plantillas/<int:template_id>/prueba/html/", preview_html, name="template-preview-html"),
]
