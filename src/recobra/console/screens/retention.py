"""Conservación: how long data about people stay; and the rights of one person: copy and erasure of own data."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access.queries import portfolio_codes
from recobra.access.roles import Right, has_right
from recobra.compliance.retention import copies, overview, requests
from recobra.compliance.retention.classes import COMPANY_DECIDES
from recobra.compliance.retention.periods import DAYS_MAX, PeriodRefused, set_period
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_date, parse_id
from recobra.kit import clock
from recobra.portfolio.queries import debtor_for

from .place import installation_place


@require_GET
@needs(Right.SEE_COMPLIANCE)
def show_retention(request: StaffRequest) -> HttpResponse:
    """Show each class with its terms, what was anonymised, and what stands against the rest.

    The figures are of the whole installation: who sees some portfolios alone is shown the terms.
    """
    today = clock.now().date()
    sees_all = portfolio_codes(request.user) is None
    context = {
        "classes": overview.list_classes(today),
        "state": overview.read_state() if sees_all else None,
        "waiting": requests.list_waiting(request.user) if has_right(request.user, Right.HANDLE_PERSON_REQUESTS) else [],
        "today": today,
        "longest": DAYS_MAX,
        "company_decides": COMPANY_DECIDES,
        "place": installation_place(),
    }
    return render(request, "console/retention/index.html", context)


@require_POST
@needs(Right.EDIT_RULES)
def save_period(request: StaffRequest) -> HttpResponse:
    """Set how long a class stays."""
    today = clock.now().date()
    data = request.POST
    try:
        set_period(
            data_class=data.get("clase", ""),
            country=data.get("pais", "").strip().upper(),
            days=parse_id(data.get("dias", "")) or 0,
            holds_from=parse_date(data.get("desde", "")) or today,
            reason=data.get("motivo", ""),
            today=today,
            actor=actor_of(request),
        )
    except PeriodRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The period was kept; it holds from its day on."))
    return redirect("console:retention")


@require_GET
@needs(Right.HANDLE_PERSON_REQUESTS)
def show_rights(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Show what a person asked, and what an erasure would do today."""
    debtor = debtor_for(request.user, debtor_id)
    today = clock.now().date()
    asked = requests.requests_of(debtor)
    context = {
        "debtor": debtor,
        "today": today,
        "plan": requests.plan_erasure(debtor, today) if debtor.erased_at is None else [],
        "requests": [(each, requests.read_answers(each)) for each in asked],
        "waiting": {each.kind: each for each in asked if each.answered_at is None},
        "note_max": requests.NOTE_MAX,
        "place": installation_place(),
    }
    return render(request, "console/retention/rights.html", context)


@require_POST
@needs(Right.HANDLE_PERSON_REQUESTS)
def record_request(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Record what a person asked."""
    debtor = debtor_for(request.user, debtor_id)
    today = clock.now().date()
    try:
        requests.record_request(
            debtor_id=debtor.pk,
            kind=request.POST.get("tipo", ""),
            asked_on=parse_date(request.POST.get("dia", "")) or today,
            note=request.POST.get("nota", ""),
            today=today,
            actor=actor_of(request),
        )
    except requests.RequestRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The request was recorded; it waits for its answer."))
    return redirect("console:rights", debtor.pk)


@require_POST
@needs(Right.HANDLE_PERSON_REQUESTS)
def answer_erasure(request: StaffRequest, debtor_id: int, request_id: int) -> HttpResponse:
    """Erase what may go and answer the request."""
    debtor = debtor_for(request.user, debtor_id)
    if not debtor.requests.filter(pk=request_id).exists():
        return redirect("console:rights", debtor.pk)
    try:
        answered = requests.answer_erasure(request_id=request_id, day=clock.now().date(), actor=actor_of(request))
    except requests.RequestRefused as refusal:
        messages.error(request, str(refusal))
    else:
        if any(each["verdict"] == requests.ERASE for each in answered.outcome):
            messages.success(request, _("The request is answered: what may go is gone."))
        else:
            messages.warning(request, _("The request is answered: nothing may go today. The answer says why."))
    return redirect("console:rights", debtor.pk)


@require_POST
@needs(Right.HANDLE_PERSON_REQUESTS)
def download_copy(request: StaffRequest, debtor_id: int) -> HttpResponse:
    """Download everything that is held on a person; the operation records it."""
    debtor = debtor_for(request.user, debtor_id)
    try:
        copy = copies.copy_person(debtor_id=debtor.pk, actor=actor_of(request))
    except requests.RequestRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:rights", debtor.pk)
    response = HttpResponse(copy.content, content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{copy.name}"'
    return response


urlpatterns = [
    path("conservacion/", show_retention, name="retention"),
    path("conservacion/plazo/", save_period, name="retention-period"),
    path("ficha/<int:debtor_id>/derechos/", show_rights, name="rights"),
    path("ficha/<int:debtor_id>/derechos/solicitud/", record_request, name="rights-request"),
    path("ficha/<int:debtor_id>/derechos/<int:request_id>/suprimir/", answer_erasure, name="rights-erasure"),
    path("ficha/<int:debtor_id>/derechos/copia/", download_copy, name="rights-copy"),
]
