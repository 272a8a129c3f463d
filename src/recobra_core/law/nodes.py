"""Mappings of a rules file that know their own path; the first fault raises an error that names it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, TypeVar, overload

BASES = ("law", "analogy", "default")
Kind = TypeVar("Kind")
Default = TypeVar("Default")

NOTHING: Mapping[str, Any] = MappingProxyType({})


class LawFileError(ValueError):
    """A country's file is wrong. Permanent: only an edited file helps."""


class Node:
    """A mapping of the file and its path in it. Every reader raises LawFileError for a missing or wrong value."""

    def __init__(self, raw: object, path: str) -> None:
        if not isinstance(raw, Mapping):
            raise LawFileError(f"{path}: expected a mapping, found {raw!r}")
        self.raw: Mapping[str, Any] = raw
        self.path = path

    @overload
    def get(self, key: str, kind: type[Kind]) -> Kind: ...

    @overload
    def get(self, key: str, kind: type[Kind], default: Default) -> Kind | Default: ...

    def get(self, key: str, kind: type[Kind], default: object = ...) -> object:
        """Return a value of the given kind; without a default it must be there."""
        # The ellipsis stands for no default, for None is one.
        value = self.raw.get(key, default)
        if value is ... or (value is not default and not isinstance(value, kind)):
            raise self.error(key, f"a value of type {kind}", None if value is ... else value)
        return value

    def get_choice(self, key: str, options: tuple[str, ...], default: object = ...) -> str:
        """Return one of the given words."""
        value = self.get(key, str, default)
        if value not in options:
            raise self.error(key, f"one of {', '.join(options)}", value)
        return str(value)

    def get_names(self, key: str, allowed: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return a list of texts; where `allowed` is given, all must be among them."""
        values = self.get(key, list)
        wrong = [name for name in values if not isinstance(name, str) or (allowed and name not in allowed)]
        if wrong:
            raise self.error(key, f"names from {allowed}" if allowed else "names", wrong)
        return tuple(values)

    def get_child(self, key: str, default: object = ...) -> "Node":
        """Return the mapping under a key."""
        raw = self.get(key, Mapping, default)  # type: ignore[type-abstract]
        return Node(raw, f"{self.path}: {key}")

    def get_children(self, key: str) -> Iterator["Node"]:
        """Yield the mappings of the list under a key."""
        for index, raw in enumerate(self.get(key, list)):
            yield Node(raw, f"{self.path}: {key}[{index}]")

    def check_keys(self, *keys: str) -> None:
        """Refuse keys that nobody reads: a misspelt one would otherwise loosen the law in silence."""
        extra = sorted(set(self.raw) - set(keys))
        if extra:
            raise LawFileError(f"{self.path}: unknown keys {extra}, expected some of {keys}")

    def error(self, key: str, expected: str, found: object) -> LawFileError:
        """Return the error of a key, for the caller to raise."""
        return LawFileError(f"{self.path}: {key}: expected {expected}, found {found!r}")
