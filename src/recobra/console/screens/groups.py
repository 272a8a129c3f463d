"""Grupos: rules with a name, which segments, campaigns and the list of receivables use."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from recobra.access.roles import Right
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_id
from recobra.console.screens.place import installation_place
from recobra.console.screens.strategies import rule_field
from recobra.portfolio.queries import portfolios_for
from recobra.strategy import queries, queries_groups
from recobra.strategy.operations.groups import GroupRefused, retire_group, save_group
from recobra.strategy.queries_groups import SavedGroup

RULE_PREFIX = "group"


@require_GET
@needs(Right.SEE_STRATEGIES)
def list_groups(request: StaffRequest) -> HttpResponse:
    """List the groups that the user may see, each in words and with what uses it."""
    catalogue = queries.rule_catalogue()
    rows = []
    for group in queries_groups.groups_for(request.user):
        verdict = rule_field.judge_rule(group.rule, "no", catalogue, group.portfolio)
        rows.append({"group": group, "verdict": verdict, "uses": queries_groups.list_uses(group.code)})
    return render(request, "console/groups/index.html", {"rows": rows, "place": installation_place()})


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_STRATEGIES)
def create_group(request: StaffRequest) -> HttpResponse:
    """Write a new group."""
    return _handle_form(request, None)


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_STRATEGIES)
def edit_group(request: StaffRequest, code: str) -> HttpResponse:
    """Write another version of a group; what uses an earlier one keeps that one's rule."""
    return _handle_form(request, queries_groups.group_for(request.user, code))


def _handle_form(request: StaffRequest, group: SavedGroup | None) -> HttpResponse:
    """Show the form of a group, or save it; `group` is None for a new one."""
    catalogue = queries.rule_catalogue()
    name, rule = (group.name, group.rule) if group else ("", "")
    portfolio_id = group.portfolio_id if group else None
    typed = None
    problem = ""
    if request.method == "POST":
        name = request.POST.get("name", "")
        portfolio_id = parse_id(request.POST.get("portfolio", ""))
        place = rule_field.rule_place(request)
        rule, typed = rule_field.settle_rule(request.POST, RULE_PREFIX, unknown="no", catalogue=catalogue, place=place)
        problem = typed.error if typed else _save(request, group, name, rule, portfolio_id)
        if not problem:
            messages.success(request, _("The group is saved."))
            return redirect("console:groups")
    else:
        place = rule_field.rule_place(request, str(portfolio_id or ""))
    verdict = typed or rule_field.judge_rule(rule, "no", catalogue, place)
    context: dict[str, Any] = {
        "group": group,
        "name": name,
        "portfolio_id": portfolio_id,
        "portfolios": portfolios_for(request.user),
        "problem": problem,
        "prefix": RULE_PREFIX,
        "member": {"rule": rule, "verdict": verdict, "unknown": "no"},
        "columns": rule_field.builder_columns(catalogue),
        "fixed_unknown": True,
        "uses": queries_groups.list_uses(group.code) if group else [],
        "versions": queries_groups.versions_of(group) if group else [],
        "place": installation_place(),
    }
    return render(request, "console/groups/form.html", context, status=422 if problem else 200)


def _save(request: StaffRequest, group: SavedGroup | None, name: str, rule: str, portfolio_id: int | None) -> str:
    """Save a group; return why it was refused, '' where it was not."""
    try:
        save_group(
            code=group.code if group else "",
            name=name,
            rule=rule,
            portfolio_id=portfolio_id,
            actor=actor_of(request),
        )
    except GroupRefused as refusal:
        return str(refusal)
    return ""


@require_POST
@needs(Right.EDIT_STRATEGIES)
def remove_group(request: StaffRequest, code: str) -> HttpResponse:
    """Take a group out of use, or say what uses it."""
    group = queries_groups.group_for(request.user, code)
    try:
        retire_group(code=group.code, actor=actor_of(request))
    except GroupRefused as refusal:
        messages.error(request, str(refusal))
        return redirect("console:group-edit", code)
    messages.success(request, _("The group was taken out of use."))
    return redirect("console:groups")


urlpatterns = [
    path("grupos/", list_groups, name="groups"),
    path("grupos/nuevo/", create_group, name="group-new"),
    path("grupos/<slug:code>/", edit_group, name="group-edit"),
    path("grupos/<slug:code>/retirar/", remove_group, name="group-retire"),
]
