"""Incidentes: the register with corrective actions, and the monthly compliance report of a country."""

from __future__ import annotations

import io
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access.operations import record_export
from recobra.access.roles import Right
from recobra.compliance import incidents, queries
from recobra.compliance.report import report_pdf
from recobra.console import spreadsheet
from recobra.console.guard import StaffRequest, needs
from recobra.insight.queries import compliance
from recobra.kit import clock
from recobra.portfolio.queries import accounts_for, debtor_for
from recobra.strategy import schedule

from .place import Installation

PAGE_ROWS = 50


@require_GET
@needs(Right.SEE_COMPLIANCE)
def index(request: StaffRequest) -> HttpResponse:
    """Show the register, open incidents first to be asked for by `?abiertos=1`."""
    asked = request.GET
    found = queries.incidents_for(
        request.user, country=asked.get("pais", ""), kind=asked.get("tipo", ""), only_open=asked.get("abiertos") == "1"
    )
    context = {
        "page": Paginator(found, PAGE_ROWS).get_page(asked.get("pagina")),
        "kinds": queries.Kind.choices,
        "countries": compliance.countries_for(request.user),
        "place": _place(),
        "filtered": any(asked.get(name) for name in ("pais", "tipo", "abiertos")),
    }
    return render(request, "console/incidents/index.html", context)


@require_POST
@needs(Right.RECORD_INCIDENT)
def record(request: StaffRequest) -> HttpResponse:
    """Enter an incident by hand, about a debtor of the user's scope or none; a debtor says the country."""
    given, now = request.POST, clock.now()
    try:
        debtor = _debtor(request, given.get("deudor", "").strip())
        portfolio = _portfolio_of(request, debtor) if debtor else None
        country = (debtor.country or portfolio.country) if portfolio else _chosen_country(request)
        incidents.record_incident(
            kind=given.get("tipo", ""),
            country=country,
            description=given.get("descripcion", ""),
            happened_at=_instant(given.get("cuando", ""), now),
            debtor_id=debtor.pk if debtor else None,
            portfolio_id=portfolio.pk if portfolio else None,
            actor=request.user.username,
            actor_id=request.user.pk,
            now=now,
        )
    except incidents.IncidentRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The incident is in the register."))
        if country != given.get("pais", country):
            messages.info(request, _("It stands under %(country)s, the debtor's country.") % {"country": country})
    return redirect("console:incidents")


@require_POST
@needs(Right.RECORD_INCIDENT)
def close(request: StaffRequest, incident_id: int) -> HttpResponse:
    """Close an incident with what was done."""
    incident = queries.incident_for(request.user, incident_id)
    try:
        incidents.close_incident(
            incident_id=incident.pk,
            corrective_action=request.POST.get("accion", ""),
            actor=request.user.username,
            actor_id=request.user.pk,
            now=clock.now(),
        )
    except incidents.IncidentRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The incident is closed."))
    return redirect("console:incidents")


@require_GET
@needs(Right.SEE_COMPLIANCE)
def report(request: StaffRequest) -> HttpResponse:
    """Show the month of a country (`?pais=PE&mes=2026-11`)."""
    found = _found(request)
    context = {
        "found": found,
        "figures": compliance.measures_of(found) if found else (),
        "place": _place(),
        "countries": compliance.countries_for(request.user),
        "month": _month(request),
    }
    return render(request, "console/incidents/report.html", context)


@require_GET
@needs(Right.EXPORT)
def export(request: StaffRequest, form: str) -> HttpResponse:
    """Give the month as a document or a spreadsheet."""
    found, now = _found(request), clock.now()
    if found is None or form not in {"pdf", "xlsx"}:
        raise Http404
    lines = compliance.spreadsheet_rows(found)
    if form == "pdf":
        document = compliance.compliance_report(found, made_by=request.user.username, now=now)
        content, media = report_pdf(document, at=now), "application/pdf"
    else:
        file = io.BytesIO()
        spreadsheet.write_xlsx(file, lines, name=f"{_('Compliance')} {found.country} {found.month:%Y-%m}")
        content, media = file.getvalue(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    conditions = {"pais": found.country, "mes": f"{found.month:%Y-%m}"}
    record_export(user=request.user, what="compliance", rows=len(lines) - 1, conditions=conditions, now=now)
    answer = HttpResponse(content, content_type=media)
    answer["Content-Disposition"] = f'attachment; filename="cumplimiento-{found.country}-{found.month:%Y-%m}.{form}"'
    return answer


def _found(request: StaffRequest) -> compliance.ComplianceMonth | None:
    """Return the figures asked for, those of the first country where none was; None without any country."""
    countries = [code for code, _name in compliance.countries_for(request.user)]
    asked = request.GET.get("pais", "")
    country = asked if asked in countries else next(iter(countries), "")
    return compliance.compliance_month(request.user, country=country, month=_month(request)) if country else None


def _month(request: StaffRequest) -> date:
    try:
        return date.fromisoformat(request.GET.get("mes", "") + "-01")
    except ValueError:
        return schedule.today(clock.now()).replace(day=1)


def _debtor(request: StaffRequest, text: str) -> Any:
    """Return the debtor of a number, None where none was written. Raises IncidentRefused for who is out of scope."""
    if not text:
        return None
    try:
        return debtor_for(request.user, int(text) if text.isdecimal() and len(text) < 19 else 0)
    except ObjectDoesNotExist:
        raise incidents.IncidentRefused(_("There is no such debtor.")) from None


def _portfolio_of(request: StaffRequest, debtor: Any) -> Any:
    """Return the portfolio, of those the user may see, in which a debtor owes, or answers for somebody who does."""
    own = accounts_for(request.user, debtor.pk).first()
    return (own or accounts_for(request.user).filter(parties__debtor=debtor)[0]).portfolio


def _chosen_country(request: StaffRequest) -> str:
    """Return the country that was chosen. Raises IncidentRefused for one in which the user has no portfolio."""
    chosen = request.POST.get("pais", "")
    if chosen not in dict(compliance.countries_for(request.user)):
        raise incidents.IncidentRefused(_("Choose one of the countries of your portfolios."))
    return chosen


def _instant(text: str, now: datetime) -> datetime:
    """Read what the browser's calendar gives, in the installation's zone; the present where it gave nothing.

    Raises IncidentRefused for what is no day and hour.
    """
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(schedule.installation_zone().key)) if text else now
    except ValueError:
        raise incidents.IncidentRefused(_("Say when it happened.")) from None


def _place() -> Any:
    return Installation(time_zone=schedule.installation_zone().key)


urlpatterns = [
    path("incidentes/", index, name="incidents"),
    path("incidentes/registrar/", record, name="incident-record"),
    path("incidentes/<int:incident_id>/cerrar/", close, name="incident-close"),
    path("cumplimiento/", report, name="compliance"),
    path("cumplimiento/informe.<str:form>", export, name="compliance-export"),
]
