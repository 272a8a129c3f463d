"""Reactions to facts: what they are registered as, and what they get."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic

from django.utils.module_loading import import_string

from . import facts as kinds
from .actor import Actor
from .facts import F, Fact


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a fact is about; a fact about the whole installation names nothing."""

    portfolio_id: int | None = None
    debtor_id: int | None = None
    account_id: int | None = None
    contact_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Recorded(Generic[F]):
    """Facts of one kind that became true together, as a reaction gets them.

    `subjects[i]` is what `facts[i]` is about.
    """

    actor: Actor
    subjects: list[Subject]
    facts: list[F]

    def __iter__(self) -> Iterator[tuple[Subject, F]]:
        """Yield each fact with its subject."""
        return zip(self.subjects, self.facts, strict=True)

    def debtor_ids(self) -> list[int]:
        """Return the debtors concerned, each once; a fact about an unknown person has none."""
        return list(dict.fromkeys(each.debtor_id for each in self.subjects if each.debtor_id is not None))

    def contact_ids(self) -> list[int]:
        """Return the contacts concerned, each once."""
        return list(dict.fromkeys(each.contact_id for each in self.subjects if each.contact_id is not None))


Reaction = Callable[[Recorded[F]], None]
_PATHS: dict[type[Fact], list[str]] = {}


def react(kind: type[Fact], path: str) -> None:
    """Let a reaction follow all facts of a kind; called at start by `config.reactions`, which sees all apps.

    `path` is the dotted path of a function that takes the kind's `Recorded`; it is imported when a fact comes, and one
    that cannot be undoes the fact. Raises TypeError for what is no kind of fact, so that a reaction that could never
    run does not start.
    """
    if kinds.declared_kinds().get(getattr(kind, "kind", "")) is not kind:
        raise TypeError(f"{kind!r} is no kind of fact: declare it with @fact in the facts.py of its app.")
    # Idempotent: Django may run ready() of an app more than once in a process.
    paths = _PATHS.setdefault(kind, [])
    if path not in paths:
        paths.append(path)


def reactions_to(kind: type[F]) -> list[Reaction[F]]:
    """Return the reactions to a kind of fact, in their order. Raises ImportError for one that is not there."""
    return [import_string(path) for path in _PATHS.get(kind, ())]
