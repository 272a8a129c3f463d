"""Cartera: find, filter, sort, keep views, take the list out."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from decimal import Decimal, InvalidOperation

from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access import operations
from recobra.access.queries import saved_views
from recobra.access.roles import Right
from recobra.console import labels, spreadsheet
from recobra.console.guard import StaffRequest, needs
from recobra.insight.queries import receivables
from recobra.insight.queries.receivables import SORTS, AccountFilters
from recobra.kit import clock
from recobra.portfolio.queries import portfolios_for
from recobra_core.stages.limits import DEFAULT_BUCKETS

SCREEN = "accounts"
_TEXTS = ("portfolio", "bucket", "stage", "segment", "status")


@require_GET
@needs(Right.SEE_CASES)
def index(request: StaffRequest) -> HttpResponse:
    """Show one page of accounts; htmx gets the table alone. A search that finds one debtor opens the file."""
    conditions = conditions_of(request.GET)
    page = receivables.accounts_page(request.user, conditions, clock.now())
    if "go" in request.GET and len({row.debtor_id for row in page.rows}) == 1:
        return redirect("console:debtor", page.rows[0].debtor_id)
    context = {"page": page, "conditions": conditions, "filtered": _filtered(request.GET)}
    if request.htmx and not request.htmx.boosted:  # type: ignore[attr-defined]
        return render(request, "console/accounts/_table.html", context)
    return render(request, "console/accounts/index.html", {**context, **_choices(request)})


def _choices(request: StaffRequest) -> dict[str, object]:
    return {
        "portfolios": portfolios_for(request.user),
        "buckets": [(each.key, labels.bucket(each.key)) for each in DEFAULT_BUCKETS],
        "stages": labels.choices("stage"),
        "segments": receivables.segments_in_use(request.user),
        "statuses": labels.choices("account"),
        "sorts": [
            ("overdue", _("Most overdue amount")),
            ("balance", _("Highest balance")),
            ("oldest", _("Most days past due")),
            ("recent", _("Fewest days past due")),
        ],
        "views": saved_views(request.user, SCREEN),
    }


def conditions_of(parameters: QueryDict) -> AccountFilters:
    """Read the conditions from an address; what cannot be read counts as not given."""
    sort = parameters.get("sort", "")
    sort = sort if sort in SORTS else "overdue"
    return AccountFilters(
        text=parameters.get("q", "").strip(),
        **{name: parameters.get(name, "") for name in _TEXTS},
        at_least=_amount(parameters.get("min", "")),
        at_most=_amount(parameters.get("max", "")),
        sort=sort,
        after=receivables.valid_cursor(parameters.get("after", ""), sort),
    )


def _amount(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and abs(amount) < Decimal("1e15") else None


def _filtered(parameters: QueryDict) -> bool:
    return any(parameters.get(name) for name in ("q", *_TEXTS, "min", "max"))


@require_GET
@needs(Right.EXPORT)
def export(request: StaffRequest, form: str) -> HttpResponseBase:
    """Write the filtered list to a file, record that it left the house, and hand it over."""
    if form not in spreadsheet.FORMS:
        raise Http404
    now, conditions = clock.now(), conditions_of(request.GET)
    file = tempfile.TemporaryFile()  # noqa: SIM115 - FileResponse closes it
    rows = spreadsheet.write(file, _lines(request, conditions), form=form, name=_("Portfolio"))
    said = {name: str(value) for name, value in asdict(conditions).items() if value and name not in {"after", "text"}}
    said |= {"text": "given"} if conditions.text else {}
    operations.record_export(user=request.user, what=SCREEN, rows=rows, conditions=said, now=now)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"cartera-{now:%Y-%m-%d-%H%M}.{form}")


def _lines(request: StaffRequest, conditions: AccountFilters) -> spreadsheet.Lines:
    heads = [
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
    yield heads
    for row in receivables.all_accounts(request.user, conditions, clock.now()):
        place = row.portfolio
        yield [
            place.code,
            row.number,
            row.debtor_name,
            labels.say("product", row.product),
            labels.say("account", row.status),
            place.currency,
            spreadsheet.amount(row.balance_minor, place.currency),
            spreadsheet.amount(row.overdue_minor, place.currency),
            row.overdue_days,
            labels.bucket(row.bucket),
            labels.say("stage", row.stage),
            row.segment,
        ]


@require_POST
@needs(Right.SEE_CASES)
def save_view(request: StaffRequest) -> HttpResponse:
    """Keep the list's conditions under a name."""
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
    """Forget one of the user's own views."""
    operations.delete_view(user=request.user, view_id=view_id)
    return redirect("console:accounts")


urlpatterns = [
    path("cartera/", index, name="accounts"),
    path("cartera/exportar.<str:form>", export, name="accounts-export"),
    path("cartera/vistas/", save_view, name="accounts-view-save"),
    path("cartera/vistas/<int:view_id>/borrar/", delete_view, name="accounts-view-delete"),
]
