"""Rows of a file that are no debts of this portfolio: totals, what a filter leaves out, other currencies.

They are set aside before anything is compared, and told with their lines and sums.
"""

from __future__ import annotations

from typing import Any, Final

from recobra.intake.load_context import LoadContext
from recobra.intake.mapping import Source
from recobra.intake.relations import FileRows
from recobra.tabular import amounts, totals
from recobra.tabular.formats import Sheet
from recobra.tabular.sql_text import fold, literal
from recobra.tabular.workspace import Workspace
from recobra_core.folding import fold_name
from recobra_core.money import EXPONENTS

from .columns import DATES, Columns
from .rows import Notation

SHOWN_LINES: Final = 20  # of rows set aside for one reason
_WITH_SUMS: Final = ("currency", "filter")
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


def set_rows_aside(context: LoadContext, duck: Workspace, sheet: Sheet, columns: Columns) -> None:
    """Set aside what is no debt of this portfolio."""
    document = context.document
    _set_totals_aside(context, duck, sheet, columns)
    for name, each in document.filters.items():
        value = fold(f"coalesce({columns.cell(name)}, '')")
        listed = ", ".join(literal(fold_name(text)) for text in each.only or each.leave_out)
        _move(duck, sheet, where=f"{value} {'NOT ' if each.only else ''}IN ({listed})", code="filter")
    if document.options.other_currencies == "set_aside" or document.currencies:
        own = literal(context.portfolio.currency)
        stated = stated_currency_sql(context, columns)
        others = "" if document.options.other_currencies == "set_aside" else f" AND {stated} IN ({_routed(context)})"
        _move(duck, sheet, where=f"{stated} NOT IN ('', {own}){others}", code="currency")


def _routed(context: LoadContext) -> str:
    return ", ".join(map(literal, context.document.currencies))


def _set_totals_aside(context: LoadContext, duck: Workspace, sheet: Sheet, columns: Columns) -> None:
    """Set totals aside: rows without an account, and without a day or, in want of those, an id."""
    fields = context.document.fields
    keys = columns.positions_of(fields["account.external_id"])
    days = [at for target in DATES.values() for at in columns.positions_of(fields.get(target))]
    proofs = ("debtor.national_id", "instalment.number")
    ids = [at for target in proofs for at in columns.positions_of(fields.get(target))]
    if keys:
        totals.set_totals_aside(duck, sheet, key=keys[0], blank=days or ids)


def _move(duck: Workspace, sheet: Sheet, *, where: str, code: str) -> None:
    """Move the rows of a condition from a sheet's rows to those set aside."""
    cells = ", ".join(f"coalesce(c{at}, '')" for at in range(len(sheet.headers)))
    duck.execute(
        f"INSERT INTO {sheet.aside} SELECT line, CAST(to_json([{cells}]) AS VARCHAR), '{code}' FROM {sheet.raw} "
        f"WHERE {where}"
    )
    for relation in (sheet.raw, sheet.faults):
        duck.execute(f"DELETE FROM {relation} WHERE line IN (SELECT line FROM {sheet.aside})")


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


def describe_aside(context: LoadContext, duck: Workspace, file: FileRows, notation: Notation) -> list[dict[str, Any]]:
    """Return by reason how many rows were set aside, their first lines, and sums by currency where they are debts."""
    rows = duck.fetch_all(
        f"SELECT code, count(*), list_sort(list(line))[:{SHOWN_LINES}] FROM {file.aside} GROUP BY code ORDER BY code"
    )
    aside = [{"code": code, "rows": count, "lines": lines} for code, count, lines in rows]
    for each in aside:
        if each["code"] in _WITH_SUMS:
            each["amounts"] = _sum_amounts(context, duck, file, notation, code=each["code"])
    return aside


def _sum_amounts(
    context: LoadContext, duck: Workspace, file: FileRows, notation: Notation, *, code: str
) -> dict[str, str]:
    """Return what the rows set aside for a reason say is owed, by currency."""
    document = context.document
    cells = ", ".join(f"nullif(cells->>'$[{at}]', '') AS c{at}" for at in range(len(file.headers)))
    owed = [_number(file, source, notation) for source in document.amount_sources().values()]
    paid = f" - coalesce({_number(file, document.paid, notation)}, 0)" if document.paid else ""
    amount = " + ".join(f"coalesce({number}, 0)" for number in owed) + paid
    currency = (
        f"coalesce(nullif({stated_currency_sql(context, file.columns)}, ''), {literal(context.portfolio.currency)})"
    )
    sums = duck.fetch_all(
        f"SELECT {currency} AS currency, sum({amount}) FROM (SELECT {cells} FROM {file.aside} WHERE code = '{code}') "
        "GROUP BY currency ORDER BY currency"
    )
    return {name: f"{total:.{EXPONENTS.get(name, context.decimals)}f}" for name, total in sums}


def _number(file: FileRows, source: Source, notation: Notation) -> str:
    number = amounts.number_sql(file.columns.text(source), notation.decimal_mark, is_typed=notation.is_typed)
    return f"TRY_CAST({number} AS DECIMAL(18, 4))"
