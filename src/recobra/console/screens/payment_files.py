"""Pages of a payment file: upload, choice of columns, trial, load."""

from __future__ import annotations

from typing import Any, Final

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
from recobra.console.table_place import TablePlace, read_table_place
from recobra.payments import operations
from recobra.payments.file_mapping import TARGETS
from recobra.payments.queries import PaymentMapping, payment_mappings_for
from recobra.portfolio.queries import Portfolio, portfolios_for
from recobra.tabular import caged

from .loads import columns

SHOWN_ROWS: Final = 8
SHOWN_ERRORS: Final = 200
OPTIONS: Final = ("decimal", "date_order", "id_zeros")


@require_http_methods(["GET", "POST"])
@needs(Right.LOAD_FILES)
def upload_payments(request: StaffRequest) -> HttpResponse:
    """Upload a file of payments for a portfolio."""
    portfolios = portfolios_for(request.user)
    problem = ""
    # While the person chooses the file, who will read it gets ready.
    caged.prepare()
    if request.method == "POST":
        try:
            upload = uploads.receive_upload(request, {portfolio.code for portfolio in portfolios})
        except uploads.UploadRefused as refusal:
            problem = str(refusal)
        else:
            return redirect("console:payment-columns", upload.token)
    context = {"portfolios": portfolios, "problem": problem}
    return render(request, "console/payments/begin.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "POST"])
@needs(Right.LOAD_FILES)
def choose_payment_columns(request: StaffRequest, token: str) -> HttpResponse:
    """Choose the columns; then try the file (`do=try`), or record its payments (`do=load`)."""
    upload, portfolio = uploads.find_upload(request.user, token)
    saved = list(payment_mappings_for(request.user, portfolio.code))
    place = read_table_place(request)
    known = [name for mapping in saved for name in columns.mapped_columns(mapping.document)]
    try:
        preview = operations.preview_file(upload.path, columns=known, shown_rows=SHOWN_ROWS, **place)
    except operations.PaymentRefused as refusal:
        if refusal.is_passing:
            # This address again, in a minute.
            waiting = {"portfolios": portfolios_for(request.user), "problem": str(refusal)}
            return render(request, "console/payments/begin.html", waiting, status=503)
        messages.error(request, str(refusal))
        if any(place.values()):
            return redirect("console:payment-columns", upload.token)
        uploads.discard_upload(upload)
        return redirect("console:payment-file")
    if request.method == "POST":
        return _load(request, upload, portfolio, mapping=_read_mapping(request, preview, place))
    base = columns.starting_mapping(saved, request.GET.get("mapeo", ""), preview.headers)
    context = {
        "upload": upload,
        "portfolio": portfolio,
        "preview": preview,
        "place": place,
        "saved": saved,
        "base": base,
        "chosen": _chosen_targets(base, preview.headers),
        "targets": _target_labels(),
        "options": columns.option_choices(base.document.get("options", {}) if base else {}, OPTIONS),
        "name": base.name if base else "default",
    }
    return render(request, "console/payments/columns.html", context)


def _load(
    request: StaffRequest, upload: uploads.Upload, portfolio: Portfolio, *, mapping: dict[str, Any]
) -> HttpResponse:
    """Try the file or record its payments, and show what came of it."""
    is_trial = request.POST.get("do") != "load"
    try:
        result = operations.load_file(
            path=upload.path, portfolio_code=portfolio.code, mapping=mapping, dry_run=is_trial, actor=actor_of(request)
        )
    except operations.PaymentRefused as refusal:
        if is_trial:
            return render(request, "console/payments/_result.html", {"refused": str(refusal)})
        messages.error(request, str(refusal))
        return redirect("console:payment-columns", upload.token)
    labels = dict(_target_labels())
    errors = [error | {"column": labels.get(error["column"], "")} for error in result["errors"][:SHOWN_ERRORS]]
    more = max(len(result["errors"]) - SHOWN_ERRORS, 0)
    context = {"result": result, "errors": errors, "more": more, "portfolio": portfolio}
    if is_trial:
        return render(request, "console/payments/_result.html", context)
    uploads.discard_upload(upload)
    return render(request, "console/payments/done.html", context | {"file_name": upload.file_name})


def _read_mapping(request: StaffRequest, preview: caged.Preview, place: TablePlace) -> dict[str, Any]:
    """Return the mapping document of the choices; several columns with one target are joined."""
    chosen = columns.posted_columns(request.POST, preview.headers, TARGETS)
    options = columns.posted_options(request.POST, place, OPTIONS)
    return {"name": columns.posted_name(request.POST), **chosen, "options": options}


def _chosen_targets(base: PaymentMapping | None, headers: list[str]) -> list[tuple[str, str]]:
    """Return each column of the file with its target, '' for none."""
    if base is not None:
        return columns.match_columns(base.document, headers)
    guessed = operations.guess_columns(headers)
    return [(header, guessed.get(position, "")) for position, header in enumerate(headers)]


def _target_labels() -> list[tuple[str, str]]:
    labels = {
        "account": _("Account number"),
        "amount": _("Amount"),
        "date": _("Day of payment"),
        "reference": _("Number of the operation"),
        "currency": _("Currency"),
    }
    return [(target, labels[target]) for target in TARGETS]


urlpatterns = [
    path("pagos/archivo/", upload_payments, name="payment-file"),
    path("pagos/archivo/<str:token>/", choose_payment_columns, name="payment-columns"),
]
