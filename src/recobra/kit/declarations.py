"""Declarations that each app keeps in a module of the same name, found by the installed apps."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from django.apps import apps
from django.utils.module_loading import module_has_submodule


def declared(module: str, name: str) -> Iterator[Any]:
    """Yield what the tuple `name` of each app's `module` holds; most apps have no such module."""
    for config in apps.get_app_configs():
        if module_has_submodule(config.module, module):
            yield from getattr(import_module(f"{config.name}.{module}"), name)
