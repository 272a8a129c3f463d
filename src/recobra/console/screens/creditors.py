"""Acreedores: the details of each creditor and of its collector that messages state, and those still missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access.roles import Right, has_right
from recobra.approvals.queries import waiting_of
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_page
from recobra.kit import clock
from recobra.messaging.templates.missing_facts import find_missing_facts
from recobra.portfolio import setup
from recobra.portfolio.operations import (
    CREDITOR_DETAILS,
    DETAILS,
    LONGEST_DETAIL,
    CreditorRefused,
    save_creditor_details,
)
from recobra.portfolio.queries import Creditor, DisableReason, creditors_for
from recobra.portfolio.setup import PortfolioRefused

_HELP: Final[dict[str, str | Promise]] = {
    "payment_instructions": gettext_lazy("It leaves in every message as it stands here: check it twice."),
    "complaint_office": gettext_lazy("Empty: the authority of each country."),
    "agency_name": gettext_lazy("Empty: the creditor collects itself."),
    "agency_address": gettext_lazy("Empty: the creditor's, where it collects itself."),
}
PAGE_ROWS: Final = 50
_LONG_FIELDS: Final = frozenset({"payment_instructions", "complaint_contact"})
# Whether the financial authority supervises the creditor; None where nobody has said yet.
SUPERVISED: Final = {"": None, "si": True, "no": False}


@require_GET
@needs(Right.MANAGE_CHANNELS)
def list_creditors(request: StaffRequest) -> HttpResponse:
    """List the creditors (`?q=`), a page at a time, with the details that their messages wait for."""
    today = clock.now().date()
    text = request.GET.get("q", "").strip()
    number = parse_page(request.GET.get("pagina", ""))
    found = creditors_for(request.user).filter(Q(name__icontains=text) | Q(code__icontains=text))
    # One row more tells whether there is a next page.
    rows = list(found.prefetch_related("portfolios")[(number - 1) * PAGE_ROWS : number * PAGE_ROWS + 1])
    creditors = []
    for creditor in rows[:PAGE_ROWS]:
        _drop_unreadable(creditor)
        required_facts = [fact for fact in find_missing_facts(creditor, on=today) if fact.is_required]
        creditors.append((creditor, required_facts))
    context = {
        "creditors": creditors,
        "text": text,
        "page": number,
        "following": number + 1 if len(rows) > PAGE_ROWS else None,
    }
    return render(request, "console/creditors/index.html", context)


@require_http_methods(["GET", "POST"])
@needs(Right.OPEN_PORTFOLIOS)
def create_creditor(request: StaffRequest) -> HttpResponse:
    """Show the form of a new creditor, and open it; an empty code is made of the name."""
    details: dict[str, str] = {"name": "", **dict.fromkeys(CREDITOR_DETAILS, "")}
    code = ""
    supervised = ""
    errors: dict[str, str] = {}
    if request.method == "POST":
        details = {name: request.POST.get(name, "") for name in CREDITOR_DETAILS}
        supervised = request.POST.get("supervised", "")
        code = request.POST.get("code", "").strip()
        code = code or setup.propose_code(details["name"], taken=setup.creditor_codes_taken())
        try:
            creditor = setup.create_creditor(
                code=code,
                name=details["name"],
                details=details,
                supervised=SUPERVISED.get(supervised),
                actor=actor_of(request),
            )
        except CreditorRefused as refusal:
            errors = refusal.errors
        else:
            if waiting_of(DETAILS, str(creditor.pk)) is None:
                messages.success(request, _("The creditor is open: open its first portfolio."))
            else:
                messages.success(
                    request, _("The creditor is open; what messages say of it waits for a second person's approval.")
                )
            return redirect("console:creditor", creditor.pk)
    context = {
        "fields": _describe_fields(details, errors),
        "code": code,
        "code_error": errors.get("code", ""),
        "code_length": setup.CODE_LENGTH_MAX,
        "longest": LONGEST_DETAIL,
        "supervised": supervised,
    }
    return render(request, "console/creditors/new.html", context, status=422 if errors else 200)


def _describe_fields(details: Mapping[str, str], errors: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the fields of a creditor's details, as the form shows them."""
    return [
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
        # A form of before may lack a field: what it does not say stays.
        details |= {name: request.POST[name] for name in CREDITOR_DETAILS if name in request.POST}
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
    missing_facts = find_missing_facts(creditor, on=today)
    missing = [(fact, CREDITOR_DETAILS[fact.field], _(fact.article)) for fact in missing_facts]
    context = {
        "creditor": creditor,
        "fields": _describe_fields(details, errors),
        "missing": missing,
        "waiting": waiting_of(DETAILS, str(creditor.pk)),
        "longest": LONGEST_DETAIL,
        "supervised": next(key for key, value in SUPERVISED.items() if value is is_supervised),
        "portfolio_count": creditor.portfolios.count(),
        "reasons": DisableReason.choices,
    }
    return render(request, "console/creditors/detail.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@needs(Right.OPEN_PORTFOLIOS)
def disable_creditor(request: StaffRequest, creditor_id: int) -> HttpResponse:
    """Disable a creditor with all of its portfolios, for the reason that was chosen."""
    creditor = creditors_for(request.user).get(pk=creditor_id)
    try:
        setup.disable_creditor(creditor_id=creditor.pk, reason=request.POST.get("reason", ""), actor=actor_of(request))
    except PortfolioRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The creditor and its portfolios are disabled; what was planned is cancelled."))
    return _show_again(request, creditor)


@require_POST
@needs(Right.OPEN_PORTFOLIOS)
def enable_creditor(request: StaffRequest, creditor_id: int) -> HttpResponse:
    """Enable a creditor again; its portfolios are enabled one by one."""
    creditor = creditors_for(request.user).get(pk=creditor_id)
    setup.enable_creditor(creditor_id=creditor.pk, actor=actor_of(request))
    messages.success(request, _("The creditor is enabled; enable each of its portfolios that is worked again."))
    return _show_again(request, creditor)


def _show_again(request: StaffRequest, creditor: Creditor) -> HttpResponse:
    """Lead back to a creditor's page, or to its portfolios for who may not see that."""
    if has_right(request.user, Right.MANAGE_CHANNELS):
        return redirect("console:creditor", creditor.pk)
    return redirect("console:portfolios")


def _drop_unreadable(creditor: Creditor) -> bool:
    """Leave out, of this instance alone, what another installation's key encrypted; return whether there was any."""
    if creditor.has_readable_instructions():
        return False
    creditor.payment_instructions = ""
    return True


urlpatterns = [
    path("acreedores/", list_creditors, name="creditors"),
    path("acreedores/nuevo/", create_creditor, name="creditor-new"),
    path("acreedores/<int:creditor_id>/", edit_creditor, name="creditor"),
    path("acreedores/<int:creditor_id>/desactivar/", disable_creditor, name="creditor-disable"),
    path("acreedores/<int:creditor_id>/activar/", enable_creditor, name="creditor-enable"),
]
