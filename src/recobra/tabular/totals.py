"""Rows of a sheet that are no rows of its table: totals and subtotals, and the names of the columns once more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from recobra.tabular.formats import Sheet
from recobra.tabular.sql_text import cell, fold, literal
from recobra.tabular.workspace import Workspace
from recobra_core.folding import fold_name

_BEGINNING: Final = r"(?i)^\W*(sub|gra|tot|sum|som|acu|$)|tota(l|les|is)\W*$"
# «Total Andina», «Gran total», and behind what is added up: «Saldo total», «Andina Total».
_TOTAL: Final = (
    r"^\W*((sub\W{0,3}|gran(d|de)?\W+)?tota(l|les|is)|sumas?|sumatoria|soma|acumulado)\b|\btota(l|les|is)\W*$"
)


def set_totals_aside(duck: Workspace, sheet: Sheet, *, key: int, blank: Sequence[int]) -> None:
    """Move totals, and headers that are repeated on each page, from the rows of a sheet to those set aside.

    `key` is the column that every row of the table has, such as the account's number; `blank` are columns that no total
    has, such as a day. «Total Gas SAC» is a customer where the row has both; a row that has neither is a total.
    """
    header = sheet.headers[key]
    is_header = f"length(c{key}) = {len(header)} AND {fold(cell(key))} = {literal(fold_name(header))}"
    # A look at the first letters spares nearly all rows the rest.
    suspects = duck.create(
        "suspected_totals",
        f"SELECT *, coalesce({is_header}, false) AS is_header FROM {sheet.raw} "
        f"WHERE c{key} IS NULL OR regexp_matches(c{key}, '{_BEGINNING}') OR {is_header}",
    )
    positions = range(len(sheet.headers))
    has_no_value = " AND ".join(f"({cell(at)} IS NULL OR {_is_total(cell(at))})" for at in (key, *blank))
    names_total = " OR ".join(f"coalesce({_is_total(cell(at))}, false)" for at in positions)
    cells = ", ".join(f"coalesce(c{at}, '')" for at in positions)
    duck.execute(
        f"""
        INSERT INTO {sheet.aside}
        SELECT line, CAST(to_json([{cells}]) AS VARCHAR), CASE WHEN is_header THEN 'header' ELSE 'total' END
        FROM {suspects} WHERE is_header OR ({has_no_value} AND ({names_total}))
        UNION ALL
        SELECT line, cells, 'total' FROM (
            SELECT line, cells, list_filter(from_json(cells, '["VARCHAR"]'), lambda text: text <> '')[1] AS label
            FROM {sheet.broken} WHERE code = 'ragged'
        ) WHERE {_is_total("label")}
        """
    )
    duck.drop(suspects)
    if duck.count(sheet.aside):
        for relation in (sheet.raw, sheet.broken, sheet.faults):
            duck.execute(f"DELETE FROM {relation} WHERE line IN (SELECT line FROM {sheet.aside})")


def _is_total(text: str) -> str:
    """Return SQL for whether a text begins as the label of a total does."""
    return f"regexp_matches({fold(text)}, '{_TOTAL}')"
