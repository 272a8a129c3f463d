"""Rules for days in Spanish: patterns with their readers. A reader returns None where the text is not one day."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from recobra.conversations.bot import numerals

Reader = Callable[[re.Match[str], date], date | None]
_WEEKDAYS: Final = (
    r"lun\w*",
    r"mart?e[sz]?",
    r"m[ie]+r[ck]o\w*|mier\w*",
    r"jue?[vb]\w*",
    r"[vb]ierne\w*",
    r"s[a]?[vb]ad\w*",
    "doming?o",
)
_MONTHS: Final = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "se(?:p)?tiembre",
    "octubre",
    "noviembre",
    "diciembre",
]
# Longest first, or «dieciseis» would be read as «diez».
_NUMBER: Final = rf"(?P<number>\d{{1,2}}|{numerals.PATTERN})"
_NOT_A_DAY: Final = (
    r"(?!\d)(?! ?(?:soles|pesos|dolares|mil|lucas|cuotas|pagos|meses|por ciento"
    r"|horas?|hs|pm|am|anos|de la|colones|guaranies))"
)


def read_numeric_date(match: re.Match[str], today: date, *, both_orders: bool) -> date | None:
    """Return the day of «15/12» or «15-12-2026», None where `both_orders` make it ambiguous.

    The match has the groups `first`, `second` and `year`, which is empty where none was written.
    """
    first = int(match["first"])
    second = int(match["second"])
    year = match["year"]
    if both_orders and first != second and first <= 12 and second <= 12:
        return None
    is_month_first = both_orders and second > 12
    day, month = (second, first) if is_month_first else (first, second)
    if not year:
        return _next_date(day, month, today)
    century = 2000 if len(year) == 2 else 0
    return _date_or_none(century + int(year), month, day)


def _next_date(day: int, month: int, today: date) -> date | None:
    """Return the next such date from today on; None where there is no such date."""
    this_year = _date_or_none(today.year, month, day)
    if this_year is None or this_year >= today:
        return this_year
    return _date_or_none(today.year + 1, month, day)


def _date_or_none(year: int, month: int, day: int) -> date | None:
    """Return a date, None where the calendar has no such day."""
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _parse_number(text: str) -> int:
    """Return a number in figures or in one word; 0 for a word that is none by itself."""
    if text.isdecimal():
        return int(text)
    return numerals.parse_number([text]) or 0


def _read_day_and_month(match: re.Match[str], today: date) -> date | None:
    """Return the day of «15 de diciembre» or «15 de diciembre de 2026»."""
    day = _parse_number(match["number"])
    month = next(number for number, name in enumerate(_MONTHS, 1) if re.fullmatch(name, match["month"]))
    if match["year"]:
        return _date_or_none(int(match["year"]), month, day)
    return _next_date(day, month, today)


def _read_day_of_month(match: re.Match[str], today: date) -> date | None:
    """Return the next day of «el 15»; None on the day itself, which may mean today or next month."""
    day = _parse_number(match["number"])
    if not 1 <= day <= 31 or day == today.day:
        return None
    # Of three months in a row at least one that is still to come has a day 31.
    year, month = today.year, today.month
    for _attempt in range(3):
        candidate = _date_or_none(year, month, day)
        if candidate is not None and candidate > today:
            return candidate
        month += 1
        if month > 12:
            year, month = year + 1, 1
    return None


def _read_weekday(match: re.Match[str], today: date) -> date | None:
    """Return the day of a weekday with what stands before and after it: «el próximo lunes», «el lunes que viene»."""
    number = next(number for number, name in enumerate(_WEEKDAYS) if re.fullmatch(name, match["name"]))
    ahead = (number - today.weekday()) % 7
    before = (match["before"] or "").strip()
    after = (match["after"] or "").strip()
    # «El lunes de la próxima semana»: counted from the Monday of that week.
    if "de la" in after:
        return today + timedelta(days=7 - today.weekday() + number)
    if before.endswith("otro") or "subsiguiente" in after:
        return today + timedelta(days=ahead + 7)
    if before == "hoy":
        return today if ahead == 0 else None
    if before == "manana":
        return today + timedelta(days=1) if ahead == 1 else None
    if ahead == 0:
        # «El lunes» said on a Monday may be today or in a week; «el próximo lunes» is in a week.
        is_next_week = "prox" in before + after or "que" in after or "entra" in after
        return today + timedelta(days=7) if is_next_week else None
    # «El lunes pasado» is over.
    return None if "pasado" in after else today + timedelta(days=ahead)


def _last_of_month(today: date) -> date:
    _first_weekday, length = calendar.monthrange(today.year, today.month)
    return today.replace(day=length)


def _read_fortnight(match: re.Match[str], today: date) -> date | None:
    """Return the next pay day of a fortnight: the 15th or the last of the month."""
    middle = today.replace(day=15)
    last = _last_of_month(today)
    if "primera" in match[0]:
        return middle if middle >= today else None
    if "segunda" in match[0]:
        return last
    return middle if today < middle else last


def _read_day_count(match: re.Match[str], today: date) -> date | None:
    """Return the day of «en 3 días» or «en dos semanas»."""
    count = _parse_number(match["number"])
    if count == 0:
        return None
    if match["unit"].startswith("sem"):
        return today + timedelta(weeks=count)
    return today + timedelta(days=count)


def _days_ahead(days: int) -> Reader:
    """Return the reader of a word for a day that is so many days after today."""
    return lambda _match, today: today + timedelta(days=days)


def _read_nothing(_match: re.Match[str], _today: date) -> None:
    """Read a time that is no single day, such as «la próxima semana»: it was named, and must be asked about."""


_WEEKDAY_NAMES: Final = "|".join(_WEEKDAYS)
_TOMORROW: Final = "(?:ma(?:n|ñ|nñ|ni|nn)ana|mñana)"
_ON_WEEKDAY: Final = (
    rf"\b(?P<before>hoy |manana |mañana |(?:(?:el|este|del|al) )?(?:proximo |otro )?)(?P<name>{_WEEKDAY_NAMES})\b"
    r"(?P<after> (?:que (?:viene|entra|pasa)|proximo|entrante|pasado|subsiguiente"
    r"|de la (?:proxima|otra|siguiente) semana))?"
)
_VAGUE_TIME: Final = (
    r"\b(?:proxima|otra|siguiente) semana\b|\bsemana (?:que|q|proxima|entrante)\b|\besta semana\b|\bproximo mes\b"
    r"|\bmes (?:que|proximo|entrante)\b|\bprincipios? de mes\b|\bunos dias\b"
)
_PATTERNS: Final[tuple[tuple[str, Reader | None], ...]] = (
    (
        rf"\b{_NUMBER} (?:de |d )?(?:del )?(?P<month>{'|'.join(_MONTHS)})\b(?: (?:de |del )?(?P<year>\d{{4}}))?",
        _read_day_and_month,
    ),
    (r"\b(?:la )?(?:primera |segunda |proxima )?(?:qu|k|q|qi|ku)i?n[czs]ena(?: que (?:viene|entra))?", _read_fortnight),
    (
        r"\b(?:el )?(?:fin(?:es)?|final(?:es)?|ultimo(?: dia)?) ?(?:de|del|d) ?(?:este )?mes\b",
        lambda _match, today: _last_of_month(today),
    ),
    (r"\bfin de semana\b|\bfinde\b", _read_nothing),
    (_ON_WEEKDAY, _read_weekday),
    (rf"\b(?:en|por|de|a) la {_TOMORROW}\b", None),
    (rf"\bpasad?o (?:de )?{_TOMORROW}\b", _days_ahead(2)),
    (rf"\b{_TOMORROW}\b", _days_ahead(1)),
    (r"\b(?:hoy|oy)(?: mismo| dia)?\b", _days_ahead(0)),
    (rf"\b(?:en|dentro de) {_NUMBER} (?P<unit>dias?|semanas?)\b", _read_day_count),
    (_VAGUE_TIME, _read_nothing),
    (
        rf"\b(?:el|al|hasta|asta|para|dia|del|este)(?: el)?(?: dia)? {_NUMBER}\b(?: de(?: este|l)? mes)?{_NOT_A_DAY}",
        _read_day_of_month,
    ),
)
# The order matters: each rule removes what it matched before the next one looks. One without a reader only removes.
RULES: Final = tuple((re.compile(pattern), reader) for pattern, reader in _PATTERNS)
