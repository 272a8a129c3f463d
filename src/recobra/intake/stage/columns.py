"""The mapping's columns in a file's header, and the SQL that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from recobra.intake.mapping import Document, Source
from recobra.intake.refusals import LoadRefused
from recobra.tabular import sql_text
from recobra.tabular.sql_text import literal
from recobra_core.folding import fold_name

DATES: Final = {"opened": "account.opened_date", "due": "instalment.due_date", "issued": "instalment.issue_date"}
"""The targets that hold days, by the name of their column once they are parsed."""


@dataclass(frozen=True)
class Columns:
    """The position of every mapped column in `raw`."""

    headers: tuple[str, ...]
    positions: dict[str, int]

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
    exact = {name: n for n, name in enumerate(headers)}
    similar: dict[str, list[int]] = {}
    for n, name in enumerate(headers):
        similar.setdefault(fold_name(name), []).append(n)
    positions: dict[str, int] = {}
    missing = []
    for column in document.columns():
        matching = [exact[column]] if column in exact else similar.get(fold_name(column), [])
        if not matching:
            missing.append(column)
        # A repeated name got its number when the header was read.
        elif len(matching) > 1 or f"{headers[matching[0]]} (2)" in exact:
            raise LoadRefused("duplicate_columns", column=column)
        else:
            positions[column] = matching[0]
    if missing:
        raise LoadRefused("missing_columns", missing=", ".join(missing), found=", ".join(headers))
    return Columns(headers, positions)
