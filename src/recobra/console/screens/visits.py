"""Visitas: the route of a day by area, and the form that is filled in at the door."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access.queries import portfolio_codes
from recobra.access.roles import Right, may
from recobra.console.guard import StaffRequest, needs
from recobra.kit import clock
from recobra.strategy import schedule
from recobra.workbench import visit_queries as queries
from recobra.workbench import visits


@require_GET
@needs(Right.VISIT)
def index(request: StaffRequest) -> HttpResponse:
    """Show the route of a day (`?dia=`, today when not given); `?mias=1` only the user's own."""
    day = _day(request)
    if day is None:
        return redirect("console:visits")
    found = queries.visits_for(request.user, route_date=day, mine=request.GET.get("mias") == "1")
    leads = may(request.user, Right.RUN_CAMPAIGNS)
    context = {"visits": found, "day": day, "areas": sorted({each.area for each in found}), "leads": leads}
    return render(request, "console/visits/index.html", context)


@require_POST
@needs(Right.VISIT)
def order(request: StaffRequest) -> HttpResponse:
    """Put the open visits of a day in the order of the way, and take an area for oneself where one is named."""
    day, area, user = _day(request), request.POST.get("zona", ""), request.user
    if day is None:
        return redirect("console:visits")
    codes = portfolio_codes(user)
    if area:
        visits.assign_visits(
            route_date=day,
            areas=[area],
            user_id=user.pk,
            portfolio_codes=codes,
            actor=user.username,
            actor_id=user.pk,
            now=clock.now(),
        )
    else:
        visits.order_route(route_date=day, portfolio_codes=codes, now=clock.now())
    return redirect(f"{reverse('console:visits')}?dia={day.isoformat()}")


@require_http_methods(["GET", "POST"])
@needs(Right.VISIT)
def result(request: StaffRequest, visit_id: int) -> HttpResponse:
    """Show one door, and note what came of it."""
    visit, given = queries.visit_for(request.user, visit_id), request.POST
    promised = given.get("promesa", "")
    if promised and _given_day(promised) is None:
        messages.error(request, _("«%(text)s» is no day: nothing was noted.") % {"text": promised[:20]})
    elif request.method == "POST":
        try:
            visits.note_visit(
                visit_id=visit.pk,
                result=given.get("resultado", ""),
                words=given.get("nota", ""),
                promised_on=_given_day(promised),
                portfolio_codes=portfolio_codes(request.user),
                actor=request.user.username,
                actor_id=request.user.pk,
                now=clock.now(),
            )
        except visits.VisitRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Noted."))
            return redirect("console:visits")
    context = {"visit": visit, "results": [each for each in queries.Result.choices if each[0]], "given": given}
    return render(request, "console/visits/result.html", context)


def _day(request: StaffRequest) -> date | None:
    """Return the day asked for, today where none was; None, which the person is told, for what is no day."""
    text = (request.POST if request.method == "POST" else request.GET).get("dia", "")
    day = _given_day(text) if text else schedule.today(clock.now())
    if day is None:
        said = _("«%(text)s» is no day: nothing was done. This is the route of today.")
        messages.error(request, said % {"text": text[:20]})
    return day


def _given_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


urlpatterns = [
    path("visitas/", index, name="visits"),
    path("visitas/ordenar/", order, name="visits-order"),
    path("visitas/<int:visit_id>/", result, name="visit"),
]
