"""Publication and retirement of versions, and assignment of strategies to portfolios."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from recobra.access.roles import Right
from recobra.approvals.operations import ApprovalRefused
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.strategy import operations, queries
from recobra.strategy.operations import StrategyChanged, StrategyRefused


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_STRATEGIES)
def publish_version(request: StaffRequest, code: str, number: int) -> HttpResponse:
    """Ask for confirmation, with the number of accounts that follow the strategy; then put the draft in force."""
    version = queries.get_version(code, number)
    if request.method == "POST":
        try:
            version = operations.publish_version(
                version_id=version.pk, seen=request.POST.get("seen"), actor=actor_of(request)
            )
        except StrategyChanged as refusal:
            return _ask_to_publish(request, queries.get_version(code, number), problems=refusal.problems)
        except StrategyRefused as refusal:
            return _ask_to_publish(request, version, problems=refusal.problems)
        except ApprovalRefused as refusal:
            return _ask_to_publish(request, version, problems=[str(refusal)])
        if version.status == version.Status.PUBLISHED:
            messages.success(request, _("Version %(number)d is in force from the next cycle on.") % {"number": number})
        else:
            messages.success(request, _("It waits for a second person's approval."))
        return redirect("console:strategy-version", code, number)
    return _ask_to_publish(request, version)


def _ask_to_publish(
    request: StaffRequest, version: queries.StrategyVersion, problems: list[str] | None = None
) -> HttpResponse:
    """Render the confirmation of a publication, or its refusal with `problems`."""
    listed = queries.strategy_for(request.user, version.code)
    accounts = queries.accounts_following(version.code)
    context = {
        "listed": listed,
        "version": version,
        "seen": operations.mark_of(version),
        "accounts": accounts,
        "problems": problems,
        "place": next(iter(listed.portfolios), None),
    }
    return render(request, "console/strategies/publish.html", context, status=422 if problems else 200)


@require_http_methods(["GET", "POST"])
@needs(Right.EDIT_STRATEGIES)
def retire_version(request: StaffRequest, code: str, number: int) -> HttpResponse:
    """Ask for confirmation, then take a version out of force or discard a draft."""
    version = queries.get_version(code, number)
    if request.method == "POST":
        try:
            operations.retire_version(version_id=version.pk, seen=request.POST.get("seen"), actor=actor_of(request))
        except StrategyRefused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Version %(number)d was retired.") % {"number": number})
        return redirect("console:strategy-version", code, number)
    listed = queries.strategy_for(request.user, code)
    context = {
        "listed": listed,
        "version": version,
        "seen": operations.mark_of(version),
        "accounts": queries.accounts_following(code),
        "place": next(iter(listed.portfolios), None),
    }
    return render(request, "console/strategies/retire.html", context)


@require_POST
@needs(Right.EDIT_STRATEGIES)
def assign_strategy(request: StaffRequest) -> HttpResponse:
    """Assign a strategy to one of the user's portfolios, from the next cycle on."""
    code = request.POST.get("strategy", "")
    portfolios = {portfolio.code: portfolio for portfolio, _code in queries.assignments_for(request.user)}
    portfolio = portfolios.get(request.POST.get("portfolio", ""))
    if portfolio is None:
        messages.error(request, _("Choose a portfolio."))
        return redirect("console:strategies")
    try:
        operations.assign_strategy(portfolio_id=portfolio.pk, code=code, actor=actor_of(request))
    except StrategyRefused as refusal:
        messages.error(request, str(refusal))
    else:
        text = _("«%(portfolio)s» follows «%(code)s» from the next cycle on.")
        messages.success(request, text % {"portfolio": portfolio.name, "code": code})
    return redirect("console:strategies")


urlpatterns = [
    path("estrategias/asignar/", assign_strategy, name="strategy-assign"),
    path("estrategias/<slug:code>/v<int:number>/publicar/", publish_version, name="strategy-publish"),
    path("estrategias/<slug:code>/v<int:number>/retirar/", retire_version, name="strategy-retire"),
]
