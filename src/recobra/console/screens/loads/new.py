"""Pages of a new load: upload, choice of columns, dry run, and the queue for a worker."""

from __future__ import annotations

from datetime import date
from typing import Any, TypedDict

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recobra.access.roles import Right
from recobra.console import uploads
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_date, parse_id
from recobra.console.table_place import read_table_place
from recobra.intake import jobs, operations, queries
from recobra.intake.operations import LoadRefused
from recobra.intake.queries import Mapping
from recobra.intake.refusals import expected_words
from recobra.kit import clock, upload_pass
from recobra.portfolio.queries import Portfolio, working_portfolios_for
from recobra.tabular import caged
from recobra.tabular.refusals import READERS_BUSY

from . import columns


@require_http_methods(["GET", "POST"])
@needs(Right.LOAD_FILES)
def upload_file(request: StaffRequest) -> HttpResponse:
    """Upload a file for a portfolio."""
    portfolios = working_portfolios_for(request.user)
    problem = ""
    # While the person chooses the file, who will read it gets ready.
    caged.prepare()
    if request.method == "POST":
        try:
            upload = uploads.receive_upload(request, {portfolio.code for portfolio in portfolios})
        except uploads.UploadRefused as refusal:
            problem = str(refusal)
        else:
            return redirect("console:load-columns", upload.token)
    chosen = request.POST.get("portfolio", request.GET.get("cartera", ""))
    context = {"portfolios": portfolios, "problem": problem, "chosen": chosen}
    response = render(request, "console/loads/begin.html", context, status=422 if problem else 200)
    upload_pass.give(response, user_id=request.user.pk)
    return response


@require_http_methods(["GET", "POST"])
@needs(Right.LOAD_FILES)
def choose_columns(request: StaffRequest, token: str) -> HttpResponse:
    """Choose the columns; then run the load dry (`do=try`), or queue it for a worker (`do=load`)."""
    upload, portfolio = uploads.find_upload(request.user, token)
    place = read_table_place(request)
    saved = list(queries.mappings_for(request.user, portfolio.code))
    known = [name for mapping in saved for name in columns.mapped_columns(mapping.document)]
    try:
        preview = operations.preview_file(upload.path, columns=known, **place)
    except LoadRefused as refusal:
        if any(place.values()):
            # The person may say another sheet or line; the file itself was readable without one.
            messages.error(request, str(refusal))
            return redirect("console:load-columns", upload.token)
        context = {
            "portfolios": working_portfolios_for(request.user),
            "problem": str(refusal),
            "chosen": portfolio.code,
        }
        if refusal.code == READERS_BUSY:
            # Nobody has looked at it yet: this address again, in a minute.
            return render(request, "console/loads/begin.html", context, status=503)
        uploads.discard_upload(upload)
        return render(request, "console/loads/begin.html", context, status=422)
    if request.method == "POST":
        options = _read_form(request, portfolio, saved, preview)
        if request.POST.get("do") == "load":
            return _queue_load(request, upload, portfolio, options)
        return _try_load(request, upload, portfolio, options)
    context = _columns_context(request, upload, portfolio, saved, preview)
    return render(request, "console/loads/columns.html", context | {"place": place})


def _columns_context(
    request: StaffRequest, upload: uploads.Upload, portfolio: Portfolio, saved: list[Mapping], preview: dict[str, Any]
) -> dict[str, Any]:
    """Return the context of the choice of columns, which starts from a saved mapping or from the guess of the preview.

    `preview` is the result of `preview_file`: its `headers`, its first rows, and a `mapping` guessed from them.
    """
    base = columns.starting_mapping(saved, request.GET.get("mapeo", ""), preview["headers"])
    document = base.document if base else preview["mapping"]
    return {
        "upload": upload,
        "portfolio": portfolio,
        "preview": preview,
        "saved": saved,
        "base": base,
        "fits": base is not None and columns.has_mapped_columns(document, preview["headers"]),
        "chosen": columns.match_columns(document, preview["headers"]),
        "targets": columns.target_labels(columns.known_columns(portfolio, saved)),
        "has_own_columns": True,
        "options": columns.option_choices(document.get("options") or {}),
        "name": document.get("name", "default"),
        "today": clock.today(portfolio.time_zone),
    }


class LoadOptions(TypedDict):
    """What the form says about a load, as `load_file` and `queue_load` take it."""

    mapping: dict[str, Any]
    as_of: date
    control: dict[str, Any] | None
    partial: bool | None


def _try_load(
    request: StaffRequest, upload: uploads.Upload, portfolio: Portfolio, options: LoadOptions
) -> HttpResponse:
    """Run the load dry and show what it would do; nothing is written."""
    try:
        result = operations.load_file(
            path=upload.path,
            file_name=upload.file_name,
            portfolio_code=portfolio.code,
            dry_run=True,
            actor=actor_of(request),
            **options,
        )
    except LoadRefused as refusal:
        return render(request, "console/loads/_tried.html", {"refused": str(refusal)})
    rejected_rows = []
    for row in result["errors"]:
        errors = [error | {"expected": expected_words(error)} for error in row["errors"]]
        rejected_rows.append(row | {"errors": errors})
    context = {"result": result | {"errors": rejected_rows}, "portfolio": portfolio}
    return render(request, "console/loads/_tried.html", context)


def _queue_load(
    request: StaffRequest, upload: uploads.Upload, portfolio: Portfolio, options: LoadOptions
) -> HttpResponse:
    """Queue the load for a worker, which deletes the file in the end."""
    try:
        jobs.queue_load(
            path=upload.path,
            file_name=upload.file_name,
            portfolio_code=portfolio.code,
            actor=actor_of(request),
            **options,
        )
    except LoadRefused as refusal:
        return render(request, "console/loads/_tried.html", {"refused": str(refusal)})
    uploads.discard_upload(upload, keep_bytes=True)
    messages.success(request, _("The file is with a worker. You may leave this page."))
    return redirect("console:loads")


def _read_form(
    request: StaffRequest, portfolio: Portfolio, saved: list[Mapping], preview: dict[str, Any]
) -> LoadOptions:
    """Return the options of the load that was posted; what cannot be read counts as not given."""
    post = request.POST
    saved_documents = {str(mapping.pk): mapping.document for mapping in saved}
    # A saved mapping that is used as it is keeps its version.
    saved_mapping = saved_documents.get(post.get("saved", ""))
    # The totals that the sender stated; the load is held where the file does not add up to them.
    control: dict[str, Any] = {}
    stated_rows = parse_id(post.get("control-rows", ""))
    if stated_rows is not None:
        control["rows"] = stated_rows
    if post.get("control-amount"):
        control["amount"] = post["control-amount"]
    return {
        "mapping": saved_mapping
        or columns.from_post(
            post, preview["headers"], read_table_place(request), columns.known_columns(portfolio, saved)
        ),
        "as_of": parse_date(post.get("as_of", "")) or clock.today(portfolio.time_zone),
        "control": control or None,
        # None leaves it to the mapping whether the file is only a part.
        "partial": True if post.get("partial") else None,
    }


urlpatterns = [
    path("cargas/nueva/", upload_file, name="load-new"),
    path("cargas/nueva/<str:token>/", choose_columns, name="load-columns"),
]
