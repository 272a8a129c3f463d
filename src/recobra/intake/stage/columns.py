"""The mapping's columns in a file's header, and the SQL that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from recobra.intake.mapping import Document, Source
from recobra.intake.refusals import refuse_load
from recobra.tabular import records, sql_text
from recobra.tabular.sql_text import literal
from recobra.tabular.workspace import Relation

DATES: Final = {"opened": "account.opened_date", "due": "instalment.due_date", "issued": "instalment.issue_date"}
"""The targets that hold days, by the name of their column once they are parsed."""


@dataclass(frozen=True)
class Columns:
    """The position of every mapped column in `raw`; `respelled`: how some accounts are to be written."""

    headers: tuple[str, ...]
    positions: dict[str, int]
    respelled: Relation | None = None  # number, spelled

    def account(self, document: Document) -> str:
        """Return SQL for the number of the account that a row names."""
        text = self.text(document.fields["account.external_id"])
        if self.respelled is None:
            return text
        return f"coalesce((SELECT spelled FROM {self.respelled} WHERE number = {text}), {text})"

    def text(self, source: Source | None) -> str:
        """Return SQL for a value as trimmed text; NULL where the file has none."""
        if source is None:
            return "NULL::VARCHAR"
        if source.value:
            return literal(source.value)
        parts = [self.cell(column) for column in source.columns]
        joined = parts[0] if len(parts) == 1 else f"nullif(concat_ws(' ', {', '.join(parts)}), '')"
        if source.values:
            cases = " ".join(f"WHEN {literal(key)} THEN {literal(value)}" for key, value in source.values.items())
            joined = f"(CASE {joined} {cases} ELSE {joined} END)"
        return f"coalesce({joined}, {literal(source.default)})" if source.default else joined

    def cell(self, column: str) -> str:
        """Return SQL for one trimmed cell."""
        return sql_text.cell(self.positions[column])

    def positions_of(self, source: Source | None) -> list[int]:
        """Return the positions of the columns of a value."""
        return [self.positions[column] for column in source.columns] if source else []

    def day_positions(self, document: Document) -> list[int]:
        """Return the positions of the columns that hold days."""
        sources = [document.fields.get(target) for target in DATES.values()]
        sources += [attribute for attribute in document.attributes.values() if attribute.type == "date"]
        return [position for source in sources for position in self.positions_of(source)]

    def label(self, source: Source | None) -> str:
        """Return the column name that a message about this value should show."""
        return " + ".join(source.columns) if source else ""


def find_columns(document: Document, headers: tuple[str, ...]) -> Columns:
    """Return the positions of the mapped columns. Raises LoadRefused naming those that are missing or double."""
    with refuse_load():
        return Columns(headers, records.find_columns(headers, document.columns()))
