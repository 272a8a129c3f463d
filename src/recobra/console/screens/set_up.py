"""Puesta en marcha: the steps from an empty installation to the first contacts, and what a day would bring."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access.roles import Right
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_date
from recobra.console.reasons import explain
from recobra.insight.queries import board, set_up
from recobra.kit import clock
from recobra.portfolio.operations import CREDITOR_DETAILS
from recobra.portfolio.queries import working_portfolios_for
from recobra.strategy import jobs, queries, schedule
from recobra.strategy.operations import CycleRefused, preview_day

from .own_notices import describe_own_notices
from .place import installation_place

DAYS_AHEAD: Final = 7


@require_GET
@needs(Right.OPEN_PORTFOLIOS)
def show_set_up(request: StaffRequest) -> HttpResponse:
    """Show each step with what exists of it, and the next one; the plan of tomorrow comes by itself below."""
    now = clock.now()
    state = set_up.read_set_up(request.user, now=now)
    steps = []
    for number, step in enumerate(set_up.Step, start=1):
        steps.append(
            {
                "code": step.value,
                "number": number,
                "template": f"console/set_up/_{step.value}.html",
                "is_done": step in state.done,
                "is_next": step is state.next_step,
                "is_optional": step in set_up.OPTIONAL,
            }
        )
    context = {
        "state": state,
        "steps": steps,
        "missing": [str(CREDITOR_DETAILS[fact.field]) for fact in state.missing],
        "place": installation_place(),
        "today": schedule.today(now),
        "next_at": schedule.next_run_at(now),
        "waits": queries.is_cycle_queued(),
        "alarms": board.alarms_for(request.user),
        "own_notices": describe_own_notices(request.user),
    }
    return render(request, "console/set_up/index.html", context)


@require_GET
@needs(Right.OPEN_PORTFOLIOS)
def show_day(request: StaffRequest) -> HttpResponse:
    """Show what the cycle of a day (`?dia=`, tomorrow unless given) would plan as things stand; nothing is written."""
    today = schedule.today(clock.now())
    last = today + timedelta(days=DAYS_AHEAD)
    asked = parse_date(request.GET.get("dia", ""))
    as_of = min(max(asked, today), last) if asked else today + timedelta(days=1)
    portfolios = {portfolio.pk: portfolio for portfolio in working_portfolios_for(request.user)}
    preview = preview_day(portfolio_ids=list(portfolios), as_of=as_of)
    refused = [(group, portfolios[group.portfolio_id], explain(group.reason)) for group in preview.refused]
    context = {
        "preview": preview,
        "planned": [(group, portfolios[group.portfolio_id]) for group in preview.planned],
        "refused": refused,
        "tasks": [(group, portfolios[group.portfolio_id]) for group in preview.tasks],
        "left_out": [(portfolios[pk], reason) for pk, reason in preview.left_out.items()],
        "today": today,
        "days": [today + timedelta(days=days) for days in range(DAYS_AHEAD + 1)],
        "place": installation_place(),
        "waits": queries.is_cycle_queued(),
        "next_at": schedule.next_run_at(clock.now()),
    }
    return render(request, "console/set_up/day.html", context)


@require_POST
@needs(Right.RUN_CYCLE)
def run_today(request: StaffRequest) -> HttpResponse:
    """Queue the cycle of today for a worker, and go where its steps are seen."""
    actor = actor_of(request)
    try:
        jobs.request_cycle(as_of=schedule.today(actor.now), actor=actor)
    except CycleRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:set-up")
    messages.success(request, _("The day is being planned: its messages leave at their hours."))
    return redirect("console:cycle")


urlpatterns = [
    path("puesta-en-marcha/", show_set_up, name="set-up"),
    path("puesta-en-marcha/dia/", show_day, name="set-up-day"),
    path("puesta-en-marcha/ejecutar/", run_today, name="set-up-run"),
]
