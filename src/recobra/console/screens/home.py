"""Inicio: payments received, ageing, the plan of the day, alarms."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.http import require_GET

from recobra.access.queries import portfolio_codes
from recobra.access.roles import Right, has_right
from recobra.console.guard import StaffRequest, needs
from recobra.insight.queries import board
from recobra.insight.queries.set_up import has_loaded_portfolio
from recobra.kit import clock
from recobra.policy.queries import buckets_of

from .own_notices import describe_own_notices
from .place import installation_place


@require_GET
@needs(Right.SEE_BOARD)
def show_board(request: StaffRequest) -> HttpResponse:
    """Show the board of the portfolios of one currency (`?moneda=`; the one with most accounts when not given)."""
    if has_right(request.user, Right.OPEN_PORTFOLIOS) and not has_loaded_portfolio(request.user):
        # A board without any figure helps nobody who can change that.
        return redirect("console:set-up")
    groups = board.portfolios_by_currency(request.user)
    now = clock.now()
    own_notices = describe_own_notices(request.user)
    if not groups:
        context = {
            "groups": groups,
            "sees_all": portfolio_codes(request.user) is None,
            "own_notices": own_notices,
            "alarms": board.alarms_for(request.user),
            "place": installation_place(),
        }
        return render(request, "console/home/index.html", context)
    currency = request.GET.get("moneda", "")
    if currency not in groups:
        currency = board.main_currency(groups)
    portfolios = groups[currency]
    buckets = buckets_of(portfolios, day=now.date())
    context = {
        "groups": groups,
        "own_notices": own_notices,
        "chosen": currency,
        "place": portfolios[0],
        "portfolios": portfolios,
        "cash": board.cash_received(portfolios, now),
        "ageing": board.ageing_by_bucket(portfolios, buckets),
        "buckets": buckets,
        "plan": board.plan_of_today(portfolios, now),
        "alarms": board.alarms_for(request.user),
        "loads": board.latest_loads(request.user),
        "now": now,
    }
    return render(request, "console/home/index.html", context)


urlpatterns = [path("", show_board, name="home")]
