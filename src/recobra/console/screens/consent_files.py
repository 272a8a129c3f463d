"""Consentimientos: who can be reached with authorisation and without, by country, and lists of consents by file."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET, require_http_methods

from recobra.access.roles import Right
from recobra.consent import consent_files
from recobra.console import uploads
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.table_place import read_table_place
from recobra.insight.queries.consent_reach import consent_by_country
from recobra.kit import clock
from recobra.kit.countries import country_name
from recobra.portfolio.queries import Portfolio, portfolios_for
from recobra.tabular import caged
from recobra_core.law import load_countries

from .countries.description import read_law
from .loads import columns

SHOWN_ROWS: Final = 8
SHOWN_ERRORS: Final = 200


@require_GET
@needs(Right.SEE_COMPLIANCE)
def show_reach(request: StaffRequest) -> HttpResponse:
    """Show by country and channel how many debtors can be reached with an authorisation and without."""
    today = clock.now().date()
    countries = []
    for code, reaches in sorted(consent_by_country(request.user).items()):
        channels = read_law(code, today).channels if code in load_countries() else ()
        laws = {each.channel: each for each in channels if each.place == code}
        rows = [(reach, laws[reach.channel].consent if reach.channel in laws else None) for reach in reaches]
        barred = [reach for reach, consent in rows if consent and reach.reachable and not reach.authorised]
        is_mute = (
            bool(barred)
            and all(consent or not reach.reachable for reach, consent in rows)
            and not any(reach.authorised for reach, _consent in rows)
        )
        countries.append({"name": country_name(code), "rows": rows, "is_mute": is_mute, "code": code})
    return render(request, "console/consent_files/reach.html", {"countries": countries})


@require_http_methods(["GET", "POST"])
@needs(Right.LOAD_FILES)
def upload_consents(request: StaffRequest) -> HttpResponse:
    """Upload a list of consents for a portfolio."""
    portfolios = portfolios_for(request.user)
    problem = ""
    caged.prepare()
    if request.method == "POST":
        try:
            upload = uploads.receive_upload(request, {portfolio.code for portfolio in portfolios})
        except uploads.UploadRefused as refusal:
            problem = str(refusal)
        else:
            return redirect("console:consent-columns", upload.token)
    context = {"portfolios": portfolios, "problem": problem}
    return render(request, "console/consent_files/begin.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "POST"])
@needs(Right.LOAD_FILES)
def choose_consent_columns(request: StaffRequest, token: str) -> HttpResponse:
    """Choose the columns; then try the file (`do=try`), or enter its consents (`do=load`)."""
    upload, portfolio = uploads.find_upload(request.user, token)
    place = read_table_place(request)
    try:
        preview = consent_files.preview_consents(upload.path, shown_rows=SHOWN_ROWS, **place)
    except consent_files.ConsentFileRefused as refusal:
        if refusal.is_passing:
            # This address again, in a minute.
            waiting = {"portfolios": portfolios_for(request.user), "problem": str(refusal)}
            return render(request, "console/consent_files/begin.html", waiting, status=503)
        messages.error(request, str(refusal))
        uploads.discard_upload(upload)
        return redirect("console:consent-file")
    if request.method == "POST":
        return _load(request, upload, portfolio, preview)
    guessed = consent_files.guess_columns(preview.headers)
    context = {
        "upload": upload,
        "portfolio": portfolio,
        "preview": preview,
        "place": place,
        "chosen": [(header, guessed.get(position, "")) for position, header in enumerate(preview.headers)],
        "targets": [(target, consent_files.target_label(target)) for target in consent_files.TARGETS],
    }
    return render(request, "console/consent_files/columns.html", context)


def _load(request: StaffRequest, upload: uploads.Upload, portfolio: Portfolio, preview: caged.Preview) -> HttpResponse:
    """Try the file or enter its consents, and show what came of it."""
    is_trial = request.POST.get("do") != "load"
    chosen = columns.posted_columns(request.POST, preview.headers, consent_files.TARGETS)
    try:
        result = consent_files.load_consents(
            path=upload.path,
            portfolio_code=portfolio.code,
            columns=chosen,
            place=read_table_place(request),
            dry_run=is_trial,
            actor=actor_of(request),
        )
    except consent_files.ConsentFileRefused as refusal:
        if is_trial:
            return render(request, "console/consent_files/_result.html", {"refused": str(refusal)})
        messages.error(request, str(refusal))
        return redirect("console:consent-columns", upload.token)
    errors = [_in_words(error) for error in result["errors"][:SHOWN_ERRORS]]
    more = max(len(result["errors"]) - SHOWN_ERRORS, 0)
    context = {"result": result, "errors": errors, "more": more, "portfolio": portfolio}
    if is_trial:
        return render(request, "console/consent_files/_result.html", context)
    uploads.discard_upload(upload)
    return render(request, "console/consent_files/done.html", context | {"file_name": upload.file_name})


def _in_words(error: dict[str, Any]) -> dict[str, Any]:
    """Return an error with the label of its column."""
    is_target = error["column"] in consent_files.TARGETS
    return error | {"column": consent_files.target_label(error["column"]) if is_target else error["column"]}


urlpatterns = [
    path("consentimientos/", show_reach, name="consents"),
    path("consentimientos/archivo/", upload_consents, name="consent-file"),
    path("consentimientos/archivo/<str:token>/", choose_consent_columns, name="consent-columns"),
]
