"""Pages of the columns of a portfolio's own: which there are, what reads them, and how one is changed."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from recobra.access.roles import Right
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.portfolio import own_columns
from recobra.portfolio.own_columns import TYPE_LABELS, TYPES, OwnColumn, OwnColumnRefused
from recobra.portfolio.queries import Portfolio, portfolio_for


@require_GET
@needs(Right.SEE_COMPLIANCE)
def list_columns(request: StaffRequest, portfolio_id: int) -> HttpResponse:
    """List the columns of a portfolio with their type, how many accounts have a value, and what reads them."""
    portfolio = portfolio_for(request.user, portfolio_id)
    counts = own_columns.count_values(portfolio)
    in_rules = own_columns.rule_columns()
    rows = []
    for name, column in own_columns.own_columns(portfolio).items():
        rule_column = in_rules.get(name)
        is_read = rule_column is not None and portfolio.pk in rule_column.portfolio_ids
        rows.append(
            {
                "column": column,
                "type": TYPE_LABELS[column.type],
                "count": counts.get(name, 0),
                "uses": own_columns.uses_of(name),
                "rule_type": TYPE_LABELS[rule_column.type] if rule_column and not is_read else "",
            }
        )
    return render(request, "console/own_columns/index.html", {"portfolio": portfolio, "rows": rows})


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_RULES)
def edit_column(request: StaffRequest, portfolio_id: int, name: str) -> HttpResponse:
    """Show a column to be changed; say what another type moves (`do=try`), or save it."""
    portfolio = portfolio_for(request.user, portfolio_id)
    column = own_columns.own_columns(portfolio).get(name)
    if column is None:
        raise Http404
    if request.method == "GET":
        return _render_form(request, portfolio, column)
    kind = next((each for each in TYPES if each == request.POST.get("type")), column.type)
    if request.POST.get("do") == "try":
        change = None if kind == column.type else own_columns.preview_type(portfolio, name, kind)
        context = {"change": change, "type": TYPE_LABELS[kind], "portfolio": portfolio, "column": column}
        return render(request, "console/own_columns/_change.html", context)
    try:
        own_columns.change_column(
            portfolio_id=portfolio.pk,
            name=name,
            label=request.POST.get("label", ""),
            kind=kind,
            is_private=request.POST.get("is_private") == "1",
            stand_in=request.POST.get("stand_in", ""),
            actor=actor_of(request),
        )
    except OwnColumnRefused as refusal:
        posted = OwnColumn(
            name=name,
            type=kind,
            label=request.POST.get("label", ""),
            is_private=request.POST.get("is_private") == "1",
            stand_in=request.POST.get("stand_in", ""),
        )
        return _render_form(request, portfolio, posted, problem=str(refusal))
    messages.success(request, _("The column is saved; rules, lists and messages read it so from now on."))
    return redirect("console:own-columns", portfolio.pk)


def _render_form(request: StaffRequest, portfolio: Portfolio, column: OwnColumn, problem: str = "") -> HttpResponse:
    """Render the form of a column, with why it was refused."""
    context: dict[str, Any] = {
        "portfolio": portfolio,
        "column": column,
        "types": list(TYPE_LABELS.items()),
        "uses": own_columns.uses_of(column.name),
        "problem": problem,
    }
    return render(request, "console/own_columns/form.html", context, status=422 if problem else 200)


urlpatterns = [
    path("columnas/<int:portfolio_id>/", list_columns, name="own-columns"),
    path("columnas/<int:portfolio_id>/<str:name>/", edit_column, name="own-column"),
]
