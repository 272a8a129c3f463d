"""Pages about strategies: the list, a version in words, its plan, its changes and its reach."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from recobra.access.roles import Right
from recobra.approvals.queries import waiting_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_id
from recobra.console.screens.place import installation_place
from recobra.console.screens.strategies import description
from recobra.kit import clock
from recobra.kit.language import screen_language
from recobra.strategy import operations, queries, schedule
from recobra_core.decide import NO_SEGMENT, Strategy, describe_stops, diff_strategies, list_templates
from recobra_core.documents import DocumentError


@require_GET
@needs(Right.SEE_STRATEGIES)
def list_strategies(request: StaffRequest) -> HttpResponse:
    """Show every strategy with its version in force, and the strategy of each portfolio."""
    listed = queries.strategies_for(request.user)
    context = {
        "strategies": listed,
        "assignments": queries.assignments_for(request.user),
        "published": [(strategy.code, strategy.shown.document["name"]) for strategy in listed if strategy.published],
        "place": installation_place(),
    }
    return render(request, "console/strategies/index.html", context)


@require_GET
@needs(Right.SEE_STRATEGIES)
def show_version(request: StaffRequest, code: str, number: int | None = None) -> HttpResponse:
    """Show a version in words; without a number the version in force, else the newest."""
    listed = queries.strategy_for(request.user, code)
    version = listed.shown if number is None else queries.get_version(code, number)
    asked = waiting_of(operations.PUBLICATION, str(version.pk))
    context = {"listed": listed, "asked": asked, **_version_context(version)}
    return render(request, "console/strategies/detail.html", context)


@require_GET
@needs(Right.SEE_STRATEGIES)
def show_plan(request: StaffRequest, code: str, number: int) -> HttpResponse:
    """Show a version as a collection plan, to be printed."""
    listed = queries.strategy_for(request.user, code)
    context = {"listed": listed, **_version_context(queries.get_version(code, number)), "now": clock.now()}
    return render(request, "console/strategies/plan.html", context)


def _version_context(version: queries.StrategyVersion) -> dict[str, Any]:
    """Return the context of a version in words, or with its problems if this installation cannot read it any more."""
    context: dict[str, Any] = {"version": version, "place": installation_place()}
    try:
        strategy = queries.parse_strategy(version.document)
    except DocumentError as error:
        return context | {"problems": error.messages(screen_language())}
    days, waiting = description.build_schedule(strategy)
    return context | {
        "strategy": strategy,
        "steps": description.describe_steps(strategy),
        "segments": description.describe_segments(strategy),
        "stops": describe_stops(strategy, lang=screen_language()),
        "days": days,
        "waiting": waiting,
        "templates": sorted(list_templates(strategy)),
        "channels": description.list_channels(strategy),
    }


@require_GET
@needs(Right.SEE_STRATEGIES)
def compare_versions(request: StaffRequest, code: str) -> HttpResponse:
    """Show what changed between two versions (`?de=1&a=2`; the newest two when not given)."""
    listed = queries.strategy_for(request.user, code)
    # Newest first.
    numbers = [version.number for version in listed.versions]
    new_number = _read_number(request, "a", numbers, default=numbers[0])
    older_numbers = [number for number in numbers if number < new_number]
    old_number = _read_number(request, "de", numbers, default=older_numbers[0] if older_numbers else new_number)
    old = queries.get_version(code, old_number)
    new = queries.get_version(code, new_number)
    context = {"listed": listed, "old": old, "new": new}
    try:
        before = queries.parse_strategy(old.document)
        after = queries.parse_strategy(new.document)
        context["changes"] = diff_strategies(before, after, lang=screen_language())
    except DocumentError as error:
        context["problems"] = error.messages(screen_language())
    return render(request, "console/strategies/compare.html", context)


def _read_number(request: StaffRequest, name: str, known: list[int], *, default: int) -> int:
    """Return the version number of a parameter, `default` for one that the strategy does not have."""
    text = request.GET.get(name, "")
    number = parse_id(text)
    return number if number is not None and number in known else default


@require_GET
@needs(Right.SEE_STRATEGIES)
def show_reach(request: StaffRequest, code: str, number: int) -> HttpResponse:
    """Count the accounts a version would touch today, in the portfolios chosen (`?cartera=`); nothing is written."""
    version = queries.get_version(code, number)
    codes = set(request.GET.getlist("cartera"))
    return render(request, "console/strategies/_reach.html", reach_context(request, version.document, codes))


def reach_context(request: StaffRequest, document: dict[str, Any], codes: set[str]) -> dict[str, Any]:
    """Return the context of `_reach.html`: counts by segment and step in the user's portfolios; no `codes`: in all."""
    portfolios = [portfolio for portfolio, _code in queries.assignments_for(request.user)]
    counted = [portfolio for portfolio in portfolios if not codes or portfolio.code in codes]
    if not counted:
        return {"reach_problems": [_("There is no portfolio to count over.")]}
    as_of = schedule.today(clock.now())
    try:
        strategy = queries.parse_strategy(document)
        portfolio_ids = [portfolio.pk for portfolio in counted]
        figures = operations.preview_reach(document=document, portfolio_ids=portfolio_ids, as_of=as_of)
    except DocumentError as error:
        return {"reach_problems": error.messages(screen_language())}
    countries = {portfolio.currency: portfolio.country for portfolio in counted}
    return {"as_of": as_of, "counted": counted, **_reach_tables(strategy, figures, countries)}


def _reach_tables(strategy: Strategy, figures: dict[str, pa.Table], countries: dict[str, str]) -> dict[str, Any]:
    """Return the counts as rows by segment and by step, with their names.

    `figures` has the tables «segments» and perhaps «steps», with a row per currency; `countries` has the country
    whose format each currency is written in.
    """
    segment_names = {segment.key: segment.name for segment in strategy.segments}
    segment_names[NO_SEGMENT] = _("Without a segment")
    by_segment = []
    for row in figures["segments"].to_pylist():
        name = segment_names.get(row["segment"], row["segment"])
        by_segment.append(row | {"name": name, "country": countries.get(row["currency"], "")})
    # A segment without an account is shown too, with zeros.
    counted_segments = {row["segment"] for row in by_segment}
    nobody = {"accounts": 0, "debtors": 0, "amount_minor": None, "currency": "", "country": ""}
    empty_segments = [segment for segment in strategy.segments if segment.key not in counted_segments]
    by_segment += [{**nobody, "segment": segment.key, "name": segment.name} for segment in empty_segments]
    # In the order of the strategy, then by currency; segments that it does not have come first.
    positions = {key: position for position, key in enumerate(segment_names)}
    by_segment.sort(key=lambda row: (positions.get(row["segment"], -1), row["currency"]))

    step_names = {step.key: step.name for step in strategy.steps}
    by_step = []
    for row in figures["steps"].to_pylist() if "steps" in figures else []:
        name = step_names.get(row["step_key"], row["step_key"])
        by_step.append(row | {"name": name, "country": countries.get(row["currency"], "")})
    return {"by_segment": by_segment, "by_step": by_step}


urlpatterns = [
    path("estrategias/", list_strategies, name="strategies"),
    path("estrategias/<slug:code>/", show_version, name="strategy"),
    path("estrategias/<slug:code>/comparar/", compare_versions, name="strategy-compare"),
    path("estrategias/<slug:code>/v<int:number>/", show_version, name="strategy-version"),
    path("estrategias/<slug:code>/v<int:number>/plan/", show_plan, name="strategy-plan"),
    path("estrategias/<slug:code>/v<int:number>/alcance/", show_reach, name="strategy-reach"),
]
