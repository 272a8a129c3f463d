"""Cartera: the list of accounts, its filters, saved views and export."""

from __future__ import annotations

from dataclasses import asdict, replace
from decimal import Decimal, InvalidOperation

from django.http import Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access import operations
from recobra.access.queries import saved_views
from recobra.access.roles import Right, has_right
from recobra.console import labels, spreadsheet
from recobra.console.export_file import send_list
from recobra.console.guard import StaffRequest, needs
from recobra.console.masks import mask_document_in
from recobra.console.own_values import value_cell, visible_columns
from recobra.insight.queries import receivables
from recobra.insight.queries.readiness import ANY, LACKS, NOTHING
from recobra.insight.queries.receivables import SORTS, AccountFilters
from recobra.kit import clock
from recobra.policy.queries import buckets_of
from recobra.portfolio.queries import portfolios_for
from recobra.strategy import queries_groups, schedule
from recobra.strategy.queries_groups import SavedGroup
from recobra_core.law.limitation import NEAR_DAYS
from recobra_core.money import AMOUNT_LIMIT

SCREEN = "accounts"
_TEXT_FILTERS = ("portfolio", "bucket", "stage", "segment", "status")


@require_GET
@needs(Right.SEE_CASES)
def list_accounts(request: StaffRequest) -> HttpResponse:
    """Show one page of accounts; htmx gets the table alone. A search that finds one debtor opens the debtor's file."""
    conditions = _within_group(request, read_conditions(request.GET))
    page = receivables.accounts_page(request.user, conditions, clock.now())
    debtor_ids = {row.debtor_id for row in page.rows}
    if "go" in request.GET and len(debtor_ids) == 1:
        return redirect("console:debtor", debtor_ids.pop())
    is_filtered = any(
        request.GET.get(name) for name in ("q", *_TEXT_FILTERS, "missing", "near", "own", "grupo", "min", "max")
    )
    buckets = buckets_of(portfolios_for(request.user), day=clock.now().date())
    own = _own_columns(request, conditions)
    context = {"page": page, "conditions": conditions, "filtered": is_filtered, "buckets": buckets}
    context["own_column"] = own.get(conditions.own)
    if request.htmx and not request.htmx.boosted:  # type: ignore[attr-defined]
        return render(request, "console/accounts/_table.html", context)
    context |= {
        "portfolios": portfolios_for(request.user),
        "stages": labels.choices("stage"),
        "segments": receivables.segments_in_use(request.user),
        "statuses": labels.choices("account"),
        "sorts": labels.choices("account_order"),
        "lacks": labels.choices("lack"),
        "near_days": NEAR_DAYS,
        "own_columns": list(own.items()),
        "groups": queries_groups.groups_for(request.user),
        "views": saved_views(request.user, SCREEN),
    }
    return render(request, "console/accounts/index.html", context)


def read_conditions(parameters: QueryDict) -> AccountFilters:
    """Return the conditions of an address; what cannot be read counts as not given."""
    sort = parameters.get("sort", "")
    if sort not in SORTS:
        sort = "overdue"
    missing = parameters.get("missing", "")
    return AccountFilters(
        text=parameters.get("q", "").strip(),
        portfolio=parameters.get("portfolio", ""),
        bucket=parameters.get("bucket", ""),
        stage=parameters.get("stage", ""),
        segment=parameters.get("segment", ""),
        status=parameters.get("status", ""),
        missing=missing if missing in (*LACKS, ANY, NOTHING) else "",
        near_limitation=parameters.get("near", "") == "1",
        group=parameters.get(queries_groups.FILTER, ""),
        own=parameters.get("own", ""),
        own_value=parameters.get("own_value", "").strip(),
        at_least=_parse_amount(parameters.get("min", "")),
        at_most=_parse_amount(parameters.get("max", "")),
        sort=sort,
        after=receivables.valid_cursor(parameters.get("after", ""), sort),
    )


def _within_group(request: StaffRequest, conditions: AccountFilters) -> AccountFilters:
    """Return the conditions with the accounts that the chosen group has today; a group that is not there has none."""
    if not conditions.group:
        return conditions
    try:
        group = queries_groups.group_for(request.user, conditions.group)
    except SavedGroup.DoesNotExist:
        return replace(conditions, account_ids=())
    members = queries_groups.members_of(request.user, group, as_of=schedule.today(clock.now()))
    return replace(conditions, account_ids=members)


def _parse_amount(text: str) -> Decimal | None:
    """Return an amount, None for anything else."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    # Decimal reads NaN, Infinity and exponents that no column of the database holds.
    if not amount.is_finite() or amount.copy_abs() >= AMOUNT_LIMIT:
        return None
    return amount


@require_GET
@needs(Right.EXPORT)
def export_accounts(request: StaffRequest, form: str) -> HttpResponseBase:
    """Write the filtered list to a file and record the export."""
    if form not in spreadsheet.FORMATS:
        raise Http404
    now = clock.now()
    conditions = _within_group(request, read_conditions(request.GET))
    return send_list(
        request,
        _export_rows(request, conditions),
        file_format=form,
        title=_("Portfolio"),
        filename=f"cartera-{now:%Y-%m-%d-%H%M}.{form}",
        what=SCREEN,
        conditions=_recorded_conditions(conditions),
    )


def _recorded_conditions(conditions: AccountFilters) -> dict[str, str]:
    """Return the conditions of an export as the journal keeps them."""
    recorded = {name: str(value) for name, value in asdict(conditions).items() if value}
    # The place in the list says nothing about an export of all of it.
    recorded.pop("after", None)
    # The group says which accounts they are.
    recorded.pop("account_ids", None)
    # The text that was searched for may be a name or a document: the journal only keeps that there was one.
    for name in ("text", "own_value"):
        if recorded.pop(name, ""):
            recorded[name] = "given"
    return recorded


def _export_rows(request: StaffRequest, conditions: AccountFilters) -> spreadsheet.Rows:
    """Yield the head and a row for each account."""
    head = [
        _("Portfolio"),
        _("Account"),
        _("Debtor"),
        _("Product"),
        _("Status"),
        _("Currency"),
        _("Balance"),
        _("Overdue"),
        _("Days past due"),
        _("Bucket"),
        _("Stage"),
        _("Segment"),
    ]
    if conditions.missing:
        head.append(_("What is missing"))
    if conditions.near_limitation:
        head.append(_("Prescribed on"))
    own = _own_columns(request, conditions)
    head += own.values()
    yield head
    buckets = buckets_of(portfolios_for(request.user), day=clock.now().date())
    sees_documents = has_right(request.user, Right.SEE_NATIONAL_ID)
    for row in receivables.all_accounts(request.user, conditions, clock.now()):
        place = row.portfolio
        cells = [
            place.code,
            row.number if sees_documents else mask_document_in(row.number, row.document),
            row.debtor_name,
            labels.label_of("product", row.product),
            labels.label_of("account", row.status),
            place.currency,
            spreadsheet.amount_cell(row.balance_minor, place.currency),
            spreadsheet.amount_cell(row.overdue_minor, place.currency),
            row.overdue_days,
            labels.bucket_label(row.bucket, buckets),
            labels.label_of("stage", row.stage),
            row.segment,
        ]
        if conditions.missing:
            cells.append(", ".join(labels.label_of("lack", lack) for lack in row.missing or (NOTHING,)))
        if conditions.near_limitation:
            cells.append(row.prescribed_on.isoformat() if row.prescribed_on else None)
        declared = {column.name: column for column in visible_columns(request.user, place)}
        cells += [value_cell(declared[name], row.attributes, place) if name in declared else None for name in own]
        yield cells


def _own_columns(request: StaffRequest, conditions: AccountFilters) -> dict[str, str]:
    """Return the labels of the own columns of the portfolios in the list that may be asked for, by name."""
    labels_by_name: dict[str, str] = {}
    for portfolio in portfolios_for(request.user):
        if conditions.portfolio in ("", portfolio.code):
            for column in visible_columns(request.user, portfolio):
                if not column.is_private:
                    labels_by_name.setdefault(column.name, column.label)
    return dict(sorted(labels_by_name.items(), key=lambda each: each[1].lower()))


@require_POST
@needs(Right.SEE_CASES)
def save_view(request: StaffRequest) -> HttpResponse:
    """Save the list's conditions under a name."""
    # A view begins on the first page, wherever the user was when saving it.
    query = QueryDict(request.POST.get("query", "").lstrip("?"), mutable=True)
    query.pop("after", None)
    try:
        operations.save_view(
            user=request.user, screen=SCREEN, name=request.POST.get("name", ""), query=query.urlencode()
        )
    except operations.ViewRefused:
        return redirect("console:accounts")
    return redirect(f"{reverse('console:accounts')}?{query.urlencode()}")


@require_POST
@needs(Right.SEE_CASES)
def delete_view(request: StaffRequest, view_id: int) -> HttpResponse:
    """Delete one of the user's own views."""
    operations.delete_view(user=request.user, view_id=view_id)
    return redirect("console:accounts")


urlpatterns = [
    path("cartera/", list_accounts, name="accounts"),
    path("cartera/exportar.<str:form>", export_accounts, name="accounts-export"),
    path("cartera/vistas/", save_view, name="accounts-view-save"),
    path("cartera/vistas/<int:view_id>/borrar/", delete_view, name="accounts-view-delete"),
]
