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
_NUMBER: Final = r"(\d{1,2}|" + "|".join(sorted((w for w in numerals.WORDS if len(w) > 1), key=len, reverse=True)) + ")"
_NOT_A_DAY: Final = (
    r"(?!\d)(?! ?(?:soles|pesos|dolares|mil|lucas|cuotas|pagos|meses|por ciento"
    r"|horas?|hs|pm|am|anos|de la|colones|guaranies))"
)


def read_numeric_date(match: re.Match[str], today: date, *, both_orders: bool) -> date | None:
    """Return the day of «15/12» or «15-12-2026», from three groups; None where `both_orders` make it ambiguous."""
    first, second, year = int(match[1]), int(match[2]), match[3]
    if both_orders and first != second and first <= 12 and second <= 12:
        return None
    day, month = (second, first) if both_orders and second > 12 else (first, second)
    if year:
        return _date_or_none(int(year) + (2000 if len(year) == 2 else 0), month, day)
    return _next_date(day, month, today)


def _next_date(day: int, month: int, today: date) -> date | None:
    this_year = _date_or_none(today.year, month, day)
    if this_year is None or this_year >= today:
        return this_year
    return _date_or_none(today.year + 1, month, day)


def _date_or_none(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _parse_number(text: str) -> int:
    return int(text) if text.isdecimal() else numerals.parse_number([text]) or 0


def _read_day_and_month(match: re.Match[str], today: date) -> date | None:
    month = 1 + next(n for n, name in enumerate(_MONTHS) if re.fullmatch(name, match[2]))
    day = _parse_number(match[1])
    return _date_or_none(int(match[3]), month, day) if match[3] else _next_date(day, month, today)


def _read_day_of_month(match: re.Match[str], today: date) -> date | None:
    """Return the next such day; None on the day itself, which may mean today or next month."""
    day = _parse_number(match[1])
    if not 1 <= day <= 31 or day == today.day:
        return None
    months = ((today.year + (today.month + n - 1) // 12, (today.month + n - 1) % 12 + 1) for n in range(3))
    days = (_date_or_none(year, month, day) for year, month in months)
    return next((candidate for candidate in days if candidate is not None and candidate > today), None)


def _read_weekday(match: re.Match[str], today: date) -> date | None:
    number = next(n for n, name in enumerate(_WEEKDAYS) if re.fullmatch(name, match["name"]))
    ahead = (number - today.weekday()) % 7
    before, after = (match["before"] or "").strip(), (match["after"] or "").strip()
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
        return today + timedelta(days=7) if "prox" in before + after or "que" in after or "entra" in after else None
    return None if "pasado" in after else today + timedelta(days=ahead)


def _last_of_month(today: date) -> date:
    return today.replace(day=calendar.monthrange(today.year, today.month)[1])


def _read_fortnight(match: re.Match[str], today: date) -> date | None:
    """Return the next pay day of a fortnight: the 15th or the last of the month."""
    last, middle = _last_of_month(today), today.replace(day=15)
    if "primera" in match[0]:
        return middle if middle >= today else None
    if "segunda" in match[0]:
        return last
    return middle if today < middle else last


def _read_day_count(match: re.Match[str], today: date) -> date | None:
    count = _parse_number(match[1])
    return today + timedelta(days=count * (7 if match[2].startswith("sem") else 1)) if count else None


def _days_ahead(days: int) -> Reader:
    return lambda _match, today: today + timedelta(days=days)


def _read_nothing(_match: re.Match[str], _today: date) -> None:
    return None


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
    (rf"\b{_NUMBER} (?:de |d )?(?:del )?({'|'.join(_MONTHS)})\b(?: (?:de |del )?(\d{{4}}))?", _read_day_and_month),
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
    (rf"\b(?:en|dentro de) {_NUMBER} (dias?|semanas?)\b", _read_day_count),
    (_VAGUE_TIME, _read_nothing),
    (
        rf"\b(?:el|al|hasta|asta|para|dia|del|este)(?: el)?(?: dia)? {_NUMBER}\b(?: de(?: este|l)? mes)?{_NOT_A_DAY}",
        _read_day_of_month,
    ),
)
# The order matters: each rule removes what it matched before the next one looks. One without a reader only removes.
RULES: Final = tuple((re.compile(pattern), reader) for pattern, reader in _PATTERNS)
