"""Account and fingerprint of every row, so that yesterday's unchanged rows need not be read again."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from recobra.intake.load_context import LoadContext
from recobra.intake.relations import FileRows, RowKeys
from recobra.tabular import identifiers
from recobra.tabular.sql_text import literal
from recobra.tabular.workspace import Relation, Workspace

from .left_out import move_aside

_IDS_JUDGED: Final = 1  # rises where ids are judged otherwise, so that every row is read again
SHOWN_LINES: Final = 20  # lines that a message about a repeated key names


def fingerprint_rows(context: LoadContext, duck: Workspace, file: FileRows) -> RowKeys:
    """Return the keys and fingerprints of the rows that are laid out in columns."""
    document = context.document
    columns = file.columns
    cells = ", ".join(f"coalesce(c{columns.positions[name]}, '')" for name in document.columns())
    account = columns.account(document)
    number = "'1'"
    if context.has_several_rows:
        number = f"coalesce({columns.text(document.fields.get('instalment.number'))}, '1')"
    # Half an MD5 is enough: a print is compared with one other print only, to detect change.
    fingerprint = f"md5_number_lower(concat_ws(chr(31), {literal(_seed(context))}, {cells}))"
    rows = duck.create(
        "row_keys", f"SELECT line, {account} AS account, {number} AS number, {fingerprint} AS print FROM {file.raw}"
    )
    # Two items that say the same are two items.
    shared = None if context.has_item_rows else _find_shared_keys(context, duck, file, rows)
    if shared is not None:
        _set_repeated_aside(duck, file, rows, shared)
    if context.has_several_rows:
        together = "md5_number_lower(string_agg(CAST(print AS VARCHAR), ' ' ORDER BY print))"
    else:
        together = "any_value(print)"
    accounts = duck.create(
        "account_fingerprints",
        f"SELECT account, {together} AS print FROM {rows} WHERE account IS NOT NULL GROUP BY account",
    )
    return RowKeys(rows, accounts, _find_duplicates(duck, rows, shared))


def _find_shared_keys(context: LoadContext, duck: Workspace, file: FileRows, rows: Relation) -> Relation | None:
    """Return the keys (account, number) that several rows have, None where there are none.

    What stands in the place of a number that was lost, an error or scientific notation, is no key of theirs.
    """
    shared = duck.create(
        "shared_keys",
        f"SELECT account, number FROM {rows} WHERE account IS NOT NULL GROUP BY account, number HAVING count(*) > 1",
    )
    if not duck.count(shared):
        return None
    positions = ", ".join(map(str, file.columns.positions_of(context.document.fields["account.external_id"]))) or "-1"
    faulty = (
        f"SELECT account FROM {rows} SEMI JOIN "
        f"(SELECT line FROM {file.faults} WHERE position IN ({positions})) faulty USING (line)"
    )
    duck.execute(
        f"DELETE FROM {shared} WHERE account IN ({faulty} WHERE account IS NOT NULL) "
        f"OR {identifiers.scientific_sql('account')}"
    )
    return shared if duck.count(shared) else None


def _set_repeated_aside(duck: Workspace, file: FileRows, rows: Relation, shared: Relation) -> None:
    """Set aside all but the first of the rows of a key where every cell of them is the same.

    Cells that no mapping reads count too: two invoices may differ in those alone.
    """
    cells = ", ".join(f"coalesce(c{at}, '')" for at in range(len(file.headers)))
    # What stands in a cell with a fault is not known, so no other is the same.
    whole = f"CASE WHEN line IN (SELECT line FROM {file.faults}) THEN '' || line ELSE concat_ws(chr(31), {cells}) END"
    repeated = duck.create(
        "repeated_rows",
        f"""
        WITH wholes AS (
            SELECT line, account, number, {whole} AS whole
            FROM {file.raw} JOIN (SELECT * FROM {rows} SEMI JOIN {shared} USING (account, number)) USING (line)
        ), alike AS (
            SELECT account, number, min(line) AS first_line
            FROM wholes GROUP BY account, number HAVING count(DISTINCT whole) = 1
        )
        SELECT line FROM wholes JOIN alike USING (account, number) WHERE line <> first_line
        """,
    )
    if duck.count(repeated):
        move_aside(duck, file, where=f"line IN (SELECT line FROM {repeated})", code="repeated")
        duck.execute(f"DELETE FROM {rows} WHERE line IN (SELECT line FROM {repeated})")


def _find_duplicates(duck: Workspace, rows: Relation, shared: Relation | None) -> Relation:
    """Return the rows that share their key with others that say something else: line, and the lines of all of them."""
    if shared is None:
        return duck.create_empty("duplicate_rows", "line BIGINT, lines VARCHAR")
    return duck.create(
        "duplicate_rows",
        f"""
        WITH several AS (
            SELECT
                account,
                number,
                array_to_string(list_sort(list(line))[:{SHOWN_LINES}], ', ')
                    || CASE WHEN count(*) > {SHOWN_LINES} THEN ', …' ELSE '' END AS lines
            FROM {rows} SEMI JOIN {shared} USING (account, number)
            GROUP BY account, number HAVING count(*) > 1
        )
        SELECT line, lines FROM {rows} JOIN several USING (account, number)
        """,
    )


def _seed(context: LoadContext) -> str:
    """Return a hash of what a row's meaning depends on beside the row: mapping, columns, currency and country."""
    # What decides about the whole file, and not about what a row means, is left out.
    mapping: dict[str, Any] = context.document.model_dump(mode="json", exclude={"control", "name"})
    mapping["options"] |= {"shrink_limit": None, "aside_limit": None, "partial": None}
    mapping |= {"filters": None, "currencies": None, "ids": _IDS_JUDGED}
    surroundings = [context.document.columns(), context.portfolio.currency, context.portfolio.country]
    facts = json.dumps([mapping, surroundings], sort_keys=True, default=str)
    return hashlib.sha256(facts.encode()).hexdigest()[:16]
