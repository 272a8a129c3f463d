"""Columns for rules that an app reads from its own tables; each app declares its own in `fact_columns.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa
from django.db.models import QuerySet

from recobra.kit import tables
from recobra.portfolio.snapshot import Scope
from recobra_core.rules import ARROW_TYPES, FactColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadColumn(FactColumn):
    """A fact column with the query that reads it.

    `rows` returns a queryset as of a day whose rows are the key and the value, of the model's own rows: its fields
    `debtor_field` and `portfolio_field` ('' for none) narrow it to what is decided. It is asked only where a rule in
    force reads the column. Money is read in minor units.
    """

    rows: Callable[[date], QuerySet[Any, Any]] = field(repr=False, compare=False)
    debtor_field: str = "debtor_id"
    portfolio_field: str = "portfolio_id"
    nullable: bool = field(init=False)
    table: str = field(init=False)

    def __post_init__(self) -> None:
        """Name the table, and tell from `otherwise` whether the column may be unknown."""
        object.__setattr__(self, "nullable", self.otherwise is None)
        object.__setattr__(self, "table", f"column_{self.name}")

    @property
    def schema(self) -> pa.Schema:
        """Return the schema of the table: the key and the value."""
        return pa.schema([(self.key, pa.int64()), (self.stored_as, ARROW_TYPES[self.type])])

    def read(self, scope: Scope, *, as_of: date) -> pa.Table:
        """Return the column's table within a scope (`schema`)."""
        within = scope.condition(debtor=self.debtor_field, portfolio=self.portfolio_field or None)
        # An order that the model gives its rows would divide the groups.
        return tables.fetch_queryset(self.rows(as_of).filter(within).order_by(), self.schema)
