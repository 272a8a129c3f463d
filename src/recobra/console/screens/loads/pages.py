"""Pages of loads: the list, live while one runs, one load with its errors, and held loads."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access import operations as access
from recobra.access.roles import Right, has_right
from recobra.console import labels, spreadsheet
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_page
from recobra.intake import jobs, operations, queries
from recobra.intake.operations import LoadRefused
from recobra.kit import disk
from recobra.portfolio.debtor_pairs import count_pairs
from recobra.portfolio.queries import accounts_for, portfolios_for

PAGE_ROWS = 50


@require_GET
@needs(Right.SEE_LOADS)
def list_loads(request: StaffRequest) -> HttpResponse:
    """Show the loads, newest first; htmx, which polls while one runs, gets the list alone."""
    status = request.GET.get("estado", "")
    code = request.GET.get("cartera", "")
    loads = queries.loads_for(request.user)
    if status:
        loads = loads.filter(status=status)
    if code:
        loads = loads.filter(portfolio__code=code)
    number = parse_page(request.GET.get("pagina", ""))
    # One row more tells whether there is a next page.
    rows = list(loads[(number - 1) * PAGE_ROWS : number * PAGE_ROWS + 1])
    waiting = jobs.count_unfinished()
    context: dict[str, Any] = {
        "rows": rows[:PAGE_ROWS],
        "following": number + 1 if len(rows) > PAGE_ROWS else None,
        "waiting": waiting,
        "shortage": disk.find_shortage(),
        "busy": waiting or any(load.status == "RUNNING" for load in rows),
        "filtered": bool(status or code),
    }
    if request.htmx and not request.htmx.boosted:  # type: ignore[attr-defined]
        return render(request, "console/loads/_list.html", context)
    context |= {"portfolios": portfolios_for(request.user), "statuses": labels.choices("load")}
    return render(request, "console/loads/index.html", context)


@require_GET
@needs(Right.SEE_LOADS)
def show_load(request: StaffRequest, load_id: int) -> HttpResponse:
    """Show one load: its figures, the errors by row, and the diagnosis of the portfolio."""
    load = queries.load_for(request.user, load_id)
    page = parse_page(request.GET.get("pagina", ""), last=100_000)
    is_held = load.status == "HELD"
    # The rows of a held load are those that a person must decide about, too.
    has_alike = is_held and any(reason["code"] == "alike" for reason in load.figures.get("held", ()))
    rejected = load.rejected.count() if is_held else int(load.figures.get("rejected") or 0)
    critical = list((load.diagnosis or {}).get("critical", ()))
    accounts = accounts_for(request.user).select_related("debtor").in_bulk([row["account_id"] for row in critical])
    context = {
        "load": load,
        "portfolio": load.portfolio,
        # An account may have been taken out since.
        "critical": [(row, accounts[row["account_id"]]) for row in critical if row["account_id"] in accounts],
        "trend": queries.quality_trend([load.portfolio_id]).get(load.portfolio_id, []),
        "can_download": has_right(request.user, Right.LOAD_FILES) and load.warnings.exists(),
        "has_alike": has_alike,
        "page": page,
        "alike": count_pairs(request.user, creditor_id=load.portfolio.creditor_id) if load.status == "DONE" else 0,
        "errors": queries.errors_for(load, page=page) if rejected else [],
        "following": page + 1 if page * queries.PAGE_ROWS < rejected else None,
    }
    return render(request, "console/loads/detail.html", context)


@require_GET
@needs(Right.LOAD_FILES)
def download_errors(request: StaffRequest, load_id: int) -> HttpResponseBase:
    """Download the rejected rows as they came, to be mended and loaded again, and record the export."""
    load = queries.load_for(request.user, load_id)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "errors.csv"
        rows = operations.write_errors(load_id=load.pk, path=target)
        file = tempfile.TemporaryFile()  # noqa: SIM115 - FileResponse closes it
        file.write(target.read_bytes())
    access.record_export(what="load_errors", rows=rows, conditions={"load": str(load.pk)}, actor=actor_of(request))
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"carga-{load.pk}-errores.csv")


@require_GET
@needs(Right.LOAD_FILES)
def download_warnings(request: StaffRequest, load_id: int) -> HttpResponseBase:
    """Download the warnings of a load by line, and record the export."""
    load = queries.load_for(request.user, load_id)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - FileResponse closes it
    rows = spreadsheet.write(file, queries.warning_lines(load), file_format="csv", name=_("Warnings"))
    access.record_export(what="load_warnings", rows=rows, conditions={"load": str(load.pk)}, actor=actor_of(request))
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"carga-{load.pk}-avisos.csv")


@require_POST
@needs(Right.LOAD_FILES)
def confirm_load(request: StaffRequest, load_id: int) -> HttpResponse:
    """Queue a held load for a worker; `parecidos=iguales` takes numbers for the known ones that they are like."""
    load = queries.load_for(request.user, load_id)
    is_joined = request.POST.get("parecidos") == "iguales"
    try:
        jobs.queue_confirmation(load=load, alike="join" if is_joined else "apart", actor=actor_of(request))
    except LoadRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The file is with a worker. You may leave this page."))
    return redirect("console:loads")


@require_POST
@needs(Right.LOAD_FILES)
def discard_load(request: StaffRequest, load_id: int) -> HttpResponse:
    """Discard a held load."""
    load = queries.load_for(request.user, load_id)
    try:
        operations.discard_load(load_id=load.pk, actor=actor_of(request))
    except LoadRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The file was discarded; the portfolio stays as it was."))
    return redirect("console:load", load.pk)


urlpatterns = [
    path("cargas/", list_loads, name="loads"),
    path("cargas/<int:load_id>/", show_load, name="load"),
    path("cargas/<int:load_id>/errores.csv", download_errors, name="load-errors"),
    path("cargas/<int:load_id>/avisos.csv", download_warnings, name="load-warnings"),
    path("cargas/<int:load_id>/confirmar/", confirm_load, name="load-confirm"),
    path("cargas/<int:load_id>/descartar/", discard_load, name="load-discard"),
]
