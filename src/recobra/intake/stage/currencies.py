"""SQL for the currency that a row or a text of it names."""

from __future__ import annotations

from typing import Final

from recobra.intake.load_context import LoadContext
from recobra.tabular import amounts
from recobra.tabular.sql_text import fold, literal

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
