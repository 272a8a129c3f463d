"""Warnings about rows that are accepted all the same: one query per rule, as `checks` has them for errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from recobra.intake.load_context import LoadContext
from recobra.intake.relations import CheckedRows, ExaminedFile, FileRows
from recobra.tabular import identity
from recobra.tabular.sql_text import literal
from recobra.tabular.workspace import Relation, Workspace

from . import rows
from .rows import Notation

FAR_YEARS: Final = 10  # a day further from that of the file is more often a slip than a debt
SHOWN_LINES: Final = 20  # of each warning in the figures of its load
_NOT_OF_TYPE: Final = {
    "number": "not_a_number",
    "integer": "not_a_whole_number",
    "money": "not_an_amount",
    "date": "not_a_day",
    "boolean": "not_yes_or_no",
}
_OF_VERDICT: Final = {
    "stand_in_id": identity.STAND_IN,
    "invalid_id": identity.INVALID,
    "doubtful_id": identity.DOUBTFUL,
}


@dataclass(frozen=True)
class WarningRule:
    """A condition of rows, as SQL, that is worth a look; `column` is the name in the file, '' where it is of none."""

    code: str
    column: str
    condition: str


def find_text_warnings(
    context: LoadContext, duck: Workspace, file: FileRows, parsed: Relation, rejected: Relation, *, notation: Notation
) -> Relation:
    """Return the warnings about texts of accepted rows that say nothing: line, col, code. A debt is not their fault."""
    warnings = duck.create_empty("row_warnings", "line BIGINT, col VARCHAR, code VARCHAR")
    _add(
        duck, warnings, _list_text_rules(context, file, notation), source=f"{parsed} ANTI JOIN {rejected} USING (line)"
    )
    return warnings


def _list_text_rules(context: LoadContext, file: FileRows, notation: Notation) -> Iterator[WarningRule]:
    fields = context.document.fields
    for n, (name, attribute) in enumerate(context.document.attributes.items()):
        if attribute.type != "text":
            typed = rows.attribute_sql(context, n, attribute.type, name, notation)
            yield WarningRule(
                _NOT_OF_TYPE[attribute.type],
                file.columns.label(attribute),
                f"attribute_{n} IS NOT NULL AND {typed} IS NULL",
            )
    if "instalment.amount" in fields:
        column = file.columns.label(fields["instalment.amount"])
        yield WarningRule("not_a_number", column, "x_document IS NOT NULL AND document_amount IS NULL")


def add_warnings(context: LoadContext, duck: Workspace, examined: ExaminedFile) -> None:
    """Add the warnings about what the good rows say, and those that the last load had of rows that did not change."""
    checked = examined.checked
    _add(duck, checked.warnings, _list_rules(context, examined.file), source=checked.good)
    duck.execute(
        f"INSERT INTO {checked.warnings} SELECT line, '', 'no_contact_point' FROM {checked.good} "
        f"WHERE debtor IN (SELECT key FROM {examined.people.unreachable})"
    )
    duck.execute(
        f"""
        INSERT INTO {checked.warnings}
        SELECT line, col, code FROM {examined.known.warned} JOIN {examined.keys.rows} USING (account, print)
        SEMI JOIN {examined.changes.unchanged} USING (account)
        ANTI JOIN {checked.rejected} USING (line)
        """
    )


def _add(duck: Workspace, warnings: Relation, rules: Iterator[WarningRule], *, source: str) -> None:
    for rule in rules:
        duck.execute(
            f"INSERT INTO {warnings} SELECT line, {literal(rule.column)}, {literal(rule.code)} FROM {source} "
            f"WHERE {rule.condition}"
        )


def _list_rules(context: LoadContext, file: FileRows) -> Iterator[WarningRule]:
    """Yield the rules for the typed columns of rows that are accepted."""
    fields = context.document.fields
    label = file.columns.label
    owed = " + ".join(f"coalesce(d_{concept}, 0)" for concept in context.document.amount_sources())
    due, issued = label(fields.get("instalment.due_date")), label(fields.get("instalment.issue_date"))
    yield WarningRule("nothing_owed", label(next(iter(context.document.amount_sources().values()))), f"{owed} = 0")
    yield WarningRule("no_due_date", due, "due IS NULL")
    yield WarningRule("due_before_issue", due, "due < issued")
    day, years = f"DATE '{context.as_of}'", f"INTERVAL {FAR_YEARS} YEAR"
    for name, column in (("due", due), ("issued", issued)):
        yield WarningRule("day_far", column, f"{name} NOT BETWEEN {day} - {years} AND {day} + {years}")
    # Of a document in several rows the first alone says its amount.
    if not context.has_item_rows:
        amount = label(fields.get("instalment.amount"))
        yield WarningRule("balance_above_amount", amount, f"{owed} > document_amount")
    national_id = label(fields.get("debtor.national_id"))
    yield WarningRule("no_national_id", national_id, "national_id IS NULL")
    for code, verdict in _OF_VERDICT.items():
        yield WarningRule(code, national_id, f"verdict = {literal(verdict)}")


def count_warnings(duck: Workspace, checked: CheckedRows) -> list[dict[str, Any]]:
    """Return by kind how many rows a warning is of: code, column, rows and the first lines; the most frequent first."""
    found = duck.fetch_all(
        f"SELECT code, col, count(*) AS row_count, list_sort(list(line))[:{SHOWN_LINES}] FROM {checked.warnings} "
        "GROUP BY code, col ORDER BY row_count DESC, code, col"
    )
    return [{"code": code, "column": column, "rows": count, "lines": lines} for code, column, count, lines in found]
