"""Days of a year by rules such as `12-25`, `easter-2` or `3 mon 10`: a reading of calendars that asks no package."""

import re
from datetime import date, timedelta

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = r"\d\d-\d\d"


def easter(year: int) -> date:
    """The Sunday after the first full moon of spring, by the Gregorian calendar (Meeus, Jones and Butcher)."""
    century, rest = divmod(year, 100)
    golden = year % 19
    correction = (8 * century + 13) // 25
    epact = (19 * golden + century - century // 4 - correction + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def _on_weekday(day: date, weekday: str, *, step: int) -> date:
    while day.weekday() != WEEKDAYS.index(weekday):
        day += timedelta(days=step)
    return day


def _bridge(day: date) -> date:
    """Argentina, Ley 27.399: from Tuesday and Wednesday to the Monday before, from Thursday and Friday to the next."""
    if WEEKDAYS[day.weekday()] in {"tue", "wed"}:
        return _on_weekday(day, "mon", step=-1)
    if WEEKDAYS[day.weekday()] in {"thu", "fri"}:
        return _on_weekday(day, "mon", step=1)
    return day


def day_of(rule: str, year: int) -> date | None:
    """The day of a rule in a year, None where it has none.

    `12-25`; `easter-2`; `3 mon 10`, `-1 mon 5` the last one; `06-29 >= mon` the day or the Monday after; `07-15 <= fri`
    the day or the Friday before; `06-17 bridge`; `07-04 weekend` the Friday before a Saturday, the Monday after a
    Sunday; `08-06 sunday` the Monday after a Sunday; `2026-11-09` of that year alone.
    """
    if re.fullmatch(rf"\d{{4}}-{_DAY}", rule):
        day = date.fromisoformat(rule)
        return day if day.year == year else None
    if found := re.fullmatch(r"easter([+-]\d+)", rule):
        return easter(year) + timedelta(days=int(found[1]))
    if found := re.fullmatch(r"(-?\d) (\w{3}) (\d+)", rule):
        return _nth(int(found[1]), found[2], year, int(found[3]))
    written, _, how = rule.partition(" ")
    return _move(date.fromisoformat(f"{year}-{written}"), *how.split())


def _move(day: date, how: str = "", weekday: str = "") -> date | None:
    if how in {">=", "<="}:
        return _on_weekday(day, weekday, step=1 if how == ">=" else -1)
    if how == "bridge":
        return _bridge(day)
    if not how:
        return day
    # The day that stands for one on a weekend; a working day needs none.
    shifts = {"weekend": {"sat": -1, "sun": 1}, "sunday": {"sun": 1}}[how]
    shift = shifts.get(WEEKDAYS[day.weekday()])
    return day + timedelta(days=shift) if shift else None


def _nth(number: int, weekday: str, year: int, month: int) -> date:
    if number < 0:
        last = (date(year + month // 12, month % 12 + 1, 1)) - timedelta(days=1)
        return _on_weekday(last, weekday, step=-1) + timedelta(weeks=number + 1)
    return _on_weekday(date(year, month, 1), weekday, step=1) + timedelta(weeks=number - 1)
