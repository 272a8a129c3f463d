"""Ciclo: the runs of the daily cycle, live while one is going on, and the button that starts one."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access.queries import portfolio_codes
from recobra.access.roles import Right
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_date, parse_id
from recobra.insight.queries import board
from recobra.kit import clock, disk
from recobra.strategy import jobs, queries, schedule
from recobra.strategy.operations import CycleRefused, describe_planned_day

from .place import installation_place

_MINUTE_SECONDS = 60


@require_GET
@needs(Right.SEE_CYCLE)
def show_cycle(request: StaffRequest) -> HttpResponse:
    """Show the newest run, the runs before it and the alarms."""
    now = clock.now()
    context = {
        **_run_context(request, queries.latest_run()),
        "runs": queries.figures_of(request.user, queries.list_runs(before=parse_id(request.GET.get("antes", "")))),
        "alarms": board.alarms_for(request.user),
        "next_at": schedule.next_run_at(now),
        "late": schedule.due_day(now) is not None,
        "today": schedule.today(now),
    }
    return render(request, "console/cycle/index.html", context)


@require_GET
@needs(Right.SEE_CYCLE)
def show_progress(request: StaffRequest) -> HttpResponse:
    """Show the panel of the newest run alone: the page polls it while a run is going on."""
    return render(request, "console/cycle/_run.html", _run_context(request, queries.latest_run()))


@require_GET
@needs(Right.SEE_CYCLE)
def show_run(request: StaffRequest, run_id: int) -> HttpResponse:
    """Show one run."""
    return render(request, "console/cycle/detail.html", _run_context(request, queries.get_run(run_id)))


def _run_context(request: StaffRequest, run: queries.CycleRun | None) -> dict[str, object]:
    """Return the context of a run and its steps; of the queue alone where no cycle has run yet."""
    context: dict[str, object] = {
        "run": run,
        "place": installation_place(),
        "waits": queries.is_cycle_queued(),
        "shortage": disk.find_shortage(),
    }
    if run is None:
        return context
    steps = queries.steps_of(run)
    (figures,) = queries.figures_of(request.user, [run])
    seconds = sum(row.seconds for _name, row in steps if row)
    return context | {
        # Later days build on earlier ones: the latest goes first.
        "can_be_taken_back": run.status == run.Status.DONE and run.as_of == queries.latest_day(),
        "steps": steps,
        "figures": figures,
        # What the steps counted is of all portfolios.
        "sees_all": portfolio_codes(request.user) is None,
        "done": sum(1 for _name, row in steps if row and row.status == run.Status.DONE),
        "running": run.status == run.Status.RUNNING,
        "seconds": seconds,
        # Shorter runs are shown in seconds.
        "lasted": timedelta(seconds=round(seconds)) if seconds >= _MINUTE_SECONDS else None,
    }


@require_POST
@needs(Right.RUN_CYCLE)
def request_run(request: StaffRequest) -> HttpResponse:
    """Queue the cycle of a day for a worker."""
    as_of = parse_date(request.POST.get("day", ""))
    if as_of is None:
        messages.error(request, _("Choose the day of the cycle."))
        return redirect("console:cycle")
    try:
        jobs.request_cycle(as_of=as_of, actor=actor_of(request))
    except CycleRefused as refusal:
        messages.error(request, str(refusal))
    return redirect("console:cycle")


@require_http_methods(["GET", "POST"])
@needs(Right.RUN_CYCLE)
def take_back(request: StaffRequest, run_id: int) -> HttpResponse:
    """Ask whether to take a planned day back, with what that undoes, and queue it for a worker."""
    run = queries.get_run(run_id)
    try:
        if request.method == "POST":
            jobs.request_take_back(as_of=run.as_of, actor=actor_of(request))
            messages.success(request, _("The plan of the day is being taken back; it takes a moment."))
            return redirect("console:cycle")
        planned = describe_planned_day(as_of=run.as_of)
    except CycleRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:cycle")
    return render(request, "console/cycle/take_back.html", {"run": run, "planned": planned})


urlpatterns = [
    path("ciclo/", show_cycle, name="cycle"),
    path("ciclo/avance/", show_progress, name="cycle-progress"),
    path("ciclo/correr/", request_run, name="cycle-run"),
    path("ciclo/<int:run_id>/", show_run, name="cycle-detail"),
    path("ciclo/<int:run_id>/deshacer/", take_back, name="cycle-take-back"),
]
