"""Numbers as people of a country type them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.numbers import NumberFormatError, parse_decimal

from recobra_core.money import exponent_of

_NUMBER: Final = re.compile(r"-?[\d.,'’\s\u00a0]+")
_GROUP_SIZE: Final = 3


def number_locale(country: str) -> Locale:
    """Return the locale of a country's numbers; generic Spanish where it is unknown."""
    if not country:
        return Locale("es")
    language = {"BR": "pt", "US": "en"}.get(country, "es")
    try:
        return Locale(language, str(country))
    except UnknownLocaleError:
        return Locale("es")


def read_number(text: str, *, country: str, currency: str = "") -> Decimal | None:
    """Return a number that was typed as its country writes it, None where it cannot be read without a doubt.

    With a `currency` it is an amount in major units. «2.000» is two thousand in Chile; in Peru, where it would be two,
    it is none: three figures behind the mark are a thousand in the writing of a neighbour.
    """
    text = text.strip()
    if not _NUMBER.fullmatch(text):
        return None
    try:
        number = Decimal(parse_decimal(text, locale=number_locale(country), strict=True))
    except NumberFormatError:
        return None
    decimals = -int(number.as_tuple().exponent)
    if decimals > exponent_of(currency) if currency else decimals == _GROUP_SIZE:
        return None
    return number
