"""Pages of the policies of portfolios: all of them, the versions of one, and the form of a new version."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from recobra.access.roles import Right
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_date
from recobra.console.screens.policies import fields
from recobra.kit import clock
from recobra.policy import portfolio_policies, queries
from recobra.policy.portfolio_policies import EFFECTIVE_FROM, PolicyRefused
from recobra.policy.queries import PolicyVersion
from recobra.policy.settings import Policy, SettingFault, write_policy
from recobra.portfolio.queries import portfolio_for, portfolios_for


@require_GET
@needs(Right.SEE_COMPLIANCE)
def list_policies(request: StaffRequest) -> HttpResponse:
    """List the portfolios with the version in force and the one to come."""
    portfolios = portfolios_for(request.user)
    rows = []
    for portfolio, versions in zip(portfolios, queries.all_policy_versions(portfolios, now=clock.now()), strict=True):
        in_force = next((version for version in versions if version.state == "in_force"), None)
        rows.append((portfolio, in_force, [version for version in versions if version.state == "future"]))
    return render(request, "console/policies/index.html", {"rows": rows})


@require_GET
@needs(Right.SEE_COMPLIANCE)
def show_policy(request: StaffRequest, portfolio_id: int) -> HttpResponse:
    """Show the policy in force of a portfolio in full, and its versions with what each changed."""
    portfolio = portfolio_for(request.user, portfolio_id)
    today = portfolio.local_day(clock.now())
    versions = queries.policy_versions(portfolio, today=today)
    in_force = next((version.policy for version in versions if version.state == "in_force"), Policy())
    groups = fields.described_groups(in_force, place=portfolio)
    history = [(version, fields.described_changes(version, place=portfolio)) for version in versions]
    context = {"portfolio": portfolio, "place": portfolio, "groups": groups, "history": history}
    return render(request, "console/policies/detail.html", context)


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_RULES)
def create_version(request: StaffRequest, portfolio_id: int) -> HttpResponse:
    """Show the form of a new version, filled with the newest one, and save it for today or a later day."""
    portfolio = portfolio_for(request.user, portfolio_id)
    actor = actor_of(request)
    today = portfolio.local_day(actor.now)
    versions = queries.policy_versions(portfolio, today=today)
    context: dict[str, Any] = {"portfolio": portfolio, "place": portfolio, "today": today, "versions": versions}
    if request.method == "GET":
        newest = versions[0].policy if versions else Policy()
        starts_on = _next_start(versions, today).isoformat()
        context["filled_from"] = versions[0] if versions and versions[0].state == "future" else None
        return _render_form(request, context, write_policy(newest), starts_on, [])
    document = fields.posted_document(request.POST, place=portfolio)
    starts_on = request.POST.get(EFFECTIVE_FROM, "")
    try:
        portfolio_policies.save_policy(
            portfolio_id=portfolio.pk, effective_from=parse_date(starts_on), document=document, actor=actor
        )
    except PolicyRefused as refusal:
        return _render_form(request, context, document, starts_on, refusal.faults)
    messages.success(request, _("The version was saved; it holds from its day on."))
    return redirect("console:policy", portfolio.pk)


def _next_start(versions: Sequence[PolicyVersion], today: date) -> date:
    """Return the day that the form proposes: that of the newest version while it is to come, else tomorrow."""
    newest = versions[0].starts_on if versions and versions[0].state == "future" else None
    return newest or today + timedelta(days=1)


def _render_form(
    request: StaffRequest,
    context: dict[str, Any],
    document: dict[str, Any],
    starts_on: str,
    faults: Sequence[SettingFault],
) -> HttpResponse:
    """Render the form with a document, and every fault beside its field."""
    of_the_day = [fields.describe_fault(each.fault) for each in faults if each.setting == EFFECTIVE_FROM]
    of_the_whole = [fields.describe_fault(each.fault) for each in faults if not each.setting]
    page = context | {
        "groups": fields.form_groups(document, faults, place=context["portfolio"]),
        "starts_on": starts_on,
        "day_faults": of_the_day,
        "whole_faults": of_the_whole,
        "fault_count": len(faults),
    }
    return render(request, "console/policies/form.html", page, status=422 if faults else 200)


urlpatterns = [
    path("politicas/", list_policies, name="policies"),
    path("politicas/<int:portfolio_id>/", show_policy, name="policy"),
    path("politicas/<int:portfolio_id>/nueva/", create_version, name="policy-new"),
]
