"""The list of countries, the page of one, and its month."""

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
from recobra.console import compliance_labels, labels
from recobra.console.guard import StaffRequest, needs
from recobra.console.screens.countries import description
from recobra.console.screens.place import Installation
from recobra.insight.queries import compliance
from recobra.insight.queries.reach import ChannelReach, cached_open_now, current_reach, waiting_today
from recobra.kit import clock
from recobra_core.law import load_countries, zones_for
from recobra_core.law.calendar import CalendarDay, list_month_days

__all__ = ["compliance_labels", "urlpatterns"]
_CHANNELS_SHOWN = ("call", "whatsapp", "email")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A day of the month's table; times are local to `zone`, '' on a closed day."""

    day: CalendarDay
    opens: str
    closes: str
    holiday: str
    today: bool


@require_GET
@needs(Right.SEE_COMPLIANCE)
def list_countries(request: StaffRequest) -> HttpResponse:
    """List the countries; those with portfolios of the user's first, with what is open there now."""
    own = {code for code, _name in compliance.countries_for(request.user)}
    now = clock.now()
    minute = now.replace(second=0, microsecond=0)
    mine = [
        {
            "code": code,
            "name": name,
            "authority": description.authority_name(code),
            "place": _place(load_countries()[code].time_zones[0]),
            "channels": [(channel, cached_open_now(code, "", channel, minute)) for channel in _CHANNELS_SHOWN],
            "waiting": sum(waiting_today(request.user, country=code, now=now).values()),
        }
        for code, name in description.country_names()
        if code in own
    ]
    others = [
        (code, name, description.authority_name(code), load_countries()[code].currency)
        for code, name in description.country_names()
        if code not in own
    ]
    context = {
        "mine": mine,
        "others": others,
        "shown": _CHANNELS_SHOWN,
        "yardsticks": description.YARDSTICKS,
        "now": now,
    }
    return render(request, "console/countries/index.html", context)


@require_GET
@needs(Right.SEE_COMPLIANCE)
def show_country(request: StaffRequest, code: str) -> HttpResponse:
    """Show a country's law as it stands on a day (`?dia=2026-11-22`, today when not given)."""
    home, now = _find_country(code), clock.now()
    today = now.astimezone(ZoneInfo(home.time_zones[0])).date()
    day = _parse_day(request.GET.get("dia", "")) or today
    reading = description.read_law(code, day)
    place = _place(home.time_zones[0])
    context = {
        "reading": reading,
        "code": code,
        "name": description.country_name(code),
        "day": day,
        "today": today,
        "now": now,
        "place": place,
        "weekdays": description.weekday_names(),
        "hours": description.list_hours(reading),
        "caps": description.list_caps(reading),
        "consents": description.list_consents(reading),
        "sections": _sections(reading),
        "lists": _lists(reading),
        "subdivisions": [(description.place_name(each), told) for each, told in reading.local.items() if told],
        "open": _group_by_channel(current_reach(request.user, country=code, now=now)),
        "yardstick": code in description.YARDSTICKS,
        "names": _names(home),
        "zones": len(home.time_zones),
    }
    return render(request, "console/countries/detail.html", context)


@require_GET
@needs(Right.SEE_COMPLIANCE)
def show_month(request: StaffRequest, code: str) -> HttpResponse:
    """Show a month (`?mes=2026-12&canal=call&lugar=BR-SP`): when each day opens, or why it does not."""
    home, now, asked = _find_country(code), clock.now(), request.GET
    places = sorted({*home.subdivisions, *home.zones_by_subdivision})
    place = asked.get("lugar", "") if asked.get("lugar", "") in places else ""
    channels = labels.choices("channel")
    channel = asked.get("canal", "") if asked.get("canal", "") in dict(channels) else "call"
    zone = ZoneInfo(zones_for(country=code, subdivision=place, stated_zone=None).partition("|")[0])
    today = now.astimezone(zone).date()
    first = _parse_day(f"{asked.get('mes', '')}-01") or today.replace(day=1)
    days = list_month_days(country=code, subdivision=place, channel=channel, year=first.year, month=first.month)
    context = {
        "code": code,
        "name": description.country_name(code),
        "channel": channel,
        "channels": channels,
        "first": first,
        "lugar": place,
        "places": [(each, description.place_name(each)) for each in places],
        "zone": zone.key,
        "weeks": _weeks(days, description.holiday_names(home, place, first.year), zone, today),
        "weekdays": description.weekday_names(),
        "before": _add_months(first, -1),
        "after": _add_months(first, 1),
        "place": Installation(time_zone=zone.key),
        "zones": zones_for(country=code, subdivision=place, stated_zone=None).split("|"),
    }
    return render(request, "console/countries/month.html", context)


def _find_country(code: str) -> Any:
    home = load_countries().get(code)
    if home is None:
        raise ObjectDoesNotExist
    return home


def _place(zone: str) -> Installation:
    return Installation(time_zone=zone)


def _names(home: Any) -> dict[str, str]:
    return {each: description.place_name(each) for each in (*home.subdivisions, *home.zones_by_subdivision)}


def _parse_day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1990 <= found.year <= 2100 else None


def _group_by_channel(found: list[ChannelReach]) -> list[dict[str, Any]]:
    """Group places in which a channel is open, or closed, alike and by the same rule: most countries have one line."""
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for each in found:
        key = (each.channel, each.now)
        row = rows.setdefault(key, {"channel": each.channel, "now": each.now, "places": [], "waiting": 0})
        row["places"].append(description.place_name(each.place) if each.place else "")
        row["waiting"] += each.waiting
        row.setdefault("zones", each.zones)
    return list(rows.values())


def _sections(reading: Any) -> list[tuple[str, Any]]:
    """Return what stands in tables of one shape, by the key of its title."""
    found = [
        ("third_parties", reading.third_parties),
        ("workplace", reading.workplace),
        ("stops", reading.stops),
        ("replies", reading.replies),
        ("offers", reading.offers),
        ("opt_out", (reading.opt_out,)),
        ("fees", reading.fees),
        ("limitation", reading.limitation),
        ("records", (reading.records,)),
        ("sanctions", (reading.sanctions,)),
        ("registries", reading.registries),
        ("further", reading.further),
    ]
    return [(name, told) for name, told in found if told]


def _lists(reading: Any) -> list[tuple[str, tuple[str, ...], str]]:
    return [("required", reading.required, reading.required_basis), ("prohibited", reading.prohibited, "")]


def _add_months(first: date, by: int) -> date:
    number = first.year * 12 + first.month - 1 + by
    return date(number // 12, number % 12 + 1, 1)


def _weeks(
    found: Sequence[CalendarDay], names: dict[date, str], zone: ZoneInfo, today: date
) -> list[list[Cell | None]]:
    """Return the month as weeks from Monday to Sunday, None outside of it."""
    cells: list[Cell | None] = [_cell(each, zone, names, today) for each in found]
    cells = [*_nothing(found[0].day.weekday()), *cells]
    cells += _nothing(-len(cells) % 7)
    return [cells[start : start + 7] for start in range(0, len(cells), 7)]


def _nothing(days: int) -> list[Cell | None]:
    return [None for _day_of_another_month in range(days)]


def _cell(day: CalendarDay, zone: ZoneInfo, names: dict[date, str], today: date) -> Cell:
    return Cell(
        day=day,
        opens=_format_local(day.opens_at, zone),
        closes=_format_local(day.closes_at, zone, end=True),
        holiday=names.get(day.day, ""),
        today=day.day == today,
    )


def _format_local(at: datetime | None, zone: ZoneInfo, *, end: bool = False) -> str:
    if at is None:
        return ""
    text = f"{at.astimezone(zone):%H:%M}"
    return "24:00" if end and text == "00:00" else text


urlpatterns = [
    path("paises/", list_countries, name="countries"),
    path("paises/<str:code>/", show_country, name="country"),
    path("paises/<str:code>/calendario/", show_month, name="country-month"),
]
