"""Acreedores: the details of each creditor and of its collector that messages state, and those still missing."""

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
from recobra.approvals.queries import waiting_of
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.kit import clock
from recobra.messaging.templates.missing_facts import find_missing_facts
from recobra.portfolio.operations import (
    CREDITOR_DETAILS,
    DETAILS,
    LONGEST_DETAIL,
    CreditorRefused,
    save_creditor_details,
)
from recobra.portfolio.queries import Creditor, creditors_for

_HELP: Final[dict[str, str | Promise]] = {
    "payment_instructions": gettext_lazy("It leaves in every message as it stands here: check it twice."),
    "complaint_office": gettext_lazy("Empty: the authority of each country."),
    "agency_name": gettext_lazy("Empty: the creditor collects itself."),
    "agency_address": gettext_lazy("Empty: the creditor's, where it collects itself."),
}
_LONG_FIELDS: Final = frozenset({"payment_instructions", "complaint_contact"})
# Whether the financial authority supervises the creditor; None where nobody has said yet.
SUPERVISED: Final = {"": None, "si": True, "no": False}


@require_GET
@needs(Right.MANAGE_CHANNELS)
def list_creditors(request: StaffRequest) -> HttpResponse:
    """List the creditors with the details that their messages wait for."""
    today = clock.now().date()
    creditors = []
    for creditor in creditors_for(request.user):
        _drop_unreadable(creditor)
        required_facts = [fact for fact in find_missing_facts(creditor, on=today) if fact.is_required]
        creditors.append((creditor, required_facts))
    return render(request, "console/creditors/index.html", {"creditors": creditors})


@require_http_methods(["GET", "POST"])
@needs(Right.MANAGE_CHANNELS)
def edit_creditor(request: StaffRequest, creditor_id: int) -> HttpResponse:
    """Show a creditor's details as a form, and save them."""
    creditor = creditors_for(request.user).get(pk=creditor_id)
    today = clock.now().date()
    errors: dict[str, str] = {}
    if _drop_unreadable(creditor):
        errors["payment_instructions"] = _("They are encrypted with another installation's key: give them again.")
    details = {name: str(getattr(creditor, name)) for name in CREDITOR_DETAILS}
    is_supervised = creditor.supervised
    if request.method == "POST":
        details = {name: request.POST.get(name, "") for name in CREDITOR_DETAILS}
        is_supervised = SUPERVISED.get(request.POST.get("supervised", ""))
        try:
            saved = save_creditor_details(
                creditor_id=creditor.pk, details=details, supervised=is_supervised, actor=actor_of(request)
            )
        except CreditorRefused as refusal:
            errors = refusal.errors
        else:
            if waiting_of(DETAILS, str(saved.pk)) is None:
                messages.success(request, _("The details were kept; the next messages say them."))
            else:
                messages.success(request, _("What messages say waits for a second person's approval."))
            return redirect("console:creditor", creditor.pk)
    fields = [
        {
            "name": name,
            "label": label,
            "value": details[name],
            "error": errors.get(name, ""),
            "long": name in _LONG_FIELDS,
            "help": _HELP.get(name, ""),
        }
        for name, label in CREDITOR_DETAILS.items()
    ]
    missing_facts = find_missing_facts(creditor, on=today)
    missing = [(fact, CREDITOR_DETAILS[fact.field], _(fact.article)) for fact in missing_facts]
    context = {
        "creditor": creditor,
        "fields": fields,
        "missing": missing,
        "waiting": waiting_of(DETAILS, str(creditor.pk)),
        "longest": LONGEST_DETAIL,
        "supervised": next(key for key, value in SUPERVISED.items() if value is is_supervised),
    }
    return render(request, "console/creditors/detail.html", context, status=422 if request.method == "POST" else 200)


def _drop_unreadable(creditor: Creditor) -> bool:
    """Leave out, of this instance alone, what another installation's key encrypted; return whether there was any."""
    if creditor.has_readable_instructions():
        return False
    creditor.payment_instructions = ""
    return True


urlpatterns = [
    path("acreedores/", list_creditors, name="creditors"),
    path("acreedores/<int:creditor_id>/", edit_creditor, name="creditor"),
]
