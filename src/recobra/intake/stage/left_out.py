"""Rows of a file that are no debts of this portfolio: totals, what a filter leaves out, other currencies, repetitions.

They are set aside before anything is compared, and told with their lines and sums.
"""

from __future__ import annotations

from typing import Any, Final

from recobra.intake.load_context import LoadContext
from recobra.intake.relations import FileRows
from recobra.tabular import totals
from recobra.tabular.formats import Sheet
from recobra.tabular.sql_text import fold, literal
from recobra.tabular.workspace import Workspace
from recobra_core.folding import fold_name

from .columns import DATES, Columns
from .currencies import stated_currency_sql
from .money import cells_of, sum_money
from .rows import Notation

SHOWN_LINES: Final = 20  # of rows set aside for one reason
_WITH_SUMS: Final = ("currency", "filter", "repeated")


def set_rows_aside(context: LoadContext, duck: Workspace, sheet: Sheet, columns: Columns) -> None:
    """Set aside what is no debt of this portfolio."""
    document = context.document
    _set_totals_aside(context, duck, sheet, columns)
    for name, each in document.filters.items():
        value = fold(f"coalesce({columns.cell(name)}, '')")
        listed = ", ".join(literal(fold_name(text)) for text in each.only or each.leave_out)
        move_aside(duck, sheet, where=f"{value} {'NOT ' if each.only else ''}IN ({listed})", code="filter")
    if document.options.other_currencies == "set_aside" or document.currencies:
        own = literal(context.portfolio.currency)
        stated = stated_currency_sql(context, columns)
        others = "" if document.options.other_currencies == "set_aside" else f" AND {stated} IN ({_routed(context)})"
        move_aside(duck, sheet, where=f"{stated} NOT IN ('', {own}){others}", code="currency")


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


def move_aside(duck: Workspace, sheet: Sheet | FileRows, *, where: str, code: str) -> None:
    """Move the rows of a condition from a sheet's rows to those set aside."""
    cells = ", ".join(f"coalesce(c{at}, '')" for at in range(len(sheet.headers)))
    duck.execute(
        f"INSERT INTO {sheet.aside} SELECT line, CAST(to_json([{cells}]) AS VARCHAR), '{code}' FROM {sheet.raw} "
        f"WHERE {where}"
    )
    for relation in (sheet.raw, sheet.faults):
        duck.execute(f"DELETE FROM {relation} WHERE line IN (SELECT line FROM {sheet.aside})")


def describe_aside(context: LoadContext, duck: Workspace, file: FileRows, notation: Notation) -> list[dict[str, Any]]:
    """Return by reason how many rows were set aside, their first lines, and sums by currency where they are debts."""
    rows = duck.fetch_all(
        f"SELECT code, count(*), list_sort(list(line))[:{SHOWN_LINES}] FROM {file.aside} GROUP BY code ORDER BY code"
    )
    aside = [{"code": code, "rows": count, "lines": lines} for code, count, lines in rows]
    for each in aside:
        if each["code"] in _WITH_SUMS:
            set_aside = cells_of(file, f"SELECT cells FROM {file.aside} WHERE code = {literal(each['code'])}")
            each["amounts"] = sum_money(context, duck, file, notation, rows=set_aside).amounts
    return aside
