"""Pages about countries: the list, the law of one, and its calendar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from recobra.access.roles import Right
from recobra.compliance.breach_costs import BreachCostRefused, list_open_breaches, set_breach_cost
from recobra.console import labels
from recobra.console.actions import actor_of
from recobra.console.forms import BreachCostForm
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_date
from recobra.console.screens.countries import description
from recobra.console.screens.place import Installation
from recobra.insight.queries import compliance
from recobra.insight.queries.reach import ChannelReach, cached_open_state, current_reach, waiting_today
from recobra.kit import clock
from recobra.kit.countries import country_name
from recobra_core.law import load_countries, zones_for
from recobra_core.law.calendar import CalendarDay, OpenState, list_month_days
from recobra_core.law.description import CountryLaw, RuleText
from recobra_core.law.model import Country
from recobra_core.zones import split_zones

_CHANNELS_SHOWN = ("call", "whatsapp", "email")
# The calendars of holidays are only known for about these years.
_FIRST_YEAR = 1990
_LAST_YEAR = 2100


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A day of the month's table; times are local to the place, '' on a closed day."""

    day: CalendarDay
    opens: str
    closes: str
    holiday: str
    today: bool


@require_GET
@needs(Right.SEE_COMPLIANCE)
def list_countries(request: StaffRequest) -> HttpResponse:
    """List the countries; first those of the user's portfolios, with the channels that are open there now."""
    own_codes = {code for code, _name in compliance.countries_for(request.user)}
    now = clock.now()
    # The answers are cached by the minute.
    minute = now.replace(second=0, microsecond=0)
    own: list[dict[str, Any]] = []
    others: list[tuple[str, str, str, str]] = []
    for code, name in description.country_names():
        country = load_countries()[code]
        authority = description.authority_name(code)
        if code not in own_codes:
            others.append((code, name, authority, country.currency))
            continue
        open_states = [(channel, cached_open_state(code, "", channel, minute)) for channel in _CHANNELS_SHOWN]
        waiting_contacts = waiting_today(request.user, country=code, now=now)
        own.append(
            {
                "code": code,
                "name": name,
                "authority": authority,
                "place": Installation(time_zone=country.time_zones[0]),
                "channels": open_states,
                "waiting": sum(waiting_contacts.values()),
            }
        )
    context = {
        "own": own,
        "others": others,
        "shown": _CHANNELS_SHOWN,
        "yardsticks": description.YARDSTICKS,
        "now": now,
    }
    return render(request, "console/countries/index.html", context)


@require_GET
@needs(Right.SEE_COMPLIANCE)
def show_country(request: StaffRequest, code: str) -> HttpResponse:
    """Show a country's law on a day (`?dia=2026-11-22`, today when not given)."""
    return _render_country(request, code)


def _render_country(request: StaffRequest, code: str, form: BreachCostForm | None = None) -> HttpResponse:
    """Render the page of a country, with what was typed into the form of costs where it was refused."""
    country = _find_country(code)
    now = clock.now()
    today = now.astimezone(ZoneInfo(country.time_zones[0])).date()
    day = _parse_day(request.GET.get("dia", "")) or today
    law = description.read_law(code, day)
    subdivisions = (*country.subdivisions, *country.zones_by_subdivision)
    local_rules = [(description.place_name(place), rules) for place, rules in law.local.items() if rules]
    context = {
        "law": law,
        "code": code,
        "name": country_name(code),
        "day": day,
        "today": today,
        "now": now,
        "place": Installation(time_zone=country.time_zones[0]),
        "weekdays": description.weekday_names(),
        "hours": description.list_hours(law),
        "caps": description.list_caps(law),
        "consents": description.list_consents(law),
        "sections": _list_sections(law),
        "lists": [("required", law.required, law.required_basis), ("prohibited", law.prohibited, "")],
        "subdivisions": local_rules,
        "open": _group_by_channel(current_reach(request.user, country=code, now=now)),
        "yardstick": code in description.YARDSTICKS,
        "names": {place: description.place_name(place) for place in subdivisions},
        "zones": len(country.time_zones),
        "breaches": list_open_breaches(country=code, day=day),
        "form": form or _breach_cost_form(country, today),
    }
    return render(request, "console/countries/detail.html", context)


@require_POST
@needs(Right.EDIT_RULES)
def save_breach_cost(request: StaffRequest, code: str) -> HttpResponse:
    """Say what a breach may cost where the law names no amount."""
    country = _find_country(code)
    today = clock.now().astimezone(ZoneInfo(country.time_zones[0])).date()
    form = _breach_cost_form(country, today, request.POST)
    if not form.is_valid():
        return _render_country(request, code, form)
    try:
        set_breach_cost(
            country=code,
            breach=form.cleaned_data["breach"],
            amount_minor=form.cleaned_data["amount_minor"],
            holds_from=form.cleaned_data["holds_from"],
            reason=form.cleaned_data["reason"],
            today=today,
            actor=actor_of(request),
        )
    except BreachCostRefused as refusal:
        form.add_error(None, str(refusal))
        return _render_country(request, code, form)
    messages.success(request, _("The cost was kept: incidents from its day on are valued by it."))
    return redirect("console:country", code)


@require_GET
@needs(Right.SEE_COMPLIANCE)
def show_month(request: StaffRequest, code: str) -> HttpResponse:
    """Show a month (`?mes=2026-12&canal=call&lugar=BR-SP`): the hours of each day, or why it is closed."""
    country = _find_country(code)
    places = description.list_places(country)
    place = request.GET.get("lugar", "")
    if place not in dict(places):
        place = ""
    channels = labels.choices("channel")
    channel = request.GET.get("canal", "")
    if channel not in dict(channels):
        channel = "call"
    # A place may lie in several zones; the page shows the hours of the first, and names the others.
    zones = split_zones(zones_for(country=code, subdivision=place, stated_zone=None))
    zone = ZoneInfo(zones[0])
    today = clock.now().astimezone(zone).date()
    month_text = request.GET.get("mes", "")
    first = _parse_day(f"{month_text}-01") or today.replace(day=1)
    holidays = description.holiday_names(country, place, first.year)
    days = list_month_days(country=code, subdivision=place, channel=channel, year=first.year, month=first.month)
    context = {
        "code": code,
        "name": country_name(code),
        "channel": channel,
        "channels": channels,
        "first": first,
        "lugar": place,
        "places": places,
        "zone": zone.key,
        "weeks": _arrange_weeks(days, holidays, zone, today),
        "weekdays": description.weekday_names(),
        "before": _add_months(first, -1),
        "after": _add_months(first, 1),
        "place": Installation(time_zone=zone.key),
        "zones": zones,
    }
    return render(request, "console/countries/month.html", context)


def _find_country(code: str) -> Country:
    """Return a country with rules. Raises ObjectDoesNotExist."""
    country = load_countries().get(code)
    if country is None:
        raise ObjectDoesNotExist
    return country


def _breach_cost_form(country: Country, today: date, data: Any = None) -> BreachCostForm:
    """Return the form of what a breach may cost, with the kinds for which the law names no amount today."""
    place = Installation(country=country.code, currency=country.currency, time_zone=country.time_zones[0])
    choices = [(each.breach, each.label) for each in list_open_breaches(country=country.code, day=today)]
    return BreachCostForm(data, place=place, breaches=choices, today=today)


def _parse_day(text: str) -> date | None:
    """Return a day written as 2026-11-23; None for anything else and for years without holiday calendars."""
    day = parse_date(text)
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        return None
    return day


def _group_by_channel(reaches: list[ChannelReach]) -> list[dict[str, Any]]:
    """Return a row for each channel and state, with the places that share them: most countries have one a channel.

    A place of '' is the country as a whole.
    """
    rows: dict[tuple[str, OpenState], dict[str, Any]] = {}
    for reach in reaches:
        key = (reach.channel, reach.open_state)
        if key not in rows:
            rows[key] = {
                "channel": reach.channel,
                "now": reach.open_state,
                "places": [],
                "waiting": 0,
                "zones": reach.zones,
            }
        row = rows[key]
        row["places"].append(description.place_name(reach.place) if reach.place else "")
        row["waiting"] += reach.waiting
    return list(rows.values())


def _list_sections(law: CountryLaw) -> list[tuple[str, Sequence[RuleText]]]:
    """Return the sections shown in the table «People, places, money and time», without the empty ones.

    Each comes with the code of its title: a label of the family `law_section`.
    """
    sections: list[tuple[str, Sequence[RuleText]]] = [
        ("third_parties", law.third_parties),
        ("workplace", law.workplace),
        ("stages", law.stages),
        ("stops", law.stops),
        ("replies", law.replies),
        ("offers", law.offers),
        ("opt_out", [law.opt_out]),
        ("fees", law.fees),
        ("limitation", law.limitation),
        ("records", [law.records]),
        ("penalties", law.penalties),
        ("registries", law.registries),
        ("further", law.further),
    ]
    return [(name, rules) for name, rules in sections if rules]


def _add_months(first: date, months: int) -> date:
    """Return the first day of the month that many months after `first`, or before it where `months` is negative."""
    # Months are counted from January of the year 0, which is number 0.
    number = first.year * 12 + (first.month - 1) + months
    return date(year=number // 12, month=number % 12 + 1, day=1)


def _arrange_weeks(
    days: Sequence[CalendarDay], holidays: Mapping[date, str], zone: ZoneInfo, today: date
) -> list[list[Cell | None]]:
    """Return the days of a month as weeks from Monday to Sunday, with None for days of other months."""
    days_before = days[0].day.weekday()
    cells: list[Cell | None] = [None] * days_before
    for day in days:
        closes = _format_time(day.closes_at, zone)
        cells.append(
            Cell(
                day=day,
                opens=_format_time(day.opens_at, zone),
                # A day that closes at midnight ends with it, and does not begin with it.
                closes="24:00" if closes == "00:00" else closes,
                holiday=holidays.get(day.day, ""),
                today=day.day == today,
            )
        )
    days_after = -len(cells) % 7
    cells += [None] * days_after
    return [cells[monday : monday + 7] for monday in range(0, len(cells), 7)]


def _format_time(at: datetime | None, zone: ZoneInfo) -> str:
    """Return an instant as local time such as 07:00, '' for None."""
    return "" if at is None else f"{at.astimezone(zone):%H:%M}"


urlpatterns = [
    path("paises/", list_countries, name="countries"),
    path("paises/<str:code>/", show_country, name="country"),
    path("paises/<str:code>/costo/", save_breach_cost, name="country-breach-cost"),
    path("paises/<str:code>/calendario/", show_month, name="country-month"),
]
