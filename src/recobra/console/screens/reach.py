"""Alcance: what the messages of a period brought, each figure with its interval and what it means."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from babel.numbers import get_currency_precision
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from recobra.access.operations import record_export
from recobra.access.roles import Right
from recobra.console import labels, spreadsheet
from recobra.console.guard import StaffRequest, needs
from recobra.insight.queries import board
from recobra.insight.queries.message_results import DIMENSIONS, WINDOWS, MessageResults, ResultsQuery, message_results
from recobra.kit import clock
from recobra.strategy import schedule
from recobra_core.kpi import contacts as kpi
from recobra_core.kpi.difference import Conclusion, Interval
from recobra_core.money import rounded_units

from .place import Installation

DAYS_DEFAULT: Final = 30
DAYS_MAX: Final = 366
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
GROUPINGS: Final[dict[str, str | Promise]] = {
    "canal": gettext_lazy("Channel"),
    "plantilla": gettext_lazy("Template"),
    "variante": gettext_lazy("Variant"),
    "paso": gettext_lazy("Step of a strategy"),
    "cartera": gettext_lazy("Portfolio"),
    "pais": gettext_lazy("Country"),
}
FINDINGS: Final[dict[Conclusion, tuple[str | Promise, str]]] = {
    "better": (gettext_lazy("More than the next, beyond chance"), "good"),
    "worse": (gettext_lazy("Less than the next"), "bad"),
    "no_difference": (gettext_lazy("No difference worth the name"), "quiet"),
    "not_enough": (gettext_lazy("Not enough yet to say"), "warn"),
}


@dataclass(frozen=True, kw_only=True)
class IndicatorLine:
    """An indicator of a group in words; `interval` is None where there is nothing to be a share of."""

    name: str
    says: str
    part: int
    whole: int
    interval: Interval | None


@require_GET
@needs(Right.SEE_MESSAGES)
def show_reach(request: StaffRequest) -> HttpResponse:
    """Show what the messages planned between two days brought, narrowed and told apart as asked."""
    groups = board.portfolios_by_currency(request.user)
    if not groups:
        return render(
            request, "console/messages/reach.html", {"place": Installation(time_zone=schedule.installation_zone().key)}
        )
    asked = read_query(request, groups)
    found = message_results(asked)
    context = {
        "asked": asked,
        "found": found,
        "total": found.total,
        "groups": groups,
        "place": asked.portfolios[0],
        "funnel": indicator_lines(kpi.FUNNEL, found.total),
        "plan": indicator_lines(kpi.PLAN, found.total),
        "result": indicator_lines((*kpi.RESULT, kpi.COVERAGE), found.total),
        "harm": indicator_lines(kpi.HARM, found.total),
        "rows": [(_group_name(asked, key), counts, _summary_lines(counts)) for key, counts in found.rows],
        "columns": _summary_lines(kpi.Counts()),
        "costs": _cost_amounts(found),
        "best": [(each, *FINDINGS[each.finding]) for each in found.best],
        "cost_of_1000": _cost_of_1000(found),
        "cost_says": (_(kpi.COST_PER_ACTION), _(kpi.COST_PER_UNIT)),
        **_filter_choices(request, groups, asked),
    }
    return render(request, "console/messages/reach.html", context)


@require_GET
@needs(Right.EXPORT)
def export_reach(request: StaffRequest) -> HttpResponse:
    """Give the same figures as a spreadsheet, one indicator of one group a row."""
    groups = board.portfolios_by_currency(request.user)
    if not groups:
        raise Http404
    asked = read_query(request, groups)
    file = io.BytesIO()
    rows = spreadsheet.write_xlsx(file, export_rows(asked, message_results(asked)), name=_("Reach"))
    conditions = {name: str(value) for name, value in request.GET.items()}
    record_export(user=request.user, what="reach", rows=rows, conditions=conditions, now=clock.now())
    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    answer = HttpResponse(file.getvalue(), content_type=media)
    answer["Content-Disposition"] = f'attachment; filename="alcance-{asked.from_day}-{asked.to_day}.xlsx"'
    return answer


def read_query(request: StaffRequest, groups: dict[str, list[Any]]) -> ResultsQuery:
    """Read which messages are asked for; what cannot be read counts as not given."""
    given, today = request.GET, schedule.today(clock.now())
    currency = given.get("moneda", "")
    portfolios = groups[currency if currency in groups else board.main_currency(groups)]
    # A portfolio says its country: where one is named, another country would leave nothing to show.
    named = [each for each in portfolios if each.code == given.get("cartera", "")]
    narrowed = named or [each for each in portfolios if each.country == given.get("pais", "")]
    to_day = _day(given.get("hasta", ""), today)
    from_day = min(_day(given.get("desde", ""), to_day - timedelta(DAYS_DEFAULT - 1)), to_day)
    window, by = given.get("ventana", ""), given.get("por", "")
    return ResultsQuery(
        portfolios=narrowed or portfolios,
        from_day=max(from_day, to_day - timedelta(DAYS_MAX)),
        to_day=to_day,
        today=today,
        window=int(window) if window in map(str, WINDOWS) else WINDOWS[1],
        channel=given.get("canal", ""),
        template_code=given.get("plantilla", ""),
        by=by if by in DIMENSIONS else "canal",
    )


def _day(text: str, otherwise: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return otherwise
    return day if 2000 <= day.year <= 2200 else otherwise


def indicator_lines(indicators: Sequence[kpi.Kpi], counts: kpi.Counts) -> list[IndicatorLine]:
    """Return indicators of a group in words."""
    return [
        IndicatorLine(
            name=_(each.name),
            says=_(each.says),
            part=getattr(counts, each.part),
            whole=getattr(counts, each.whole),
            interval=kpi.compute_rate(each, counts),
        )
        for each in indicators
    ]


def _summary_lines(counts: kpi.Counts) -> list[IndicatorLine]:
    return indicator_lines([kpi.KPIS[key] for key in SUMMARY_KPIS], counts)


def _group_name(asked: ResultsQuery, key: str) -> str:
    if asked.by == "canal":
        return labels.label_of("channel", key)
    return key or _("Without one")


def _cost_amounts(found: MessageResults) -> list[tuple[Any, list[tuple[str, int, float | None]]]]:
    """Return each channel's cost with, by currency, its sum and its price per message, in micros."""
    return [
        (cost, [(currency, cost.amounts[currency][0], cost.unit_cost(currency)) for currency in sorted(cost.amounts)])
        for cost in found.costs
    ]


def _cost_of_1000(found: MessageResults) -> int | None:
    """Return what 1,000 recovered cost, in minor units: a single unit costs too little to be written as money."""
    each = found.cost_per_unit
    return None if each is None else round(each * 1_000 * 10 ** get_currency_precision(found.currency))


def _filter_choices(request: StaffRequest, groups: dict[str, list[Any]], asked: ResultsQuery) -> dict[str, Any]:
    portfolios = groups[asked.portfolios[0].currency]
    return {
        "portfolios": portfolios,
        "countries": sorted({each.country for each in portfolios}),
        "chosen": asked.portfolios[0].currency,
        "channels": labels.choices("channel"),
        "windows": WINDOWS,
        "ways": GROUPINGS.items(),
        "way": GROUPINGS[asked.by],
        "growing": asked.to_day + timedelta(asked.window) > asked.today,
        "picked": _picked(request, portfolios),
    }


def _picked(request: StaffRequest, portfolios: list[Any]) -> dict[str, str]:
    """Return what the filters show: the portfolio, or the country where no portfolio is named."""
    named = next((each.code for each in portfolios if each.code == request.GET.get("cartera", "")), "")
    return {"cartera": named, "pais": "" if named else request.GET.get("pais", "")}


def export_rows(asked: ResultsQuery, found: MessageResults) -> list[list[spreadsheet.Cell]]:
    """Return the figures as rows, a head first."""
    rows: list[list[spreadsheet.Cell]] = [
        [
            str(GROUPINGS[asked.by]),
            _("Indicator"),
            _("Count"),
            _("Of"),
            _("Share"),
            _("From"),
            _("Until"),
            _("What it means"),
        ]
    ]
    groups = [(_("All"), found.total), *((_group_name(asked, key), counts) for key, counts in found.rows)]
    for name, counts in groups:
        rows += [[name, *_cells(line)] for line in indicator_lines(list(kpi.KPIS.values()), counts) if line.whole > 0]
        paid = spreadsheet.amount_cell(counts.paid_minor, found.currency)
        rows.append([name, f"{_('Paid within the window')} ({found.currency})", paid, None, None, None, None, ""])
    return rows + [_cost_cells(cost, each) for cost, amounts in _cost_amounts(found) for each in amounts]


def _cells(line: IndicatorLine) -> list[spreadsheet.Cell]:
    bounds = line.interval
    shares = (bounds.estimate, bounds.low, bounds.high) if bounds else (None, None, None)
    shown: list[spreadsheet.Cell] = [None if each is None else Decimal(f"{each:.6f}") for each in shares]
    return [line.name, line.part, line.whole, *shown, line.says]


def _cost_cells(cost: Any, amount: tuple[str, int, float | None]) -> list[spreadsheet.Cell]:
    currency, micros, _each = amount
    name, priced = labels.label_of("channel", cost.channel), cost.amounts[currency][1]
    paid = rounded_units(micros, currency)
    return [name, f"{_('Cost')} ({currency})", paid, priced, None, None, None, _(kpi.COST_PER_ACTION)]


urlpatterns = [
    path("alcance/", show_reach, name="reach"),
    path("alcance/xlsx/", export_reach, name="reach-export"),
]
