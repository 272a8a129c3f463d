"""How days are said in Spanish: a pattern and a reader for each way; a reader answers None where it is not one day."""

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
    """Read «15/12» or «15-12-2026» from its three groups; in `both_orders`, what can be but one."""
    first, second, year = int(match[1]), int(match[2]), match[3]
    if both_orders and first != second and first <= 12 and second <= 12:
        return None
    day, month = (second, first) if both_orders and second > 12 else (first, second)
    if year:
        return _made(int(year) + (2000 if len(year) == 2 else 0), month, day)
    return _next_of(day, month, today)


def _next_of(day: int, month: int, today: date) -> date | None:
    here = _made(today.year, month, day)
    return here if here is None or here >= today else _made(today.year + 1, month, day)


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else numerals.parse_number([text]) or 0


def _day_and_month(match: re.Match[str], today: date) -> date | None:
    month = 1 + next(n for n, name in enumerate(_MONTHS) if re.fullmatch(name, match[2]))
    day = _number(match[1])
    return _made(int(match[3]), month, day) if match[3] else _next_of(day, month, today)


def _day_of_month(match: re.Match[str], today: date) -> date | None:
    """Return the next such day; on the day itself, whether today or next month is meant is not known."""
    day = _number(match[1])
    if not 1 <= day <= 31 or day == today.day:
        return None
    months = ((today.year + (today.month + n - 1) // 12, (today.month + n - 1) % 12 + 1) for n in range(3))
    days = (_made(year, month, day) for year, month in months)
    return next((each for each in days if each is not None and each > today), None)


def _weekday(match: re.Match[str], today: date) -> date | None:
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
        return today + timedelta(days=7) if "prox" in before + after or "que" in after or "entra" in after else None
    return None if "pasado" in after else today + timedelta(days=ahead)


def _month_end(today: date) -> date:
    return today.replace(day=calendar.monthrange(today.year, today.month)[1])


def _fortnight(match: re.Match[str], today: date) -> date | None:
    """Return the next day on which wages of a fortnight are paid: the 15th or the last of the month."""
    last, middle = _month_end(today), today.replace(day=15)
    if "primera" in match[0]:
        return middle if middle >= today else None
    if "segunda" in match[0]:
        return last
    return middle if today < middle else last


def _in_days(match: re.Match[str], today: date) -> date | None:
    count = _number(match[1])
    return today + timedelta(days=count * (7 if match[2].startswith("sem") else 1)) if count else None


def _plus(days: int) -> Reader:
    return lambda _match, today: today + timedelta(days=days)


def _unsure(_match: re.Match[str], _today: date) -> None:
    return None


_NAMES: Final = "|".join(_WEEKDAYS)
_MORROW: Final = "(?:ma(?:n|ñ|nñ|ni|nn)ana|mñana)"
_ON_WEEKDAY: Final = (
    rf"\b(?P<before>hoy |manana |mañana |(?:(?:el|este|del|al) )?(?:proximo |otro )?)(?P<name>{_NAMES})\b"
    r"(?P<after> (?:que (?:viene|entra|pasa)|proximo|entrante|pasado|subsiguiente"
    r"|de la (?:proxima|otra|siguiente) semana))?"
)
_SOME_TIME: Final = (
    r"\b(?:proxima|otra|siguiente) semana\b|\bsemana (?:que|q|proxima|entrante)\b|\besta semana\b|\bproximo mes\b"
    r"|\bmes (?:que|proximo|entrante)\b|\bprincipios? de mes\b|\bunos dias\b"
)
_SAID: Final[tuple[tuple[str, Reader | None], ...]] = (
    (rf"\b{_NUMBER} (?:de |d )?(?:del )?({'|'.join(_MONTHS)})\b(?: (?:de |del )?(\d{{4}}))?", _day_and_month),
    (r"\b(?:la )?(?:primera |segunda |proxima )?(?:qu|k|q|qi|ku)i?n[czs]ena(?: que (?:viene|entra))?", _fortnight),
    (
        r"\b(?:el )?(?:fin(?:es)?|final(?:es)?|ultimo(?: dia)?) ?(?:de|del|d) ?(?:este )?mes\b",
        lambda _match, today: _month_end(today),
    ),
    (r"\bfin de semana\b|\bfinde\b", _unsure),
    (_ON_WEEKDAY, _weekday),
    (rf"\b(?:en|por|de|a) la {_MORROW}\b", None),
    (rf"\bpasad?o (?:de )?{_MORROW}\b", _plus(2)),
    (rf"\b{_MORROW}\b", _plus(1)),
    (r"\b(?:hoy|oy)(?: mismo| dia)?\b", _plus(0)),
    (rf"\b(?:en|dentro de) {_NUMBER} (dias?|semanas?)\b", _in_days),
    (_SOME_TIME, _unsure),
    (
        rf"\b(?:el|al|hasta|asta|para|dia|del|este)(?: el)?(?: dia)? {_NUMBER}\b(?: de(?: este|l)? mes)?{_NOT_A_DAY}",
        _day_of_month,
    ),
)
# In this order: what one has read is taken out before the next one looks; one without a reader only takes out.
RULES: Final = tuple((re.compile(pattern), reader) for pattern, reader in _SAID)
