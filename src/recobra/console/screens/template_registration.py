"""Plantillas at Meta: sent for its approval, and what it says of them; the limits of a number."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from recobra.access.roles import Right
from recobra.console import labels
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_id
from recobra.kit import clock
from recobra.messaging import queries
from recobra.messaging.providers.number_limits import count_left
from recobra.messaging.providers.queries import Provider, get_provider
from recobra.messaging.queries import Template
from recobra.messaging.templates import whatsapp_approval


def describe_registrations(template: Template) -> dict[str, Any]:
    """Return the context of `_registrations.html`: each provider's word, and what leaves meanwhile."""
    by_provider = {registration.provider_id: registration for registration in queries.registrations_of(template)}
    rows = [
        {"provider": provider, "registration": by_provider.get(provider.pk)}
        for provider in queries.whatsapp_providers()
    ]
    return {
        "rows": rows,
        "categories": labels.choices("template_category"),
        "may_send": template.status == Template.Status.APPROVED and template.retired_at is None,
        "begins": queries.version_that_begins(template),
        "is_asked": any(row["registration"] for row in rows),
        "demo": settings.DEMO,
    }


def describe_number(provider: Provider) -> dict[str, Any]:
    """Return the context of `_number.html`: what a WhatsApp number may still send, and its templates by status."""
    counts = Counter(provider.registrations.exclude(status="").values_list("status", flat=True))
    return {
        "left": count_left(now=clock.now()).get(provider.pk),
        "counts": sorted(counts.items()),
        "missing": whatsapp_approval.unregistered_templates(provider).count(),
    }


@require_POST
@needs(Right.EDIT_TEMPLATES)
def register_template(request: StaffRequest, template_id: int) -> HttpResponse:
    """Send a template to Meta for its approval (`proveedor`, `categoria`)."""
    if queries.template_version(template_id) is None:
        raise ObjectDoesNotExist
    try:
        registration = whatsapp_approval.register_template(
            template_id=template_id,
            provider_id=parse_id(request.POST.get("proveedor", "")) or 0,
            category=request.POST.get("categoria", ""),
            actor=actor_of(request),
        )
    except whatsapp_approval.NotRegistered as refusal:
        messages.error(request, _("It was not sent to Meta: %(why)s") % {"why": refusal})
    else:
        text = _("It is with Meta: %(status)s.")
        messages.success(request, text % {"status": labels.label_of("template_registration", registration.status)})
    return redirect("console:template", template_id)


@require_POST
@needs(Right.EDIT_TEMPLATES)
def ask_about_template(request: StaffRequest, template_id: int) -> HttpResponse:
    """Ask Meta now what it says of our templates."""
    if queries.template_version(template_id) is None:
        raise ObjectDoesNotExist
    for provider in queries.whatsapp_providers().filter(enabled=True):
        _ask(request, provider)
    return redirect("console:template", template_id)


@require_POST
@needs(Right.MANAGE_CHANNELS)
def ask_about_number(request: StaffRequest, code: str) -> HttpResponse:
    """Ask Meta now about a number and its templates."""
    _ask(request, get_provider(code, now=clock.now()).provider)
    return redirect("console:provider", code)


def _ask(request: StaffRequest, provider: Provider) -> None:
    """Ask one provider, and say what came of it."""
    try:
        changed = whatsapp_approval.ask_provider(provider_id=provider.pk, actor=actor_of(request))
    except whatsapp_approval.NotRegistered as refusal:
        messages.error(request, _("%(name)s did not answer: %(why)s") % {"name": provider.name, "why": refusal})
        return
    if changed:
        text = ngettext("%(name)s: %(count)d decision is new.", "%(name)s: %(count)d decisions are new.", changed)
    else:
        text = _("%(name)s: no news.")
    messages.success(request, text % {"name": provider.name, "count": changed})


@require_POST
@needs(Right.MANAGE_CHANNELS)
def register_missing(request: StaffRequest, code: str) -> HttpResponse:
    """Send to Meta the templates in force that a provider does not know yet."""
    provider = get_provider(code, now=clock.now()).provider
    before = whatsapp_approval.unregistered_templates(provider).count()
    try:
        errors = whatsapp_approval.register_missing(provider_id=provider.pk, actor=actor_of(request))
    except whatsapp_approval.NotRegistered as refusal:
        messages.error(request, str(refusal))
        return redirect("console:provider", code)
    sent = before - whatsapp_approval.unregistered_templates(provider).count()
    if sent:
        text = ngettext("%(sent)d template was sent to Meta.", "%(sent)d templates were sent to Meta.", sent)
        messages.success(request, text % {"sent": sent})
    for name, error in errors.items():
        messages.error(request, _("«%(name)s» was not sent: %(why)s") % {"name": name, "why": error})
    return redirect("console:provider", code)


urlpatterns = [
    path("mensajes/plantillas/<int:template_id>/meta/enviar/", register_template, name="template-register"),
    path("mensajes/plantillas/<int:template_id>/meta/preguntar/", ask_about_template, name="template-ask"),
    path("canales/proveedor/<slug:code>/meta/preguntar/", ask_about_number, name="provider-ask"),
    path("canales/proveedor/<slug:code>/meta/plantillas/", register_missing, name="provider-templates"),
]
