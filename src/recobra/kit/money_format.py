"""Amounts of money as people write them."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import NumberPattern, get_decimal_symbol, get_group_symbol

from recobra_core.money import exponent_of


def format_minor(amount_minor: int, currency: str, locale: Locale) -> str:
    """Return minor units as a country writes them: 123450 PEN is `S/ 1,234.50` in Peru.

    Raises MoneyError for a code that is not in ISO 4217.
    """
    style = _read_style(currency, locale)
    return style.write(str(abs(amount_minor)), exponent_of(currency), is_negative=amount_minor < 0)


def format_units(amount: Decimal, currency: str, locale: Locale) -> str:
    """Return an amount as a country writes it, with exactly the decimals that it has."""
    sign, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int), "an amount is a number"
    whole_digits = "".join(map(str, digits)) + "0" * exponent
    return _read_style(currency, locale).write(whole_digits, max(0, -exponent), is_negative=bool(sign))


@dataclass(frozen=True, slots=True, kw_only=True)
class _MoneyStyle:
    """How a country writes amounts of a currency: what stands around the digits, and the signs between them.

    `frame` and `negative_frame` are what stands before and behind. The last group of digits has `last_group` of them,
    each one before it `other_groups`.
    """

    frame: tuple[str, str]
    negative_frame: tuple[str, str]
    decimal_sign: str
    group_sign: str
    last_group: int
    other_groups: int

    def write(self, digits: str, decimals: int, *, is_negative: bool) -> str:
        """Return digits as an amount; the last `decimals` of them are its decimals."""
        digits = digits.zfill(decimals + 1)
        point = len(digits) - decimals
        before, behind = self.negative_frame if is_negative else self.frame
        fraction = self.decimal_sign + digits[point:] if decimals else ""
        return f"{before}{self._group(digits[:point])}{fraction}{behind}"

    def _group(self, digits: str) -> str:
        """Return digits with a sign between their groups."""
        groups = ""
        size = self.last_group
        while len(digits) > size:
            groups = self.group_sign + digits[-size:] + groups
            digits = digits[:-size]
            size = self.other_groups
        return digits + groups


# Babel reads its pattern anew for each amount, which takes as long as all else in the words of a message.
@lru_cache(maxsize=1024)
def _read_style(currency: str, locale: Locale) -> _MoneyStyle:
    """Return how Babel writes amounts of a currency in a locale."""
    # Babel would take the number of decimals from CLDR, which has other ones than ISO 4217 for some currencies: rupiahs
    # would lose their cents. Here it writes none at all.
    pattern: NumberPattern = copy(locale.currency_formats["standard"])
    pattern.frac_prec = (0, 0)
    last_group, other_groups = pattern.grouping
    return _MoneyStyle(
        frame=_read_frame(pattern, 1, currency, locale),
        negative_frame=_read_frame(pattern, -1, currency, locale),
        decimal_sign=get_decimal_symbol(locale),
        group_sign=get_group_symbol(locale),
        last_group=last_group,
        other_groups=other_groups,
    )


def _read_frame(pattern: NumberPattern, sign: int, currency: str, locale: Locale) -> tuple[str, str]:
    """Return what a pattern writes before and behind the digits of an amount with a sign, 1 or -1."""
    before, behind = pattern.apply(Decimal(sign), locale, currency=currency, currency_digits=False).split("1")
    return before, behind
