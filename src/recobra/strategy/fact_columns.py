"""The fact columns that apps read from their own tables, gathered for the rules."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from recobra.kit.declarations import declared
from recobra.portfolio.read_column import ReadColumn

COLUMNS: tuple[ReadColumn, ...] = ()
"""This app has none of its own: what it knows of an account the core has in the account's row."""


@cache
def read_columns() -> Mapping[str, ReadColumn]:
    """Return the columns by name: `COLUMNS` of the module `fact_columns` of each app that has one."""
    return MappingProxyType({column.name: column for column in declared("fact_columns", "COLUMNS")})
