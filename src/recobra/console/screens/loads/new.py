"""A new load: file and portfolio, then its columns, tried without writing, then handed to a worker."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from recobra.access.roles import Right
from recobra.console import uploads
from recobra.console.guard import StaffRequest, needs
from recobra.intake import jobs, operations, queries
from recobra.intake.operations import LoadRefused
from recobra.intake.refusals import expected_words
from recobra.kit import clock
from recobra.portfolio.queries import portfolios_for

from . import columns


@require_http_methods(["GET", "POST"])
@needs(Right.LOAD_FILES)
def upload_file(request: StaffRequest) -> HttpResponse:
    """Take the file and the portfolio it is for."""
    portfolios, file = portfolios_for(request.user), request.FILES.get("file")
    code = request.POST.get("portfolio", "")
    problem = ""
    if request.method == "POST":
        if file is not None and code in {each.code for each in portfolios}:
            upload = uploads.save_upload(file=file, portfolio_code=code, user=request.user, now=clock.now())
            return redirect("console:load-columns", upload.token)
        problem = _("Choose a file and the portfolio it is for.")
    context = {"portfolios": portfolios, "problem": problem}
    return render(request, "console/loads/begin.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "POST"])
@needs(Right.LOAD_FILES)
def choose_columns(request: StaffRequest, token: str) -> HttpResponse:
    """Say what each column is; try it without writing (`do=try`), or hand it to a worker (`do=load`)."""
    upload = uploads.find_upload(request.user, token)
    portfolio = next((each for each in portfolios_for(request.user) if each.code == upload.portfolio_code), None)
    if portfolio is None:
        raise ObjectDoesNotExist
    try:
        shown = operations.preview(upload.path)
    except LoadRefused as refusal:
        uploads.discard_upload(upload)
        context = {"portfolios": portfolios_for(request.user), "problem": str(refusal)}
        return render(request, "console/loads/begin.html", context, status=422)
    if request.method == "POST":
        return _try_or_queue(request, upload, portfolio, shown)
    return render(request, "console/loads/columns.html", _columns_context(request, upload, portfolio, shown))


def _columns_context(
    request: StaffRequest, upload: uploads.Upload, portfolio: Any, shown: dict[str, Any]
) -> dict[str, Any]:
    saved = list(queries.mappings_for(request.user, portfolio.code))
    base = _starting_mapping(saved, request.GET.get("mapeo", ""), shown["headers"])
    document = base.document if base else shown["mapping"]
    return {
        "upload": upload,
        "portfolio": portfolio,
        "shown": shown,
        "saved": saved,
        "base": base,
        "fits": base is not None and columns.has_mapped_columns(document, shown["headers"]),
        "chosen": columns.match_columns(document, shown["headers"]),
        "targets": columns.target_labels(),
        "options": columns.option_choices(document.get("options") or {}),
        "name": document.get("name", "default"),
        "today": clock.today(portfolio.time_zone),
    }


def _starting_mapping(saved: list[Any], given: str, headers: list[str]) -> Any:
    """Return the mapping to start from: the one asked for, else the newest that fits the file, else none."""
    if given:
        return next((each for each in saved if str(each.pk) == given), None)
    fitting = [each for each in saved if columns.has_mapped_columns(each.document, headers)]
    return max(fitting, key=lambda each: (each.created_at, each.pk), default=None)


def _try_or_queue(request: StaffRequest, upload: uploads.Upload, portfolio: Any, shown: dict[str, Any]) -> HttpResponse:
    """Try or queue the load as the form says it."""
    try:
        asked = _read_form(request, portfolio, shown)
        if request.POST.get("do") != "load":
            result = operations.load_file(
                path=upload.path,
                file_name=upload.file_name,
                portfolio_code=portfolio.code,
                dry_run=True,
                actor=request.user.username,
                now=clock.now(),
                **asked,
            )
            return render(request, "console/loads/_tried.html", {"result": _said(result), "portfolio": portfolio})
        jobs.ask_for_load(
            path=upload.path,
            file_name=upload.file_name,
            portfolio_code=portfolio.code,
            actor=request.user.username,
            **asked,
        )
    except LoadRefused as refusal:
        return render(request, "console/loads/_tried.html", {"refused": str(refusal)})
    uploads.discard_upload(upload, keep_bytes=True)
    messages.success(request, _("The file is with a worker. You may leave this page."))
    return redirect("console:loads")


def _said(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result whose errors say in words what was expected."""
    rows = [
        row | {"errors": [error | {"expected": expected_words(error)} for error in row["errors"]]}
        for row in result["errors"]
    ]
    return result | {"errors": rows}


def _read_form(request: StaffRequest, portfolio: Any, shown: dict[str, Any]) -> dict[str, Any]:
    post = request.POST
    saved = {str(each.pk): each.document for each in queries.mappings_for(request.user, portfolio.code)}
    as_it_is = saved.get(post.get("saved", ""))
    control = {
        name: int(post[f"control-{name}"]) if name == "rows" else post[f"control-{name}"]
        for name in ("rows", "amount")
        if post.get(f"control-{name}") and (name == "amount" or post[f"control-{name}"].isdecimal())
    }
    return {
        "mapping": as_it_is or columns.from_post(post, shown["headers"]),
        "as_of": _day(post.get("as_of", ""), clock.today(portfolio.time_zone)),
        "control": control or None,
        "partial": True if post.get("partial") else None,
    }


def _day(text: str, otherwise: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return otherwise


urlpatterns = [
    path("cargas/nueva/", upload_file, name="load-new"),
    path("cargas/nueva/<str:token>/", choose_columns, name="load-columns"),
]
