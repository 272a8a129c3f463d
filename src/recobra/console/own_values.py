"""Values of a portfolio's own columns: as screens and files show them, and as people type them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from babel.numbers import format_decimal
from django.utils.translation import gettext as _

from recobra.access.queries import User
from recobra.access.roles import Right, has_right
from recobra.console import spreadsheet
from recobra.kit.date_format import format_date
from recobra.kit.money_format import format_minor
from recobra.kit.typed_numbers import number_locale
from recobra.portfolio.own_columns import OwnColumn, own_columns, read_value
from recobra.portfolio.queries import Portfolio


def visible_columns(user: User, portfolio: Portfolio) -> list[OwnColumn]:
    """Return the columns of a portfolio that a user may see: private ones only who may see identity documents."""
    sees_private = has_right(user, Right.SEE_NATIONAL_ID)
    return [column for column in own_columns(portfolio).values() if sees_private or not column.is_private]


def write_value(column: OwnColumn, attributes: Mapping[str, Any], place: Portfolio) -> str:
    """Return the value of a column as the portfolio's country writes it, '' where it is not known."""
    value = read_value(column, attributes)
    if value is None:
        return ""
    locale = number_locale(place.country)
    match column.type:
        case "boolean":
            return _("Yes") if value else _("No")
        case "money":
            return format_minor(value, place.currency, locale)
        case "date":
            return format_date(value, "medium", locale)
        case "integer" | "number":
            return str(format_decimal(value, locale=locale))
    return str(value)


def value_cell(column: OwnColumn, attributes: Mapping[str, Any], place: Portfolio) -> spreadsheet.Cell:
    """Return the value of a column as a cell of a file, None where it is not known."""
    value = read_value(column, attributes)
    if value is None:
        return None
    if column.type == "money":
        return spreadsheet.amount_cell(value, place.currency)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return Decimal(str(value)) if isinstance(value, float) else value
