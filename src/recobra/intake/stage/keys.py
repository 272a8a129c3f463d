"""Account and fingerprint of every row, so that yesterday's unchanged rows need not be read again."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from recobra.intake.load_context import LoadContext
from recobra.intake.relations import FileRows, RowKeys
from recobra.tabular.sql_text import literal
from recobra.tabular.workspace import Workspace

_IDS_JUDGED: Final = 1  # rises where ids are judged otherwise, so that every row is read again
SHOWN_LINES: Final = 20  # lines that a message about a repeated key names


def fingerprint_rows(context: LoadContext, duck: Workspace, file: FileRows) -> RowKeys:
    """Return the keys and fingerprints of the rows that are laid out in columns."""
    document = context.document
    columns = file.columns
    cells = ", ".join(f"coalesce(c{columns.positions[name]}, '')" for name in document.columns())
    account = columns.text(document.fields["account.external_id"])
    number = "'1'"
    if context.has_several_rows:
        number = f"coalesce({columns.text(document.fields.get('instalment.number'))}, '1')"
    # Half an MD5 is enough: a print is compared with one other print only, to detect change.
    fingerprint = f"md5_number_lower(concat_ws(chr(31), {literal(_seed(context))}, {cells}))"
    rows = duck.create(
        "row_keys", f"SELECT line, {account} AS account, {number} AS number, {fingerprint} AS print FROM {file.raw}"
    )
    if context.has_several_rows:
        together = "md5_number_lower(string_agg(CAST(print AS VARCHAR), ' ' ORDER BY print))"
    else:
        together = "any_value(print)"
    accounts = duck.create(
        "account_fingerprints",
        f"SELECT account, {together} AS print FROM {rows} WHERE account IS NOT NULL GROUP BY account",
    )
    duplicates = duck.create(
        "duplicate_rows",
        f"""
        WITH shared_keys AS (
            SELECT account, number, array_to_string(list_sort(list(line))[:{SHOWN_LINES}], ', ') AS lines
            FROM {rows} WHERE account IS NOT NULL
            GROUP BY account, number HAVING count(*) > 1
        )
        SELECT line, lines FROM {rows} JOIN shared_keys USING (account, number)
        WHERE {not context.has_item_rows}
        """,
    )
    return RowKeys(rows, accounts, duplicates)


def _seed(context: LoadContext) -> str:
    """Return a hash of what a row's meaning depends on beside the row: mapping, columns, currency and country."""
    # What decides about the whole file, and not about what a row means, is left out.
    mapping: dict[str, Any] = context.document.model_dump(mode="json", exclude={"control", "name"})
    mapping["options"] |= {"shrink_limit": None, "partial": None}
    mapping |= {"filters": None, "currencies": None, "ids": _IDS_JUDGED}
    surroundings = [context.document.columns(), context.portfolio.currency, context.portfolio.country]
    facts = json.dumps([mapping, surroundings], sort_keys=True, default=str)
    return hashlib.sha256(facts.encode()).hexdigest()[:16]
