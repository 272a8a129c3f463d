"""A mapping of a file that knows its own path, so that every complaint can name it."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

BASES = ("law", "analogy", "default")
NOTHING: Mapping[str, Any] = MappingProxyType({})


class LawFileError(ValueError):
    """A country's file is wrong. Permanent: only an edited file helps."""


class Node:
    """A mapping of the file that knows its own path, so that every complaint can name it."""

    def __init__(self, raw: object, path: str) -> None:
        if not isinstance(raw, Mapping):
            raise LawFileError(f"{path}: expected a mapping, found {raw!r}")
        self.raw: Mapping[str, Any] = raw
        self.path = path

    def get(self, key: str, kind: type | tuple[type, ...], default: object = ...) -> Any:
        value = self.raw.get(key, default)
        if value is ... or (value is not default and not isinstance(value, kind)):
            raise self.wrong(key, f"a value of type {kind}", None if value is ... else value)
        return value

    def one_of(self, key: str, names: tuple[str, ...], default: object = ...) -> str:
        value = self.get(key, str, default)
        if value not in names:
            raise self.wrong(key, f"one of {', '.join(names)}", value)
        return str(value)

    def names(self, key: str, allowed: tuple[str, ...] | None = None) -> tuple[str, ...]:
        values = self.get(key, list)
        wrong = [v for v in values if not isinstance(v, str) or (allowed and v not in allowed)]
        if wrong:
            raise self.wrong(key, f"names from {allowed}" if allowed else "names", wrong)
        return tuple(values)

    def child(self, key: str, default: object = ...) -> "Node":
        return Node(self.get(key, Mapping, default), f"{self.path}: {key}")

    def children(self, key: str) -> Iterator["Node"]:
        for place, raw in enumerate(self.get(key, list)):
            yield Node(raw, f"{self.path}: {key}[{place}]")

    def only(self, *keys: str) -> None:
        extra = sorted(set(self.raw) - set(keys))
        if extra:
            raise LawFileError(f"{self.path}: unknown keys {extra}, expected some of {keys}")

    def wrong(self, key: str, expected: str, found: object) -> LawFileError:
        return LawFileError(f"{self.path}: {key}: expected {expected}, found {found!r}")
