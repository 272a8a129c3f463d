"""What programs put around the text of a cell and no person reads: ="0012", '0012, signs without a shape.

A spreadsheet's error in a text is no value either. One pass over all columns finds which of them have any of it; only
those are written anew.
"""

from __future__ import annotations

from typing import Final

from recobra.tabular.workspace import Workspace

from .sheet import Sheet

_INVISIBLE: Final = r"[\x{AD}\x{200B}\x{2060}\x{FEFF}]"
_QUOTED_FORMULA: Final = r'(?s)=\s*"(.*)"'
# A mark that keeps a spreadsheet from reading figures, or a formula, as such; a word between two of them is quoted.
_TEXT_MARK: Final = "'[^']*"
_ERRORS: Final = (
    "#N/A",
    "#N/D",
    "#REF!",
    "#¡REF!",
    "#VALUE!",
    "#¡VALOR!",
    "#VALOR!",
    "#DIV/0!",
    "#¡DIV/0!",
    "#NAME?",
    "#¿NOMBRE?",
    "#NOME?",
    "#NULL!",
    "#¡NULO!",
    "#NULO!",
    "#NUM!",
    "#¡NUM!",
    "#NÚM!",
    "#SPILL!",
    "#¡DESBORDAMIENTO!",
    "#CALC!",
    "#¡CALC!",
)


def tidy_cells(duck: Workspace, sheet: Sheet) -> None:
    """Take off what programs put around the texts of a sheet, and note the errors of spreadsheets among them."""
    columns = [f"c{position}" for position in range(len(sheet.headers))]
    # The first sign tells most; characters beyond ASCII are looked at again, in the columns that have any.
    signs = ", ".join(
        f"bool_or({column} LIKE '=%' OR {column} LIKE '''%'), bool_or({column} LIKE '#%'), "
        f"bool_or(strlen({column}) <> length({column}))"
        for column in columns
    )
    found = duck.fetch_row(f"SELECT {signs} FROM {sheet.raw}")
    for position, column in enumerate(columns):
        is_marked, is_numbered, has_signs = found[3 * position : 3 * position + 3]
        if has_signs:
            _rewrite(duck, sheet, column, f"regexp_replace({column}, '{_INVISIBLE}', '', 'g')", _INVISIBLE)
        if is_marked or has_signs:
            bare = f"replace(regexp_extract(trim({column}), '^{_QUOTED_FORMULA}$', 1), '\"\"', '\"')"
            _rewrite(duck, sheet, column, bare, rf"^\s*{_QUOTED_FORMULA}\s*$")
            mark = _TEXT_MARK.replace("'", "''")
            _rewrite(duck, sheet, column, f"substr(trim({column}), 2)", rf"^\s*{mark}$")
        if is_numbered:
            _note_errors(duck, sheet, position)


def _rewrite(duck: Workspace, sheet: Sheet, column: str, text: str, pattern: str) -> None:
    """Write the cells of a column that match a pattern anew; `text` is SQL."""
    duck.execute(f"UPDATE {sheet.raw} SET {column} = nullif({text}, '') WHERE regexp_matches({column}, '{pattern}')")


def _note_errors(duck: Workspace, sheet: Sheet, position: int) -> None:
    """Note the cells of a column that hold the error of a spreadsheet, unless the workbook told it already."""
    listed = ", ".join(f"'{error}'" for error in _ERRORS)
    duck.execute(
        f"INSERT INTO {sheet.faults} SELECT line, {position}, 'text_error', "
        f"json_object('error', trim(c{position})), trim(c{position}) FROM {sheet.raw} "
        f"WHERE upper(trim(c{position})) IN ({listed}) "
        f"AND line NOT IN (SELECT line FROM {sheet.faults} WHERE position = {position})"
    )
