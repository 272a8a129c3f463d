"""Read a strategy: the list, a version in words, its plan as a document, what changed, whom it touches."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from recobra.access.roles import Right
from recobra.console import strategy_labels
from recobra.console.guard import StaffRequest, needs
from recobra.console.screens.place import Installation
from recobra.console.screens.strategies import description
from recobra.kit import clock
from recobra.strategy import operations, queries, schedule
from recobra_core.decide import NO_SEGMENT, Strategy, StrategyError, diff_strategies, list_templates

__all__ = ["strategy_labels", "urlpatterns"]


@require_GET
@needs(Right.SEE_STRATEGIES)
def index(request: StaffRequest) -> HttpResponse:
    """Show every strategy with its version in force, and which portfolio follows which."""
    found = queries.strategies_for(request.user)
    context = {
        "strategies": found,
        "assignments": queries.assignments_for(request.user),
        "published": [(each.code, each.shown.document["name"]) for each in found if each.published],
        "place": place(),
    }
    return render(request, "console/strategies/index.html", context)


@require_GET
@needs(Right.SEE_STRATEGIES)
def detail(request: StaffRequest, code: str, number: int | None = None) -> HttpResponse:
    """Show a version in words; without a number the one in force, else the newest."""
    listed = queries.strategy_for(request.user, code)
    version = listed.shown if number is None else queries.get_version(code, number)
    return render(request, "console/strategies/detail.html", {"listed": listed, **_words(version)})


@require_GET
@needs(Right.SEE_STRATEGIES)
def plan(request: StaffRequest, code: str, number: int) -> HttpResponse:
    """Show a version as the collection plan, a document to print."""
    listed = queries.strategy_for(request.user, code)
    context = {"listed": listed, **_words(queries.get_version(code, number)), "now": clock.now()}
    return render(request, "console/strategies/plan.html", context)


def _words(version: queries.StrategyVersion) -> dict[str, Any]:
    """Return a version in words. One that this installation can no longer read shows its problems instead."""
    context: dict[str, Any] = {"version": version, "place": place()}
    try:
        strategy = queries.parse_strategy(version.document)
    except StrategyError as error:
        return context | {"problems": error.messages(description.language())}
    days, waiting = description.schedule(strategy)
    return context | {
        "strategy": strategy,
        "steps": description.steps(strategy),
        "segments": description.segments(strategy),
        "stops": description.stops(strategy),
        "days": days,
        "waiting": waiting,
        "templates": sorted(list_templates(strategy)),
        "channels": description.channels(strategy),
    }


def place() -> Installation:
    """Return where hours of strategies are written."""
    return Installation(time_zone=schedule.installation_zone().key)


@require_GET
@needs(Right.SEE_STRATEGIES)
def compare(request: StaffRequest, code: str) -> HttpResponse:
    """Show what changed between two versions (`?de=1&a=2`; the newest two when not given)."""
    listed = queries.strategy_for(request.user, code)
    numbers = [version.number for version in listed.versions]
    new = _number(request, "a", numbers, numbers[0])
    old = _number(request, "de", numbers, next((n for n in numbers if n < new), new))
    context = {"listed": listed, "old": queries.get_version(code, old), "new": queries.get_version(code, new)}
    try:
        before, after = (queries.parse_strategy(queries.get_version(code, number).document) for number in (old, new))
        context["changes"] = diff_strategies(before, after, lang=description.language())
    except StrategyError as error:
        context["problems"] = error.messages(description.language())
    return render(request, "console/strategies/compare.html", context)


def _number(request: StaffRequest, name: str, known: list[int], otherwise: int) -> int:
    given = request.GET.get(name, "")
    return int(given) if given.isdecimal() and int(given) in known else otherwise


@require_GET
@needs(Right.SEE_STRATEGIES)
def reach(request: StaffRequest, code: str, number: int) -> HttpResponse:
    """Count whom a version would touch today, over the portfolios chosen (`?cartera=`), writing nothing."""
    version = queries.get_version(code, number)
    chosen = set(request.GET.getlist("cartera"))
    return render(request, "console/strategies/_reach.html", touched(request, version.document, chosen))


def touched(request: StaffRequest, document: dict[str, Any], chosen: set[str]) -> dict[str, Any]:
    """Return the counts of a document by segment and step over the user's portfolios, for `_reach.html`."""
    portfolios = [each for each, _code in queries.assignments_for(request.user)]
    counted = [each for each in portfolios if not chosen or each.code in chosen]
    if not counted:
        return {"reach_problems": [_("There is no portfolio to count over.")]}
    as_of = schedule.today(clock.now())
    try:
        strategy = queries.parse_strategy(document)
        figures = operations.preview_reach(document=document, portfolio_ids=[each.pk for each in counted], as_of=as_of)
    except StrategyError as error:
        return {"reach_problems": error.messages(description.language())}
    countries = {each.currency: each.country for each in counted}
    return {"as_of": as_of, "counted": counted, **_counts(strategy, figures, countries)}


def _counts(strategy: Strategy, figures: dict[str, Any], countries: dict[str, str]) -> dict[str, Any]:
    segments = {item.key: item.name for item in strategy.segments} | {NO_SEGMENT: _("Without a segment")}
    steps = {step.key: step.name for step in strategy.steps}
    tables = {
        name: [row | {"country": countries.get(row["currency"], "")} for row in figures[name].to_pylist()]
        for name in figures
    }
    by_segment = [row | {"name": segments.get(row["segment"], row["segment"])} for row in tables["segments"]]
    met = {row["segment"] for row in by_segment}
    nobody = {"accounts": 0, "debtors": 0, "amount_minor": None, "currency": "", "country": ""}
    by_segment += [
        {**nobody, "segment": item.key, "name": item.name} for item in strategy.segments if item.key not in met
    ]
    order = list(segments)
    by_segment.sort(key=lambda row: (order.index(row["segment"]) if row["segment"] in order else -1, row["currency"]))
    by_step = [row | {"name": steps.get(row["step_key"], row["step_key"])} for row in tables.get("steps", [])]
    return {"by_segment": by_segment, "by_step": by_step}


urlpatterns = [
    path("estrategias/", index, name="strategies"),
    path("estrategias/<slug:code>/", detail, name="strategy"),
    path("estrategias/<slug:code>/comparar/", compare, name="strategy-compare"),
    path("estrategias/<slug:code>/v<int:number>/", detail, name="strategy-version"),
    path("estrategias/<slug:code>/v<int:number>/plan/", plan, name="strategy-plan"),
    path("estrategias/<slug:code>/v<int:number>/alcance/", reach, name="strategy-reach"),
]
