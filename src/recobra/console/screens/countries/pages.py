"""Pages about countries: the list, the law of one, and its calendar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from recobra.access.roles import Right
from recobra.console import labels
from recobra.console.guard import StaffRequest, needs
from recobra.console.parameters import parse_date
from recobra.console.screens.countries import description
from recobra.console.screens.place import Installation
from recobra.insight.queries import compliance
from recobra.insight.queries.reach import ChannelReach, cached_open_now, current_reach, waiting_today
from recobra.kit import clock
from recobra_core.law import load_countries, zones_for
from recobra_core.law.calendar import CalendarDay, list_month_days

_CHANNELS_SHOWN = ("call", "whatsapp", "email")


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
        country, authority = load_countries()[code], description.authority_name(code)
        if code not in own_codes:
            others.append((code, name, authority, country.currency))
            continue
        own.append(
            {
                "code": code,
                "name": name,
                "authority": authority,
                "place": Installation(time_zone=country.time_zones[0]),
                "channels": [(channel, cached_open_now(code, "", channel, minute)) for channel in _CHANNELS_SHOWN],
                "waiting": sum(waiting_today(request.user, country=code, now=now).values()),
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
    home, now = _find_country(code), clock.now()
    today = now.astimezone(ZoneInfo(home.time_zones[0])).date()
    day = _parse_day(request.GET.get("dia", "")) or today
    law = description.read_law(code, day)
    subdivisions = (*home.subdivisions, *home.zones_by_subdivision)
    context = {
        "law": law,
        "code": code,
        "name": description.country_name(code),
        "day": day,
        "today": today,
        "now": now,
        "place": Installation(time_zone=home.time_zones[0]),
        "weekdays": description.weekday_names(),
        "hours": description.list_hours(law),
        "caps": description.list_caps(law),
        "consents": description.list_consents(law),
        "sections": _sections(law),
        "lists": [("required", law.required, law.required_basis), ("prohibited", law.prohibited, "")],
        "subdivisions": [(description.place_name(place), texts) for place, texts in law.local.items() if texts],
        "open": _group_by_channel(current_reach(request.user, country=code, now=now)),
        "yardstick": code in description.YARDSTICKS,
        "names": {place: description.place_name(place) for place in subdivisions},
        "zones": len(home.time_zones),
    }
    return render(request, "console/countries/detail.html", context)


@require_GET
@needs(Right.SEE_COMPLIANCE)
def show_month(request: StaffRequest, code: str) -> HttpResponse:
    """Show a month (`?mes=2026-12&canal=call&lugar=BR-SP`): the hours of each day, or why it is closed."""
    home, now, parameters = _find_country(code), clock.now(), request.GET
    places = sorted({*home.subdivisions, *home.zones_by_subdivision})
    place = parameters.get("lugar", "") if parameters.get("lugar", "") in places else ""
    channels = labels.choices("channel")
    channel = parameters.get("canal", "") if parameters.get("canal", "") in dict(channels) else "call"
    # A place may lie in several zones; the page shows the hours of the first, and names the others.
    zones = zones_for(country=code, subdivision=place, stated_zone=None).split("|")
    zone = ZoneInfo(zones[0])
    today = now.astimezone(zone).date()
    first = _parse_day(f"{parameters.get('mes', '')}-01") or today.replace(day=1)
    days = list_month_days(country=code, subdivision=place, channel=channel, year=first.year, month=first.month)
    context = {
        "code": code,
        "name": description.country_name(code),
        "channel": channel,
        "channels": channels,
        "first": first,
        "lugar": place,
        "places": [(subdivision, description.place_name(subdivision)) for subdivision in places],
        "zone": zone.key,
        "weeks": _weeks(days, description.holiday_names(home, place, first.year), zone, today),
        "weekdays": description.weekday_names(),
        "before": _add_months(first, -1),
        "after": _add_months(first, 1),
        "place": Installation(time_zone=zone.key),
        "zones": zones,
    }
    return render(request, "console/countries/month.html", context)


def _find_country(code: str) -> Any:
    country = load_countries().get(code)
    if country is None:
        raise ObjectDoesNotExist
    return country


def _parse_day(text: str) -> date | None:
    day = parse_date(text)
    # Calendars of holidays are only known for about these years.
    return day if day is not None and 1990 <= day.year <= 2100 else None


def _group_by_channel(reaches: list[ChannelReach]) -> list[dict[str, Any]]:
    """Group the places where a channel is open, or closed, by the same rule: most countries have one line."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for reach in reaches:
        key = (reach.channel, reach.now)
        row = rows.setdefault(key, {"channel": reach.channel, "now": reach.now, "places": [], "waiting": 0})
        row["places"].append(description.place_name(reach.place) if reach.place else "")
        row["waiting"] += reach.waiting
        row.setdefault("zones", reach.zones)
    return list(rows.values())


def _sections(law: Any) -> list[tuple[str, Any]]:
    """Return the sections that share one form of table, by the key of their titles; those without text are left out."""
    sections = [
        ("third_parties", law.third_parties),
        ("workplace", law.workplace),
        ("stops", law.stops),
        ("replies", law.replies),
        ("offers", law.offers),
        ("opt_out", (law.opt_out,)),
        ("fees", law.fees),
        ("limitation", law.limitation),
        ("records", (law.records,)),
        ("sanctions", (law.sanctions,)),
        ("registries", law.registries),
        ("further", law.further),
    ]
    return [(name, texts) for name, texts in sections if texts]


def _add_months(first: date, months: int) -> date:
    """Return the first day of the month so many months later; negative: earlier."""
    number = first.year * 12 + first.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def _weeks(
    days: Sequence[CalendarDay], holidays: dict[date, str], zone: ZoneInfo, today: date
) -> list[list[Cell | None]]:
    """Return the month as weeks from Monday to Sunday, None outside of it."""
    cells: list[Cell | None] = [None] * days[0].day.weekday()
    cells += [
        Cell(
            day=day,
            opens=_format_local(day.opens_at, zone),
            closes=_format_local(day.closes_at, zone, is_end=True),
            holiday=holidays.get(day.day, ""),
            today=day.day == today,
        )
        for day in days
    ]
    cells += [None] * (-len(cells) % 7)
    return [cells[start : start + 7] for start in range(0, len(cells), 7)]


def _format_local(at: datetime | None, zone: ZoneInfo, *, is_end: bool = False) -> str:
    if at is None:
        return ""
    text = f"{at.astimezone(zone):%H:%M}"
    # A day that closes at midnight ends with it, and does not begin with it.
    return "24:00" if is_end and text == "00:00" else text


urlpatterns = [
    path("paises/", list_countries, name="countries"),
    path("paises/<str:code>/", show_country, name="country"),
    path("paises/<str:code>/calendario/", show_month, name="country-month"),
]
