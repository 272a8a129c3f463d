"""The fact columns that apps read from their own tables, gathered for the rules."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType

from django.apps import apps
from django.utils.module_loading import module_has_submodule

from recobra.portfolio.read_column import ReadColumn


@cache
def read_columns() -> Mapping[str, ReadColumn]:
    """Return the columns by name: `COLUMNS` of the module `fact_columns` of each app that has one."""
    columns: dict[str, ReadColumn] = {}
    for config in apps.get_app_configs():
        if config.name == __package__ or not module_has_submodule(config.module, "fact_columns"):
            continue
        for column in import_module(f"{config.name}.fact_columns").COLUMNS:
            columns[column.name] = column
    return MappingProxyType(columns)
