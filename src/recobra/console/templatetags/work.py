"""Tags of the loads screen."""

from __future__ import annotations

from decimal import Decimal

from django import template

from recobra.intake.refusals import MONEY, QUALITY, WARNINGS
from recobra.kit.money_format import format_units
from recobra_core.money import EXPONENTS

from .console import Place, number_locale, share

register = template.Library()
register.simple_tag(share, takes_context=True)


@register.filter
def warning(code: str) -> str:
    """Say what a row is warned of."""
    return str(WARNINGS[code])


@register.filter
def money_part(code: str) -> str:
    """Say what became of a part of a file's money."""
    return str(MONEY[code])


@register.filter
def quality_part(code: str) -> str:
    """Say what a part of the score of a file's data is a share of."""
    return str(QUALITY[code])


@register.filter
def sums(amounts: dict[str, str], place: Place) -> str:
    """Write sums by currency as a place's country does; one in no known currency stays as it was read."""
    locale = number_locale(place.country)
    return " · ".join(
        format_units(Decimal(amount), currency, locale) if currency in EXPONENTS else f"{amount} {currency}"
        for currency, amount in amounts.items()
    )
