"""The one day a debtor names, in Spanish, from the day of the message on. Two readings are no reading: the bot asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from recobra.conversations.bot.day_rules import RULES, read_numeric_date
from recobra.kit.plain_text import normalise_text

HORIZON_DAYS: Final = 62
# Where both orders of day and month are in use, 5/6 could be either.
BOTH_ORDERS: Final = frozenset({"US", "PA"})
_NEGATION: Final = re.compile(r"\b(?:no|ni|sin que|tampoco)\b")
_EMPHASIS: Final = re.compile(r"\bsin falta\b|\bno (?:se )?(?:preocupe|falto|fallo)\b")
_CLAUSE: Final = re.compile(r"[,.;:!?\n]+|\bpero\b|\bsino\b|\baunque\b|\by ya\b", re.IGNORECASE)
_NOT_TODAY: Final = re.compile(
    r"\b(?:hoy|oy|oi|ahora|ahorita)(?: mismo| dia)?(?: ya)? no(?: puedo| tengo| alcanzo| llego| traigo)?\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDay:
    """The day, if exactly one can be meant; `unclear` if a day was named and it cannot be told which."""

    day: date | None
    unclear: bool


def read_day(*, text: str, today: date, country: str) -> NamedDay:
    """Return the one day that a text names; a past one or one more than two months away is unclear."""
    readings: list[date | None] = []
    for clause in _split_clauses(text):
        readings += _read_clause(clause, today, country)
    possible = {day for day in readings if day is not None}
    if not readings:
        return NamedDay(day=None, unclear=False)
    # A reading of None is a day that was named unclearly.
    if len(possible) != 1 or None in readings:
        return NamedDay(day=None, unclear=True)
    (day,) = possible
    if not today <= day <= today + timedelta(days=HORIZON_DAYS):
        return NamedDay(day=None, unclear=True)
    return NamedDay(day=day, unclear=False)


def _split_clauses(text: str) -> Iterator[str]:
    """Yield the clauses of a text that deny nothing: of «hoy no puedo, el lunes sí», the second."""
    # Numeric dates are marked first: splitting and normalising would lose their strokes and points.
    marked = re.sub(r"(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}|\d{2}))?(?![\d/.,-]*\d)", r" fecha\1x\2x\3 ", text)
    for part in _CLAUSE.split(marked):
        clause = _EMPHASIS.sub(" ", _NOT_TODAY.sub(" ", normalise_text(part)))
        if clause and not _NEGATION.search(clause):
            yield clause


def _read_clause(clause: str, today: date, country: str) -> Iterator[date | None]:
    """Yield the days that a clause names, None for each that cannot be told."""
    rest = clause
    for pattern, reader in RULES:
        if reader is not None:
            for match in pattern.finditer(rest):
                yield reader(match, today)
        rest = pattern.sub(" ", rest)
    for match in re.finditer(r"fecha(?P<first>\d{1,2})x(?P<second>\d{1,2})x(?P<year>\d*)", clause):
        yield read_numeric_date(match, today, both_orders=country in BOTH_ORDERS)
