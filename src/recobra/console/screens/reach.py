"""Alcance: the results of the messages of a period, each figure with its interval and its meaning."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from recobra.access.queries import portfolio_codes
from recobra.access.roles import Right
from recobra.approvals.exports import let_out
from recobra.console import labels, spreadsheet
from recobra.console.actions import actor_of
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_date
from recobra.insight.queries import board
from recobra.insight.queries.message_results import (
    DIMENSIONS,
    WINDOWS,
    Cost,
    MessageResults,
    ResultsQuery,
    message_results,
)
from recobra.kit import clock
from recobra.messaging.queries import has_template
from recobra.portfolio.queries import Portfolio
from recobra.strategy import schedule
from recobra_core.kpi import contacts as kpi
from recobra_core.kpi.difference import Conclusion, Interval
from recobra_core.money import exponent_of, rounded_units

from .place import installation_place

DAYS_DEFAULT: Final = 30
DAYS_MAX: Final = 366
WINDOW_DEFAULT: Final = WINDOWS[1]
# Within these years no arithmetic with days overflows.
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2200
SUMMARY_KPIS: Final = (
    "sent",
    "delivered",
    "read",
    "response",
    "promised",
    "paid",
    "undelivered",
    "complaints",
    "errors",
)
FINDINGS: Final[dict[Conclusion, tuple[str | Promise, str]]] = {
    "better": (gettext_lazy("More than the next, beyond chance"), "good"),
    "worse": (gettext_lazy("Less than the next"), "bad"),
    "no_difference": (gettext_lazy("No difference worth the name"), "quiet"),
    "not_enough": (gettext_lazy("Not enough yet to say"), "warn"),
}


@dataclass(frozen=True, kw_only=True)
class IndicatorLine:
    """An indicator of a group in words; `interval` is None where the whole is zero."""

    name: str
    says: str
    part: int
    whole: int
    interval: Interval | None


@require_GET
@needs(Right.SEE_MESSAGES)
def show_reach(request: StaffRequest) -> HttpResponse:
    """Show the results of the messages planned between two days, filtered and grouped as chosen."""
    groups = board.portfolios_by_currency(request.user)
    if not groups:
        return render(
            request,
            "console/messages/reach.html",
            {"place": installation_place(), "sees_all": portfolio_codes(request.user) is None},
        )
    query = read_query(request, groups)
    results = message_results(query)
    context = {
        "filters": query,
        "results": results,
        "total": results.total,
        "groups": groups,
        "place": query.portfolios[0],
        "funnel": indicator_lines(kpi.FUNNEL, results.total),
        "plan": indicator_lines(kpi.PLAN, results.total),
        "result": indicator_lines((*kpi.RESULT, kpi.COVERAGE), results.total),
        "harm": indicator_lines(kpi.HARM, results.total),
        "rows": [(_group_name(query, key), counts, _summary_lines(counts)) for key, counts in results.rows],
        "columns": _summary_lines(kpi.Counts()),
        "costs": _cost_amounts(results),
        "best": [(channel, *FINDINGS[channel.finding]) for channel in results.best],
        "cost_of_1000": _cost_of_1000(results),
        "cost_says": (_(kpi.COST_PER_ACTION), _(kpi.COST_PER_UNIT)),
        **_filter_choices(request, groups, query),
    }
    return render(request, "console/messages/reach.html", context)


@require_GET
@needs(Right.EXPORT)
def export_reach(request: StaffRequest) -> HttpResponse:
    """Download the same figures as a spreadsheet, one indicator of one group in each row."""
    groups = board.portfolios_by_currency(request.user)
    if not groups:
        raise Http404
    query = read_query(request, groups)
    file = io.BytesIO()
    rows = spreadsheet.write_xlsx(file, export_rows(query, message_results(query)), name=_("Reach"))
    conditions = recorded_conditions(query)
    let_out(what="reach", rows=rows, conditions=conditions, selection=request.GET.urlencode(), actor=actor_of(request))
    response = HttpResponse(file.getvalue(), content_type=spreadsheet.XLSX_TYPE)
    response["Content-Disposition"] = f'attachment; filename="alcance-{query.from_day}-{query.to_day}.xlsx"'
    return response


def recorded_conditions(query: ResultsQuery) -> dict[str, str]:
    """Return the conditions of an export as the journal keeps them: what was understood, never what was typed."""
    is_template = bool(query.template_code) and has_template(query.template_code)
    recorded = {
        "desde": query.from_day.isoformat(),
        "hasta": query.to_day.isoformat(),
        "cartera": query.portfolios[0].code if len(query.portfolios) == 1 else "",
        "moneda": query.portfolios[0].currency,
        "canal": query.channel if query.channel in dict(labels.choices("channel")) else "",
        "plantilla": query.template_code if is_template else "",
        "ventana": str(query.window),
        "por": query.by,
    }
    return {name: value for name, value in recorded.items() if value}


def read_query(request: StaffRequest, groups: dict[str, list[Portfolio]]) -> ResultsQuery:
    """Return the query of an address; what cannot be read counts as not given."""
    parameters = request.GET
    today = schedule.today(clock.now())
    currency = parameters.get("moneda", "")
    if currency not in groups:
        currency = board.main_currency(groups)
    portfolios = groups[currency]
    # A portfolio has its country: with a portfolio chosen, another country would leave nothing to show.
    chosen = [portfolio for portfolio in portfolios if portfolio.code == parameters.get("cartera", "")]
    if not chosen:
        chosen = [portfolio for portfolio in portfolios if portfolio.country == parameters.get("pais", "")]
    to_day = _parse_day(parameters.get("hasta", ""), default=today)
    from_day = _parse_day(parameters.get("desde", ""), default=to_day - timedelta(DAYS_DEFAULT - 1))
    from_day = min(from_day, to_day)
    from_day = max(from_day, to_day - timedelta(DAYS_MAX))
    windows_by_text = {str(days): days for days in WINDOWS}
    window = windows_by_text.get(parameters.get("ventana", ""), WINDOW_DEFAULT)
    grouping = parameters.get("por", "")
    return ResultsQuery(
        portfolios=chosen or portfolios,
        from_day=from_day,
        to_day=to_day,
        today=today,
        window=window,
        channel=parameters.get("canal", ""),
        template_code=parameters.get("plantilla", ""),
        by=grouping if grouping in DIMENSIONS else "canal",
    )


def _parse_day(text: str, *, default: date) -> date:
    """Return a day written as 2026-11-23, `default` for anything else."""
    day = parse_date(text)
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        return default
    return day


def indicator_lines(indicators: Sequence[kpi.Kpi], counts: kpi.Counts) -> list[IndicatorLine]:
    """Return the indicators of a group in words."""
    return [
        IndicatorLine(
            name=_(indicator.name),
            says=_(indicator.says),
            part=getattr(counts, indicator.part),
            whole=getattr(counts, indicator.whole),
            interval=kpi.compute_rate(indicator, counts),
        )
        for indicator in indicators
    ]


def _summary_lines(counts: kpi.Counts) -> list[IndicatorLine]:
    """Return the indicators that the table of groups has as columns."""
    return indicator_lines([kpi.KPIS[key] for key in SUMMARY_KPIS], counts)


def _group_name(query: ResultsQuery, key: str) -> str:
    """Return the name of a group of the results; '' is the group of messages without a step, variant or the like."""
    if query.by == "canal":
        return labels.label_of("channel", key)
    return key or _("Without one")


def _cost_amounts(results: MessageResults) -> list[tuple[Cost, list[tuple[str, int, float | None]]]]:
    """Return the cost of each channel with its amounts: currency, sum and price per message, both in micros."""
    rows = []
    for cost in results.costs:
        amounts = []
        for currency, (sum_micros, _priced) in sorted(cost.amounts.items()):
            amounts.append((currency, sum_micros, cost.unit_cost(currency)))
        rows.append((cost, amounts))
    return rows


def _cost_of_1000(results: MessageResults) -> int | None:
    """Return the cost of 1,000 recovered, in minor units: that of a single unit is less than a cent."""
    unit_cost = results.cost_per_unit
    if unit_cost is None:
        return None
    minor_per_unit = 10 ** exponent_of(results.currency)
    return round(unit_cost * 1_000 * minor_per_unit)


def _filter_choices(request: StaffRequest, groups: dict[str, list[Portfolio]], query: ResultsQuery) -> dict[str, Any]:
    """Return the context of the filters: their choices and what is chosen.

    `growing` says that the window of the last messages is not over, so that their results may still rise.
    """
    currency = query.portfolios[0].currency
    portfolios = groups[currency]
    code = request.GET.get("cartera", "")
    if code not in [portfolio.code for portfolio in portfolios]:
        code = ""
    return {
        "portfolios": portfolios,
        "countries": sorted({portfolio.country for portfolio in portfolios}),
        "chosen": currency,
        "channels": labels.choices("channel"),
        "windows": WINDOWS,
        "groupings": labels.choices("results_by"),
        "grouping": labels.label_of("results_by", query.by),
        "growing": query.to_day + timedelta(query.window) > query.today,
        # With a portfolio chosen the country does not count, so it is not shown as chosen either.
        "picked": {"cartera": code, "pais": "" if code else request.GET.get("pais", "")},
    }


def export_rows(query: ResultsQuery, results: MessageResults) -> list[list[spreadsheet.Cell]]:
    """Return the figures as rows, the head first."""
    head = [_("Indicator"), _("Count"), _("Of"), _("Share"), _("From"), _("Until"), _("What it means")]
    rows: list[list[spreadsheet.Cell]] = [[labels.label_of("results_by", query.by), *head]]
    groups = [(_("All"), results.total), *((_group_name(query, key), counts) for key, counts in results.rows)]
    for name, counts in groups:
        lines = indicator_lines(list(kpi.KPIS.values()), counts)
        rows += [[name, *_indicator_cells(line)] for line in lines if line.whole > 0]
        paid = spreadsheet.amount_cell(counts.paid_minor, results.currency)
        rows.append([name, f"{_('Paid within the window')} ({results.currency})", paid, None, None, None, None, ""])
    for cost, amounts in _cost_amounts(results):
        channel = labels.label_of("channel", cost.channel)
        for currency, micros, _price in amounts:
            _sum_micros, priced = cost.amounts[currency]
            amount = rounded_units(micros, currency)
            cost_label = f"{_('Cost')} ({currency})"
            rows.append([channel, cost_label, amount, priced, None, None, None, _(kpi.COST_PER_ACTION)])
    return rows


def _indicator_cells(line: IndicatorLine) -> list[spreadsheet.Cell]:
    """Return an indicator as cells: name, count, whole, share and its interval, meaning."""
    shares: list[spreadsheet.Cell] = [None, None, None]
    if line.interval:
        bounds = (line.interval.estimate, line.interval.low, line.interval.high)
        shares = [Decimal(f"{bound:.6f}") for bound in bounds]
    return [line.name, line.part, line.whole, *shares, line.says]


urlpatterns = [
    path("alcance/", show_reach, name="reach"),
    path("alcance/xlsx/", export_reach, name="reach-export"),
]
