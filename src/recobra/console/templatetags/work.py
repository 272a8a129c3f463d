"""Tags of the loads screen."""

from __future__ import annotations

from django import template

from recobra.intake.refusals import MONEY, QUALITY, WARNINGS

from .console import share

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
