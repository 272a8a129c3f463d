"""The one amount a debtor names, in minor units, as the debtor's country writes it. Two readings are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from recobra.conversations.bot import numerals
from recobra.kit.plain_text import normalise_text
from recobra_core.folding import strip_accents
from recobra_core.money import MoneyError, to_minor

# Source: CLDR 46, number symbols of es_XX and pt_BR; countries that are not named write 1,234.50.
DECIMAL_COMMA: Final = frozenset({"AR", "BO", "BR", "CL", "CO", "CR", "EC", "ES", "PY", "UY", "VE"})
CURRENCIES: Final = {
    "AR": "ARS",
    "BO": "BOB",
    "BR": "BRL",
    "CL": "CLP",
    "CO": "COP",
    "CR": "CRC",
    "DO": "DOP",
    "EC": "USD",
    "ES": "EUR",
    "GT": "GTQ",
    "HN": "HNL",
    "MX": "MXN",
    "PA": "USD",
    "PE": "PEN",
    "PY": "PYG",
    "SV": "USD",
    "US": "USD",
    "UY": "UYU",
}
# The peso sign alone: the country's own money there, and a dollar or a doubt elsewhere.
_DOLLAR_SIGN_COUNTRIES: Final = frozenset({"AR", "CL", "CO", "DO", "EC", "MX", "PA", "SV", "US", "UY"})
_CURRENCY_NAMES: Final = {
    "PEN": r"s/\.?|soles|sol|nuevos soles|lucas verdes",
    "USD": r"us\$|u\$s|usd|dolares|dolar",
    "EUR": r"€|euros?",
    "BOB": r"bs\.?|bolivianos?",
    "PYG": r"gs\.?|₲|guaranies",
    "CRC": r"₡|colones",
    "GTQ": r"quetzales|quetzal",
    "HNL": r"lempiras?",
    "BRL": r"r\$|reais|real",
    "DOP": r"rd\$",
}
_PESOS: Final = r"pesos?|varos|mangos"
# A «luca» is a thousand pesos in Chile, Argentina, Colombia and Uruguay and one sol in Peru.
_LUCA_COUNTRIES: Final = frozenset({"AR", "CL", "CO", "UY"})
_UNIT: Final = "|".join([*_CURRENCY_NAMES.values(), _PESOS, r"\$"])
_FIGURE: Final = r"\d+(?:[.,]\d+)*"
_NOT_MONEY: Final = (
    r"(?! ?(?:\d|cuotas?|pagos|meses|mes\b|dias?|semanas?|anos?|veces|horas?|hs\b|pm\b|am\b|%|por ciento"
    r"|partes|letras|de [a-z]+bre\b"
    r"|de (?:enero|febrero|marzo|abril|mayo|junio|julio|agosto)))"
)
_AMOUNT: Final = re.compile(
    rf"(?P<before>(?:{_UNIT}) ?)?(?<!\d)(?<!\d[.,/-])(?P<figure>{_FIGURE})(?![\d/-]) ?"
    rf"(?P<times>mil(?:lon(?:es)?)?\b|k\b|lucas?\b|palos?\b)?"
    rf"(?: ?(?:de )?(?P<after>{_UNIT})(?![a-z]))?{_NOT_MONEY}"
)
_IN_WORDS: Final = re.compile(
    rf"\b(?P<words>(?:{numerals.PATTERN})(?: (?:y |{numerals.PATTERN}))*(?:(?:{numerals.PATTERN}))?)"
    rf" ?(?P<after>{_UNIT}|lucas?)?(?![a-z]){_NOT_MONEY}"
)
_DAY_MENTION: Final = re.compile(
    r"\b(?:el|dia|al|hasta|para el|del|este|a las?|las) (?:dia )?\d{1,2}"
    r"(?! ?(?:soles|pesos|dolares|mil|lucas|\d|[.,]\d))(?: de [a-z]+)?"
)
_DATE: Final = re.compile(
    r"\b\d{1,2}[/-]\d{1,2}(?:[/-]\d{2,4})?\b|\b(?:19|20)\d\d\b(?! ?(?:soles|pesos|dolares|lucas|k\b|mil))"
)
_PART_OF_DEBT: Final = re.compile(
    r"\b(?:la mitad|una parte|algo|un poco|lo que pueda|un abono|un adelanto|la tercera parte)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedAmount:
    """The amount, if exactly one can be meant; `unclear` if one was named and it cannot be told which."""

    amount_minor: int | None
    currency: str | None
    unclear: bool


NO_AMOUNT: Final = NamedAmount(amount_minor=None, currency=None, unclear=False)
UNCLEAR: Final = NamedAmount(amount_minor=None, currency=None, unclear=True)
# What stands beyond this in a message is not read: the patterns take their time on long texts.
_TEXT_MAX: Final = 1000


def read_amount(*, text: str, country: str) -> NamedAmount:
    """Return the one amount that a text names."""
    lower = strip_accents(text[:_TEXT_MAX].casefold())
    # Days go first, or «el 15» would be an amount.
    without_days = _DAY_MENTION.sub(" ", _DATE.sub(" ", lower))
    candidates = set(_read_candidates(without_days, country))
    if not candidates:
        return UNCLEAR if _PART_OF_DEBT.search(normalise_text(text)) else NO_AMOUNT
    if len(candidates) > 1 or None in candidates:
        return UNCLEAR
    (candidate,) = candidates
    assert candidate is not None
    amount_minor, currency = candidate
    return NamedAmount(amount_minor=amount_minor, currency=currency, unclear=False)


def _read_candidates(text: str, country: str) -> Iterator[tuple[int, str] | None]:
    """Yield the amount and currency of each figure, then of each number in words; None for one that is ambiguous."""
    for match in _AMOUNT.finditer(text):
        figure = match["figure"]
        multiplier = match["times"] or ""
        unit = (match["before"] or "").strip() or match["after"] or ""
        is_bare = figure.isdecimal() and not unit and not multiplier
        if is_bare and not 2 <= len(figure) <= 6:
            # A bare digit is a choice, a long bare figure a telephone or a document.
            continue
        value = _apply_multiplier(_parse_figure(figure, country), multiplier, country)
        yield _to_minor_units(value, unit, country)
    # Figures are removed before number words are read, or «2 mil» would count twice.
    for match in _IN_WORDS.finditer(_AMOUNT.sub(" ", text)):
        number = numerals.parse_number(match["words"].split())
        unit = match["after"] or ""
        # Small words without a currency are days, instalments or «uno» as a pronoun.
        if number is None or (number < 100 and not unit):
            continue
        if unit.startswith("luca"):
            # «Dos lucas»: the multiplier stands where a currency would.
            yield _to_minor_units(_apply_multiplier(Decimal(number), "luca", country), "", country)
        else:
            yield _to_minor_units(Decimal(number), unit, country)


def _parse_figure(figure: str, country: str) -> Decimal | None:
    """Return a written figure's value; None where the country's way and the other one read it differently."""
    thousands, decimal = (".", ",") if country in DECIMAL_COMMA else (",", ".")
    # «1.500» is 1500 in Colombia; in Mexico it is neither grouped nor an amount with cents, and the bot asks.
    if re.fullmatch(rf"\d{{1,3}}(?:\{thousands}\d{{3}})+(?:\{decimal}\d{{1,2}})?", figure):
        return Decimal(figure.replace(thousands, "").replace(decimal, "."))
    if re.fullmatch(rf"\d+(?:\{decimal}\d{{1,2}})?", figure):
        return Decimal(figure.replace(decimal, "."))
    return None


def _apply_multiplier(value: Decimal | None, word: str, country: str) -> Decimal | None:
    """Return a value times the word after it («mil», «k», «luca», «palo»); None where the country has no such word."""
    if value is None or not word:
        return value
    if word.startswith("luca"):
        return value * 1000 if country in _LUCA_COUNTRIES else None
    if word.startswith("palo"):
        return value * 1_000_000 if country in _LUCA_COUNTRIES else None
    if word.startswith("millon"):
        return value * 1_000_000
    return value * 1000


def _to_minor_units(value: Decimal | None, unit: str, country: str) -> tuple[int, str] | None:
    """Return an amount in minor units with its currency; None where one of them is not known."""
    currency = _resolve_currency(unit, country)
    if value is None or currency is None or value <= 0:
        return None
    try:
        return to_minor(value, currency), currency
    except MoneyError:
        return None


def _resolve_currency(unit: str, country: str) -> str | None:
    """Return the code of the currency that a unit names in a country, its own for no unit; None for a doubtful one."""
    own_currency = CURRENCIES.get(country)
    if not unit:
        return own_currency
    if unit == "$":
        return own_currency if country in _DOLLAR_SIGN_COUNTRIES else None
    if re.fullmatch(_PESOS, unit):
        return own_currency if own_currency in {"ARS", "CLP", "COP", "DOP", "MXN", "UYU"} else None
    for code, names in _CURRENCY_NAMES.items():
        if re.fullmatch(names, unit):
            return code
    return None
