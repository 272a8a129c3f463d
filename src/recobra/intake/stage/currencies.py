"""SQL for the currency that a row or a text of it names."""

from __future__ import annotations

from typing import Any, Final

from recobra.intake.load_context import LoadContext
from recobra.intake.mapping import find_currency_column
from recobra.tabular import amounts
from recobra.tabular.formats import Sheet
from recobra.tabular.sql_text import fold, literal
from recobra.tabular.workspace import Workspace
from recobra_core.money import EXPONENTS

from .columns import Columns

# Names of currencies as `fold` leaves them; that of several is the portfolio's own where it is one of them.
_NAMES: Final = {
    "soles": ("PEN",),
    "nuevos soles": ("PEN",),
    "dolares": ("USD",),
    "dolares americanos": ("USD",),
    "dolar": ("USD",),
    "euros": ("EUR",),
    "reales": ("BRL",),
    "guaranies": ("PYG",),
    "colones": ("CRC",),
    "quetzales": ("GTQ",),
    "lempiras": ("HNL",),
    "bolivianos": ("BOB",),
    "cordobas": ("NIO",),
    "balboas": ("PAB",),
    "pesos": ("ARS", "CLP", "COP", "DOP", "MXN", "UYU"),
}


def named_currency_sql(context: LoadContext, text: str) -> str:
    """Return SQL for the currency that a text of its own names; what names none that is known stays, in capitals."""
    own = context.portfolio.currency
    meant = {name: own if own in codes else codes[0] for name, codes in _NAMES.items() if own in codes or not codes[1:]}
    cases = " ".join(f"WHEN {literal(name)} THEN {literal(code)}" for name, code in meant.items())
    return f"coalesce(nullif({amounts.currency_sql(text)}, ''), CASE {fold(text)} {cases} ELSE upper({text}) END)"


def stated_currency_sql(context: LoadContext, columns: Columns) -> str:
    """Return SQL for the currency that a row names, in a column of its own or beside an amount; '' where none."""
    document = context.document
    stated = [amounts.currency_sql(columns.text(source)) for source in document.amount_sources().values()]
    if document.currency:
        stated.insert(0, named_currency_sql(context, columns.text(document.currency)))
    named = ", ".join(f"nullif({text}, '')" for text in stated)
    return f"coalesce({named}, '')"


def find_unread_currency(context: LoadContext, duck: Workspace, sheet: Sheet) -> dict[str, Any]:
    """Return what a column that the mapping does not read says of other currencies; empty where it says none.

    The facts are its name (`column`), how many rows name another currency (`found`), and the first (`line`, `value`).
    """
    column = "" if context.document.currency else find_currency_column(sheet.headers)
    if not column:
        return {}
    text = f"trim(c{sheet.headers.index(column)})"
    known = ", ".join(map(literal, EXPONENTS.keys() - {context.portfolio.currency}))
    found, line, value = duck.fetch_row(
        f"SELECT count(*), min(line), arg_min({text}, line) FROM {sheet.raw} "
        f"WHERE {named_currency_sql(context, text)} IN ({known})"
    )
    return {"column": column, "found": found, "line": line, "value": value} if found else {}
