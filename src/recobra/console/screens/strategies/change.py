"""Put a version in force, take it out, and say which portfolio follows which strategy."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recobra.access.roles import Right
from recobra.console.guard import StaffRequest, needs
from recobra.kit import clock
from recobra.strategy import operations, queries
from recobra.strategy.operations import StrategyRefused


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_STRATEGIES)
def publish(request: StaffRequest, code: str, number: int) -> HttpResponse:
    """Ask once, saying how many accounts follow the strategy; then put the draft in force."""
    version = queries.get_version(code, number)
    if request.method == "POST":
        try:
            operations.publish_version(version_id=version.pk, **_who(request))
        except StrategyRefused as refused:
            return _ask(request, version, problems=refused.problems)
        messages.success(request, _("Version %(number)d is in force from the next cycle on.") % {"number": number})
        return redirect("console:strategy-version", code, number)
    return _ask(request, version)


def _ask(request: StaffRequest, version: queries.StrategyVersion, problems: list[str] | None = None) -> HttpResponse:
    listed = queries.strategy_for(request.user, version.code)
    accounts = queries.accounts_following(version.code)
    context = {
        "listed": listed,
        "version": version,
        "accounts": accounts,
        "problems": problems,
        "place": next(iter(listed.portfolios), None),
    }
    return render(request, "console/strategies/publish.html", context, status=422 if problems else 200)


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_STRATEGIES)
def retire(request: StaffRequest, code: str, number: int) -> HttpResponse:
    """Ask once, then take a version out of force or put a draft aside."""
    version = queries.get_version(code, number)
    if request.method == "POST":
        try:
            operations.retire_version(version_id=version.pk, **_who(request))
        except StrategyRefused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, _("Version %(number)d was retired.") % {"number": number})
        return redirect("console:strategy-version", code, number)
    listed = queries.strategy_for(request.user, code)
    context = {
        "listed": listed,
        "version": version,
        "accounts": queries.accounts_following(code),
        "place": next(iter(listed.portfolios), None),
    }
    return render(request, "console/strategies/retire.html", context)


@require_POST
@needs(Right.EDIT_STRATEGIES)
def assign(request: StaffRequest) -> HttpResponse:
    """Let one of the user's portfolios follow a strategy from the next cycle on."""
    code = request.POST.get("strategy", "")
    portfolio = next(
        (each for each, _code in queries.assignments_for(request.user) if each.code == request.POST.get("portfolio")),
        None,
    )
    if portfolio is None:
        messages.error(request, _("Choose a portfolio."))
        return redirect("console:strategies")
    try:
        operations.assign_strategy(portfolio_id=portfolio.pk, code=code, **_who(request))
    except StrategyRefused as refused:
        messages.error(request, str(refused))
    else:
        said = _("«%(portfolio)s» follows «%(code)s» from the next cycle on.")
        messages.success(request, said % {"portfolio": portfolio.name, "code": code})
    return redirect("console:strategies")


def _who(request: StaffRequest) -> dict[str, Any]:
    return {"actor": request.user.username, "actor_id": request.user.pk, "now": clock.now()}


urlpatterns = [
    path("estrategias/asignar/", assign, name="strategy-assign"),
    path("estrategias/<slug:code>/v<int:number>/publicar/", publish, name="strategy-publish"),
    path("estrategias/<slug:code>/v<int:number>/retirar/", retire, name="strategy-retire"),
]
