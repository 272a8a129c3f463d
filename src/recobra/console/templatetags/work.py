"""Tags of the loads screen."""

from __future__ import annotations

from babel import numbers
from django import template

from .console import numbers_of

register = template.Library()


@register.simple_tag(takes_context=True)
def share(context: template.Context, value: float | str | None) -> str:
    """Write a share between 0 and 1 as a percentage."""
    if value in (None, ""):
        return "—"
    return numbers.format_percent(value, "#,##0.0 %", locale=numbers_of(context.get("country") or ""))
