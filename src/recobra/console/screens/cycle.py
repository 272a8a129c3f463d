"""Ciclo: what the daily cycle did, live while it runs, and the button that runs it."""

from __future__ import annotations

from datetime import date, timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access.roles import Right
from recobra.console import strategy_labels
from recobra.console.guard import StaffRequest, needs
from recobra.insight.queries import board
from recobra.kit import clock
from recobra.strategy import jobs, queries, schedule
from recobra.strategy.operations import CycleRefused

from .place import Installation

__all__ = ["strategy_labels", "urlpatterns"]


@require_GET
@needs(Right.SEE_CYCLE)
def index(request: StaffRequest) -> HttpResponse:
    """Show the newest run, the runs before it and what needs attention."""
    now = clock.now()
    before = request.GET.get("antes", "")
    context = {
        **_progress(queries.latest_run()),
        "runs": queries.list_runs(before=int(before) if before.isdecimal() else None),
        "alarms": board.alarms_for(request.user),
        "next_at": schedule.next_run_at(now),
        "late": schedule.due_day(now) is not None,
        "today": schedule.today(now),
    }
    return render(request, "console/cycle/index.html", context)


@require_GET
@needs(Right.SEE_CYCLE)
def progress(request: StaffRequest) -> HttpResponse:
    """Give the panel of the newest run alone; it asks for itself while something is going on."""
    return render(request, "console/cycle/_run.html", _progress(queries.latest_run()))


@require_GET
@needs(Right.SEE_CYCLE)
def detail(request: StaffRequest, run_id: int) -> HttpResponse:
    """Show one run."""
    return render(request, "console/cycle/detail.html", _progress(queries.get_run(run_id)))


def _progress(run: object) -> dict[str, object]:
    zone = schedule.installation_zone()
    context: dict[str, object] = {
        "run": run,
        "place": Installation(time_zone=zone.key),
        "waits": queries.is_cycle_queued(),
    }
    if not isinstance(run, queries.CycleRun):
        return context
    steps = queries.steps_of(run)
    running = run.status == run.Status.RUNNING
    seconds = sum(row.seconds for _name, row in steps if row)
    return context | {
        "steps": steps,
        "done": sum(1 for _name, row in steps if row and row.status == run.Status.DONE),
        "running": running,
        "seconds": seconds,
        "lasted": timedelta(seconds=round(seconds)) if seconds >= 60 else None,
    }


@require_POST
@needs(Right.RUN_CYCLE)
def run(request: StaffRequest) -> HttpResponse:
    """Ask for the cycle of a day; a worker runs it."""
    try:
        as_of = date.fromisoformat(request.POST.get("day", ""))
        jobs.request_cycle(as_of=as_of, actor=request.user.username, actor_id=request.user.pk, now=clock.now())
    except ValueError:
        messages.error(request, _("Choose the day of the cycle."))
    except CycleRefused as refused:
        messages.error(request, str(refused))
    return redirect("console:cycle")


urlpatterns = [
    path("ciclo/", index, name="cycle"),
    path("ciclo/avance/", progress, name="cycle-progress"),
    path("ciclo/correr/", run, name="cycle-run"),
    path("ciclo/<int:run_id>/", detail, name="cycle-detail"),
]
