"""Incidentes: the register with corrective actions, and the monthly compliance report of a country."""

from __future__ import annotations

import io
from datetime import date, datetime

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
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import FIRST_YEAR, LAST_YEAR, parse_date, parse_id
from recobra.insight.queries import compliance
from recobra.kit import clock
from recobra.portfolio.queries import Debtor, Portfolio, accounts_for, debtor_for
from recobra.strategy import schedule

from .place import installation_place

PAGE_ROWS = 50


@require_GET
@needs(Right.SEE_COMPLIANCE)
def list_incidents(request: StaffRequest) -> HttpResponse:
    """Show the register; `?abiertos=1` only the open incidents."""
    parameters = request.GET
    register = queries.incidents_for(
        request.user,
        country=parameters.get("pais", ""),
        kind=parameters.get("tipo", ""),
        only_open=parameters.get("abiertos") == "1",
    )
    context = {
        "page": Paginator(register, PAGE_ROWS).get_page(parameters.get("pagina")),
        "kinds": queries.Kind.choices,
        "breaches": queries.Breach.choices,
        "countries": compliance.countries_for(request.user),
        "place": installation_place(),
        "filtered": any(parameters.get(name) for name in ("pais", "tipo", "abiertos")),
    }
    return render(request, "console/incidents/index.html", context)


@require_POST
@needs(Right.RECORD_INCIDENT)
def record_incident(request: StaffRequest) -> HttpResponse:
    """Record an incident by hand, about a debtor in the user's scope or none."""
    data = request.POST
    actor = actor_of(request)
    try:
        debtor = _read_debtor(request, data.get("deudor", "").strip())
        portfolio: Portfolio | None = None
        if debtor is None:
            country = _read_country(request)
        else:
            portfolio = _portfolio_of_debtor(request, debtor)
            # The law of the debtor's country applies, whatever was chosen in the form.
            country = debtor.country or portfolio.country
        incidents.record_incident(
            kind=data.get("tipo", ""),
            country=country,
            description=data.get("descripcion", ""),
            happened_at=_read_instant(data.get("cuando", ""), actor.now),
            debtor_id=debtor.pk if debtor else None,
            portfolio_id=portfolio.pk if portfolio else None,
            breach=data.get("falta", "other"),
            actor=actor,
        )
    except incidents.IncidentRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The incident is in the register."))
        if country != data.get("pais", country):
            messages.info(request, _("It stands under %(country)s, the debtor's country.") % {"country": country})
    return redirect("console:incidents")


@require_POST
@needs(Right.RECORD_INCIDENT)
def close_incident(request: StaffRequest, incident_id: int) -> HttpResponse:
    """Close an incident with its corrective action."""
    incident = queries.incident_for(request.user, incident_id)
    try:
        incidents.close_incident(
            incident_id=incident.pk, corrective_action=request.POST.get("accion", ""), actor=actor_of(request)
        )
    except incidents.IncidentRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The incident is closed."))
    return redirect("console:incidents")


@require_GET
@needs(Right.SEE_COMPLIANCE)
def show_report(request: StaffRequest) -> HttpResponse:
    """Show the month of a country (`?pais=PE&mes=2026-11`)."""
    figures = _month_figures(request)
    context = {
        "report": figures,
        "figures": compliance.measures_of(figures) if figures else (),
        "place": installation_place(),
        "countries": compliance.countries_for(request.user),
        "month": _read_month(request),
    }
    return render(request, "console/incidents/report.html", context)


@require_GET
@needs(Right.EXPORT)
def export_report(request: StaffRequest, form: str) -> HttpResponse:
    """Download the month as a document or a spreadsheet."""
    figures = _month_figures(request)
    now = clock.now()
    if figures is None or form not in {"pdf", "xlsx"}:
        raise Http404
    lines = compliance.spreadsheet_rows(figures)
    if form == "pdf":
        document = compliance.compliance_report(figures, made_by=request.user.username, now=now)
        content = report_pdf(document, at=now)
        content_type = "application/pdf"
    else:
        file = io.BytesIO()
        spreadsheet.write_xlsx(file, lines, name=f"{_('Compliance')} {figures.country} {figures.month:%Y-%m}")
        content = file.getvalue()
        content_type = spreadsheet.XLSX_TYPE
    conditions = {"pais": figures.country, "mes": f"{figures.month:%Y-%m}"}
    record_export(what="compliance", rows=len(lines) - 1, conditions=conditions, actor=actor_of(request))
    response = HttpResponse(content, content_type=content_type)
    name = f"cumplimiento-{figures.country}-{figures.month:%Y-%m}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _month_figures(request: StaffRequest) -> compliance.ComplianceMonth | None:
    """Return the figures of the month and country chosen, else of the first country; None without any country."""
    countries = [code for code, _name in compliance.countries_for(request.user)]
    if not countries:
        return None
    country = request.GET.get("pais", "")
    if country not in countries:
        country = countries[0]
    return compliance.compliance_month(request.user, country=country, month=_read_month(request))


def _read_month(request: StaffRequest) -> date:
    """Return the first day of the month chosen (`?mes=2026-11`), else of the present month."""
    month_text = request.GET.get("mes", "")
    month = parse_date(f"{month_text}-01")
    if month is None:
        return schedule.today(clock.now()).replace(day=1)
    return month


def _read_debtor(request: StaffRequest, text: str) -> Debtor | None:
    """Return the debtor of a number, None for an empty text. Raises IncidentRefused outside the user's scope."""
    if not text:
        return None
    try:
        return debtor_for(request.user, parse_id(text) or 0)
    except ObjectDoesNotExist:
        raise incidents.IncidentRefused(_("There is no such debtor.")) from None


def _portfolio_of_debtor(request: StaffRequest, debtor: Debtor) -> Portfolio:
    """Return a portfolio of the user's in which a debtor owes, or answers for somebody who does."""
    own_account = accounts_for(request.user, debtor.pk).first()
    if own_account is not None:
        return own_account.portfolio
    return accounts_for(request.user).filter(parties__debtor=debtor)[0].portfolio


def _read_country(request: StaffRequest) -> str:
    """Return the country chosen. Raises IncidentRefused for one in which the user has no portfolio."""
    country = request.POST.get("pais", "")
    if country not in dict(compliance.countries_for(request.user)):
        raise incidents.IncidentRefused(_("Choose one of the countries of your portfolios."))
    return country


def _read_instant(text: str, now: datetime) -> datetime:
    """Return an instant of the browser's calendar, in the installation's zone; `now` for an empty text.

    Raises IncidentRefused for anything that is not a day and hour.
    """
    if not text:
        return now
    try:
        local_time = datetime.fromisoformat(text)
    except ValueError:
        local_time = None
    if local_time is None or not FIRST_YEAR <= local_time.year <= LAST_YEAR:
        raise incidents.IncidentRefused(_("Say when it happened."))
    return local_time.replace(tzinfo=schedule.installation_zone())


urlpatterns = [
    path("incidentes/", list_incidents, name="incidents"),
    path("incidentes/registrar/", record_incident, name="incident-record"),
    path("incidentes/<int:incident_id>/cerrar/", close_incident, name="incident-close"),
    path("cumplimiento/", show_report, name="compliance"),
    path("cumplimiento/informe.<str:form>", export_report, name="compliance-export"),
]
