"""Acreedores: what messages say of each creditor and of who collects for it, and what they still wait for."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from recobra.access.roles import Right
from recobra.console.guard import StaffRequest, needs
from recobra.kit import clock
from recobra.messaging.templates.missing_facts import find_missing_facts
from recobra.portfolio.operations import LONGEST_DETAIL, CreditorRefused, save_creditor_details
from recobra.portfolio.queries import creditors_for

LABELS: Final[dict[str, str | Promise]] = {
    "tax_id": gettext_lazy("Tax id"),
    "address": gettext_lazy("Address of the creditor"),
    "payment_instructions": gettext_lazy("How and where to pay"),
    "complaint_contact": gettext_lazy("How to object or complain"),
    "complaint_office": gettext_lazy("Office that hears complaints"),
    "agency_name": gettext_lazy("Collection agency"),
    "agency_address": gettext_lazy("Address of who collects"),
    "agency_phone": gettext_lazy("Telephone of who collects"),
}
_HELP: Final[dict[str, str | Promise]] = {
    "payment_instructions": gettext_lazy("It leaves in every message as it stands here: check it twice."),
    "complaint_office": gettext_lazy("Empty: the authority of each country."),
    "agency_name": gettext_lazy("Empty: the creditor collects itself."),
    "agency_address": gettext_lazy("Empty: the creditor's, where it collects itself."),
}
_LONG: Final = frozenset({"payment_instructions", "complaint_contact"})
SUPERVISED: Final = {"": None, "si": True, "no": False}


@require_GET
@needs(Right.MANAGE_CHANNELS)
def index(request: StaffRequest) -> HttpResponse:
    """List the creditors with what their messages wait for."""
    day = clock.now().date()
    found = [
        (creditor, [each for each in find_missing_facts(creditor, on=day) if each.is_required])
        for creditor in creditors_for(request.user)
    ]
    return render(request, "console/creditors/index.html", {"creditors": found})


@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_CHANNELS)
def detail(request: StaffRequest, creditor_id: int) -> HttpResponse:
    """Show a creditor's details as a form, and keep them."""
    creditor, now = creditors_for(request.user).get(pk=creditor_id), clock.now()
    given = {name: str(getattr(creditor, name)) for name in LABELS}
    chosen, errors = creditor.supervised, {}
    if request.method == "POST":
        given = {name: request.POST.get(name, "") for name in LABELS}
        chosen = SUPERVISED.get(request.POST.get("supervised", ""))
        try:
            save_creditor_details(
                creditor_id=creditor.pk,
                details=given,
                supervised=chosen,
                actor=request.user.username,
                actor_id=request.user.pk,
                now=now,
            )
        except CreditorRefused as refusal:
            errors = refusal.errors
        else:
            messages.success(request, _("The details were kept; the next messages say them."))
            return redirect("console:creditor", creditor.pk)
    fields = [
        {
            "name": name,
            "label": label,
            "value": given[name],
            "error": errors.get(name, ""),
            "long": name in _LONG,
            "help": _HELP.get(name, ""),
        }
        for name, label in LABELS.items()
    ]
    missing = [(each, LABELS[each.field], _(each.article)) for each in find_missing_facts(creditor, on=now.date())]
    context = {
        "creditor": creditor,
        "fields": fields,
        "missing": missing,
        "longest": LONGEST_DETAIL,
        "supervised": next(key for key, value in SUPERVISED.items() if value is chosen),
    }
    return render(request, "console/creditors/detail.html", context, status=422 if errors else 200)


urlpatterns = [
    path("acreedores/", index, name="creditors"),
    path("acreedores/<int:creditor_id>/", detail, name="creditor"),
]
