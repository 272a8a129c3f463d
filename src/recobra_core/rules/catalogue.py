"""Columns a rule may speak about: their names, types and words, and where their values come from.

A rule writes amounts in major units of the account's own currency (`balance > 1000` is 1000.00 pesos or 1000
guaraníes). The table holds them as integers in minor units under the name with the suffix `_minor`, beside a
column `currency_exponent`: one compiled rule serves portfolios of several currencies and no amount is ever divided.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal

import ibis.expr.types as ir
import pyarrow as pa

from recobra_core.days import AsOf
from recobra_core.folding import strip_accents

ColumnType = Literal["integer", "money", "number", "text", "boolean", "date"]
ARROW_TYPES: Mapping[ColumnType, pa.DataType] = MappingProxyType(
    {
        "integer": pa.int64(),
        "money": pa.int64(),
        "number": pa.float64(),
        "text": pa.string(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
    }
)
EXPONENT_COLUMN = "currency_exponent"
COLUMNS_MAX = 500
Label = tuple[str, str]
"""English and Spanish: the core knows no gettext."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of the snapshot. `values` lists what a text column can hold with its words, where that is known."""

    name: str
    type: ColumnType
    nullable: bool
    label_en: str
    label_es: str
    values: Mapping[str, Label] | None = field(default=None, compare=False)
    unit: str | None = None

    @property
    def stored_as(self) -> str:
        """Return the name of the column in the table."""
        return f"{self.name}_minor" if self.type == "money" else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class FactColumn(Column):
    """A column with where its values come from: the one place where it is declared.

    `compute` returns the value as of a day: from the account's row, or, where `table` names a table of the day's facts
    (`decide.daily.facts.tables_to_join`), from its rows with the same `key`. A table without `compute` has one row for
    each key and the column itself; a column with neither is one of the account's row. An account without a row in
    `table` gets `otherwise`; None stands for unknown, and a rule must then say what that means.
    """

    compute: Callable[[ir.Table, AsOf], ir.Value] | None = field(default=None, repr=False, compare=False)
    table: str = ""
    key: Literal["account_id", "debtor_id"] = "debtor_id"
    otherwise: int | bool | str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where it is not said what an account without a row gets."""
        if self.table and self.nullable != (self.otherwise is None):
            raise ValueError(f"Column {self.name!r} is nullable exactly where nothing else is said for no row.")


class Catalogue(Mapping[str, Column]):
    """Columns by name, in the order given. Raises ValueError for a repeated or malformed name."""

    def __init__(self, columns: Iterable[Column]) -> None:
        named: dict[str, Column] = {}
        for column in columns:
            if column.name in named:
                raise ValueError(f"Column {column.name!r} appears twice in the catalogue.")
            if not column.name.isidentifier() or column.name != column.name.lower():
                raise ValueError(f"Column name {column.name!r} must be a lower-case identifier.")
            named[column.name] = column
        if len(named) > COLUMNS_MAX:
            raise ValueError(f"A catalogue holds at most {COLUMNS_MAX} columns, not {len(named)}.")
        self._named = MappingProxyType(named)

    def __getitem__(self, name: str) -> Column:
        return self._named[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._named)

    def __len__(self) -> int:
        return len(self._named)

    def extend(self, columns: Iterable[Column]) -> "Catalogue":
        """Return a new catalogue with more columns, such as the portfolio's own attributes, named `attr_…`."""
        return Catalogue((*self._named.values(), *columns))

    def nearest(self, word: str) -> str | None:
        """Return the column whose name or label, in either language, looks most like `word`."""
        names = {}
        for column in self._named.values():
            for label in (column.label_en, column.label_es, column.name):
                names[_fold_word(label)] = column.name
        close = get_close_matches(_fold_word(word), names, n=1, cutoff=0.55)
        return names[close[0]] if close else None


def _fold_word(word: str) -> str:
    """Return a word without capitals, accents and blanks, so that `días mora` is compared as `dias_mora`."""
    return strip_accents(word.lower().replace(" ", "_"))
