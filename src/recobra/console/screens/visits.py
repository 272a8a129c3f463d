"""Visitas: the route of a day by area, and the form for the result of a visit."""

from __future__ import annotations

from datetime import date

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access.roles import Right, has_right
from recobra.console.actions import actor_of
from recobra.console.forms import MoneyField
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_date
from recobra.kit import clock
from recobra.strategy import schedule
from recobra.workbench import visit_queries as queries
from recobra.workbench import visits

# A text that cannot be read is quoted up to this length.
QUOTED_LETTERS = 20


@require_GET
@needs(Right.VISIT)
def list_visits(request: StaffRequest) -> HttpResponse:
    """Show the route of a day (`?dia=`, today when not given); `?mias=1` only the user's own visits."""
    day = _read_day(request)
    if day is None:
        return redirect("console:visits")
    route = queries.visits_for(request.user, route_date=day, only_own=request.GET.get("mias") == "1")
    context = {
        "visits": route,
        "day": day,
        "areas": sorted({visit.area for visit in route}),
        "leads": has_right(request.user, Right.RUN_CAMPAIGNS),
    }
    return render(request, "console/visits/index.html", context)


@require_POST
@needs(Right.VISIT)
def order_visits(request: StaffRequest) -> HttpResponse:
    """Order the open visits of a day; with an area (`zona`) assign those of the area to the user instead."""
    day = _read_day(request)
    if day is None:
        return redirect("console:visits")
    area = request.POST.get("zona", "")
    if area:
        visits.assign_visits(route_date=day, areas=[area], user_id=request.user.pk, actor=actor_of(request))
    else:
        visits.order_route(route_date=day, actor=actor_of(request))
    return redirect(f"{reverse('console:visits')}?dia={day.isoformat()}")


@require_http_methods(["GET", "POST"])
@needs(Right.VISIT)
def record_result(request: StaffRequest, visit_id: int) -> HttpResponse:
    """Show one visit, and record its result."""
    visit = queries.visit_for(request.user, visit_id)
    data = request.POST
    promise_text = data.get("promesa", "")
    promised_on = parse_date(promise_text)
    amount_field = MoneyField(place=visit.contact.portfolio, required=False)
    if promise_text and promised_on is None:
        error = _("«%(text)s» is no day: nothing was noted.")
        messages.error(request, error % {"text": promise_text[:QUOTED_LETTERS]})
    elif request.method == "POST":
        try:
            visits.record_visit_result(
                visit_id=visit.pk,
                result=data.get("resultado", ""),
                note=data.get("nota", ""),
                promised_on=promised_on,
                promised_minor=amount_field.clean(data.get("monto", "")),
                actor=actor_of(request),
            )
        except visits.VisitRefused as refusal:
            messages.error(request, str(refusal))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
        else:
            messages.success(request, _("Noted."))
            return redirect("console:visits")
    context = {
        "visit": visit,
        "results": [(code, label) for code, label in queries.Result.choices if code],
        "posted": data,
    }
    return render(request, "console/visits/result.html", context)


def _read_day(request: StaffRequest) -> date | None:
    """Return the day of a request, today when not given; None, with a message, for what is no day."""
    parameters = request.POST if request.method == "POST" else request.GET
    text = parameters.get("dia", "")
    day = parse_date(text) if text else schedule.today(clock.now())
    if day is None:
        error = _("«%(text)s» is no day: nothing was done. This is the route of today.")
        messages.error(request, error % {"text": text[:QUOTED_LETTERS]})
    return day


urlpatterns = [
    path("visitas/", list_visits, name="visits"),
    path("visitas/ordenar/", order_visits, name="visits-order"),
    path("visitas/<int:visit_id>/", record_result, name="visit"),
]
