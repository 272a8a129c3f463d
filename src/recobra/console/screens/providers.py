"""Canales: the providers of each channel, their settings, tests and switches."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access.roles import Right
from recobra.approvals.queries import waiting_of
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.screens.countries.description import country_names
from recobra.conversations.mailboxes import describe_mailbox
from recobra.insight.queries import board
from recobra.kit import clock
from recobra.messaging.providers import account_news, operations, queries
from recobra.messaging.providers.operations import ProviderKind, ProviderRefused

from . import provider_form
from .place import installation_place
from .template_registration import describe_number


@require_GET
@needs(Right.MANAGE_CHANNELS)
def list_providers(request: StaffRequest) -> HttpResponse:
    """List the providers by channel, in the order in which they are used."""
    now = clock.now()
    channels = [
        {
            "code": channel,
            "providers": queries.list_providers(channel, now=now),
            "built_in": queries.built_in_kinds(channel),
        }
        for channel in queries.CHANNELS
    ]
    context = {
        "channels": channels,
        "kinds": operations.list_kinds(),
        "place": installation_place(),
        "demo": settings.DEMO,
        "has_mail_server": bool(settings.SMTP_URL) or settings.DEMO,
        "now": now,
    }
    return render(request, "console/providers/index.html", context)


@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_CHANNELS)
def create_provider(request: StaffRequest) -> HttpResponse:
    """Configure a provider of a kind (`?tipo=sendgrid`); without a kind, choose one."""
    kind = queries.get_kind(request.GET.get("tipo", ""))
    if kind is None:
        return render(request, "console/providers/kinds.html", {"kinds": operations.list_kinds()})
    return _handle_form(request, kind, None)


@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_CHANNELS)
def edit_provider(request: StaffRequest, code: str) -> HttpResponse:
    """Show a provider's settings, and save them."""
    status = queries.get_provider(code, now=clock.now(), has_calls=True)
    kind = queries.get_kind(status.provider.kind)
    if kind is None:
        raise ObjectDoesNotExist
    return _handle_form(request, kind, status)


def _handle_form(request: StaffRequest, kind: ProviderKind, status: queries.ProviderStatus | None) -> HttpResponse:
    """Show the form of a provider, or save it; `status` is None for a new one."""
    if request.method == "GET":
        context = _form_context(request, kind, status, posted=None, errors={})
        return render(request, "console/providers/form.html", context)
    posted = request.POST.dict()
    try:
        if status is None:
            _check_new_code(posted.get("code", ""))
        else:
            # The code of a provider never changes.
            posted["code"] = status.provider.code
        values = provider_form.read_form(kind, posted, country=board.main_country(request.user))
        provider = operations.save_provider(**values, actor=actor_of(request))
    except (ProviderRefused, provider_form.FormUnreadable) as refusal:
        context = _form_context(request, kind, status, posted=posted, errors=refusal.errors)
        return render(request, "console/providers/form.html", context, status=422)
    if waiting_of(operations.CODE, str(provider.pk)) is not None:
        messages.success(
            request, _("It is saved; what decides where messages go waits for a second person's approval.")
        )
    else:
        messages.success(request, _("The provider is saved. Test it before it is used."))
    return redirect("console:provider", provider.code)


def _check_new_code(code: str) -> None:
    """Raise ProviderRefused for the code of another provider: saving under it would change that one."""
    if _is_code_taken(code):
        raise ProviderRefused({"code": _("There is a provider of this code already.")})


def _is_code_taken(code: str) -> bool:
    """Return whether a provider has this code."""
    try:
        queries.get_provider(code, now=clock.now())
    except ObjectDoesNotExist:
        return False
    return True


def _form_context(
    request: StaffRequest,
    kind: ProviderKind,
    status: queries.ProviderStatus | None,
    *,
    posted: dict[str, str] | None,
    errors: dict[str, str],
) -> dict[str, Any]:
    """Return the context of the form: with the values `posted`, else those saved, else those of a new provider."""
    if posted is not None:
        values = posted
    elif status is not None:
        # The country whose numbers the user writes: the one in which pages show amounts of no portfolio.
        values = provider_form.saved_values(status.provider, country=board.main_country(request.user))
    else:
        values = provider_form.initial_values(kind)
    # The operation names the column; the form has the price as its field.
    errors_by_field = {name.replace("price_micros", "price"): text for name, text in errors.items()}
    fields = provider_form.provider_fields(
        kind,
        posted=posted,
        saved=status.provider.settings if status else {},
        stored_secrets=queries.stored_secrets(status.provider) if status else frozenset(),
        errors=errors_by_field,
    )
    return {
        "kind": kind,
        "status": status,
        "waiting": waiting_of(operations.CODE, str(status.provider.pk)) if status else None,
        "mailbox": describe_mailbox(status.provider) if status else "",
        "number": describe_number(status.provider) if status and status.provider.kind == "whatsapp" else None,
        "values": values,
        "fields": fields,
        "errors": errors_by_field,
        "countries": country_names(),
        "place": installation_place(),
        "demo": settings.DEMO,
    }


@require_POST
@needs(Right.MANAGE_CHANNELS)
def test_provider(request: StaffRequest, code: str) -> HttpResponse:
    """Test the settings without reaching a debtor; htmx gets the provider's answer alone."""
    status = queries.get_provider(code, now=clock.now())
    check = operations.test_provider(provider_id=status.provider.pk, actor=actor_of(request))
    if request.htmx:  # type: ignore[attr-defined]
        context = {"status": queries.get_provider(code, now=clock.now()), "place": installation_place()}
        return render(request, "console/providers/_tested.html", context)
    if check.ok:
        messages.success(request, check.answer)
    else:
        messages.error(request, check.answer)
    return redirect("console:provider", code)


@require_POST
@needs(Right.MANAGE_CHANNELS)
def switch_provider(request: StaffRequest, code: str) -> HttpResponse:
    """Switch a provider on (`on=1`) or off."""
    status = queries.get_provider(code, now=clock.now())
    is_enabled = request.POST.get("on") == "1"
    try:
        operations.enable_provider(provider_id=status.provider.pk, enabled=is_enabled, actor=actor_of(request))
    except ProviderRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:provider", code)
    if not is_enabled:
        messages.success(request, _("The provider is switched off."))
    elif waiting_of(operations.CODE, str(status.provider.pk)) is not None:
        messages.success(request, _("It waits for a second person's approval."))
    else:
        messages.success(request, _("The provider is switched on."))
    return redirect("console:providers")


@require_POST
@needs(Right.MANAGE_CHANNELS)
def retire_provider(request: StaffRequest, code: str) -> HttpResponse:
    """Switch a provider off and delete its secrets."""
    status = queries.get_provider(code, now=clock.now())
    operations.retire_provider(provider_id=status.provider.pk, actor=actor_of(request))
    messages.success(request, _("The provider is switched off and its secrets are forgotten."))
    return redirect("console:providers")


@require_POST
@needs(Right.MANAGE_CHANNELS)
def resume_provider(request: StaffRequest, code: str) -> HttpResponse:
    """Let a provider send again that had stopped our account, or take its warning as seen."""
    status = queries.get_provider(code, now=clock.now())
    if account_news.resume_provider(provider_id=status.provider.pk, actor=actor_of(request)):
        messages.success(request, _("Done. If the provider says so again, you will be told."))
    return redirect("console:provider", code)


urlpatterns = [
    path("canales/", list_providers, name="providers"),
    path("canales/nuevo/", create_provider, name="provider-new"),
    path("canales/proveedor/<slug:code>/", edit_provider, name="provider"),
    path("canales/proveedor/<slug:code>/probar/", test_provider, name="provider-test"),
    path("canales/proveedor/<slug:code>/encender/", switch_provider, name="provider-switch"),
    path("canales/proveedor/<slug:code>/reanudar/", resume_provider, name="provider-resume"),
    path("canales/proveedor/<slug:code>/retirar/", retire_provider, name="provider-retire"),
]
