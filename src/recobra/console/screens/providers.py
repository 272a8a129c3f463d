"""Canales: the ways out, configured, tried, switched on and off."""

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
from recobra.console.guard import StaffRequest, needs
from recobra.console.screens.countries.description import country_names
from recobra.insight.queries import board
from recobra.kit import clock
from recobra.messaging.providers import operations, queries
from recobra.messaging.providers.operations import ProviderKind, ProviderRefused
from recobra.strategy import schedule

from . import provider_form
from .place import Installation


@require_GET
@needs(Right.MANAGE_CHANNELS)
def index(request: StaffRequest) -> HttpResponse:
    """List the ways out by channel, in the order in which they are asked."""
    now = clock.now()
    channels = [
        {"code": channel, "ways": queries.list_providers(channel, now=now), "built_in": queries.built_in_kinds(channel)}
        for channel in queries.CHANNELS
    ]
    context = {
        "channels": channels,
        "kinds": operations.list_kinds(),
        "place": _place(),
        "demo": settings.DEMO,
        "now": now,
    }
    return render(request, "console/providers/index.html", context)


@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_CHANNELS)
def create(request: StaffRequest) -> HttpResponse:
    """Configure a provider of a kind (`?tipo=sendgrid`); without one, choose it."""
    kind = queries.get_kind(request.GET.get("tipo", ""))
    if kind is None:
        return render(request, "console/providers/kinds.html", {"kinds": operations.list_kinds()})
    return _form(request, kind, None)


@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_CHANNELS)
def edit(request: StaffRequest, code: str) -> HttpResponse:
    """Show a provider's settings, and keep them changed."""
    way = queries.get_provider(code, now=clock.now())
    kind = queries.get_kind(way.provider.kind)
    if kind is None:
        raise ObjectDoesNotExist
    return _form(request, kind, way)


def _form(request: StaffRequest, kind: ProviderKind, way: queries.ProviderStatus | None) -> HttpResponse:
    errors: dict[str, str] = {}
    posted = request.POST.dict() if way is None else {**request.POST.dict(), "code": way.provider.code}
    if request.method == "POST":
        try:
            saved = _save(request, kind, posted, new=way is None)
        except (ProviderRefused, provider_form.Unreadable) as refused:
            errors = refused.errors
        else:
            messages.success(request, _("The provider is saved. Test it before it is used."))
            return redirect("console:provider", saved.code)
    context = _context(request, kind, way, posted if request.method == "POST" else None, errors)
    return render(request, "console/providers/form.html", context, status=422 if errors else 200)


def _save(request: StaffRequest, kind: ProviderKind, posted: dict[str, str], *, new: bool) -> Any:
    if new and _taken(posted.get("code", "")):
        raise ProviderRefused({"code": _("There is a provider of this code already.")})
    return operations.save_provider(
        **provider_form.written(kind, posted, country=_country(request)),
        actor=request.user.username,
        actor_id=request.user.pk,
        now=clock.now(),
    )


def _context(
    request: StaffRequest,
    kind: ProviderKind,
    way: queries.ProviderStatus | None,
    posted: dict[str, str] | None,
    errors: dict[str, str],
) -> dict[str, Any]:
    kept = queries.stored_secrets(way.provider) if way else frozenset()
    saved = provider_form.of_provider(way.provider, country=_country(request)) if way else provider_form.start(kind)
    given: Any = posted if posted is not None else (way.provider.settings if way else {})
    wrong = {name.replace("price_micros", "price"): said for name, said in errors.items()}
    own = provider_form.fields(kind, given=given, kept=kept, errors=wrong, typed=posted is not None)
    return {
        "kind": kind,
        "way": way,
        "values": posted if posted is not None else saved,
        "fields": own,
        "errors": wrong,
        "countries": country_names(),
        "place": _place(),
        "demo": settings.DEMO,
    }


def _taken(code: str) -> bool:
    try:
        queries.get_provider(code, now=clock.now())
    except ObjectDoesNotExist:
        return False
    return True


@require_POST
@needs(Right.MANAGE_CHANNELS)
def test(request: StaffRequest, code: str) -> HttpResponse:
    """Try the settings without reaching a debtor; htmx gets the provider's answer alone."""
    way = queries.get_provider(code, now=clock.now())
    check = operations.test_provider(
        provider_id=way.provider.pk, actor=request.user.username, actor_id=request.user.pk, now=clock.now()
    )
    if request.htmx:  # type: ignore[attr-defined]
        context = {"way": queries.get_provider(code, now=clock.now()), "place": _place()}
        return render(request, "console/providers/_tested.html", context)
    (messages.success if check.ok else messages.error)(request, check.answer)
    return redirect("console:provider", code)


@require_POST
@needs(Right.MANAGE_CHANNELS)
def switch(request: StaffRequest, code: str) -> HttpResponse:
    """Switch a provider on (`on=1`) or off."""
    way, on = queries.get_provider(code, now=clock.now()), request.POST.get("on") == "1"
    try:
        operations.enable_provider(
            provider_id=way.provider.pk,
            enabled=on,
            actor=request.user.username,
            actor_id=request.user.pk,
            now=clock.now(),
        )
    except ProviderRefused as refused:
        messages.error(request, str(refused))
        return redirect("console:provider", code)
    messages.success(request, _("The provider is switched on.") if on else _("The provider is switched off."))
    return redirect("console:providers")


@require_POST
@needs(Right.MANAGE_CHANNELS)
def retire(request: StaffRequest, code: str) -> HttpResponse:
    """Switch a provider off and forget its secrets."""
    way = queries.get_provider(code, now=clock.now())
    operations.retire_provider(
        provider_id=way.provider.pk, actor=request.user.username, actor_id=request.user.pk, now=clock.now()
    )
    messages.success(request, _("The provider is switched off and its secrets are forgotten."))
    return redirect("console:providers")


def _country(request: StaffRequest) -> str:
    """Return the country whose numbers the user writes: the one in which the pages show amounts of no portfolio."""
    return board.main_country(request.user)


def _place() -> Installation:
    return Installation(time_zone=schedule.installation_zone().key)


urlpatterns = [
    path("canales/", index, name="providers"),
    path("canales/nuevo/", create, name="provider-new"),
    path("canales/proveedor/<slug:code>/", edit, name="provider"),
    path("canales/proveedor/<slug:code>/probar/", test, name="provider-test"),
    path("canales/proveedor/<slug:code>/encender/", switch, name="provider-switch"),
    path("canales/proveedor/<slug:code>/retirar/", retire, name="provider-retire"),
]
