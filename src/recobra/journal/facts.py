"""Kinds of facts: one frozen dataclass each, checked when it is written and read back as the same type.

Each app declares its own in `<app>/facts.py`, which the journal imports at start:

    @fact("payment.recorded", _("Payment received"))
    class PaymentRecorded(Fact):
        payment_id: int
        amount_minor: int
        paid_date: date
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar, cast, dataclass_transform

from django.utils.functional import Promise
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

# Nothing is converted on the way in: "7" is no amount. An error never repeats a value, which may be personal.
# A field whose name in the journal is taken here, such as «kind» or «from», is declared with that name as its alias.
# The checks of a kind are made when the first fact of it comes: a process records few of all the kinds.
_CHECKS = ConfigDict(
    strict=True,
    extra="forbid",
    hide_input_in_errors=True,
    validate_by_name=True,
    serialize_by_alias=True,
    defer_build=True,
)


class FactRefused(ValueError):
    """A payload does not fit its kind of fact; the text names the kind, each field and what was expected."""


class Fact:
    """What became true. The fields are ids, amounts, codes and days, never personal data."""

    kind: ClassVar[str]
    label: ClassVar[Promise | str]


F = TypeVar("F", bound=Fact)

_KINDS: dict[str, type[Fact]] = {}
_ADAPTERS: dict[type[Fact], TypeAdapter[Fact]] = {}


@dataclass_transform(kw_only_default=True, frozen_default=True)
def fact(kind: str, label: Promise | str) -> Callable[[type[F]], type[F]]:
    """Declare a kind of fact, such as "payment.recorded": its name in the journal and its label on screens.

    Raises RuntimeError for a kind that another class has already.
    """

    def declare(cls: type[F]) -> type[F]:
        declared = cast("type[F]", dataclass(frozen=True, kw_only=True, config=_CHECKS)(cls))
        known = _KINDS.setdefault(kind, declared)
        if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise RuntimeError(f"The kind of fact «{kind}» is declared twice: {known!r} and {cls!r}.")
        declared.kind = kind
        declared.label = label
        return declared

    return declare


def declared_kinds() -> dict[str, type[Fact]]:
    """Return all kinds of facts by their name in the journal."""
    return dict(_KINDS)


def make(kind: type[F], fields: dict[str, object]) -> F:
    """Return a fact of a kind from its fields. Raises FactRefused."""
    try:
        return kind(**fields)
    except ValidationError as error:
        raise _refusal(kind.kind, error) from error


def dump(made: Fact) -> str:
    """Return a fact's payload as JSON text."""
    return _adapter(type(made)).dump_json(made).decode()


def load(kind: str, payload: str) -> Fact:
    """Return the fact that JSON text of the journal holds. Raises FactRefused, also for a kind that nobody declares."""
    if kind not in _KINDS:
        raise FactRefused(f"«{kind}» is no kind of fact.")
    try:
        return _adapter(_KINDS[kind]).validate_json(payload)
    except ValidationError as error:
        raise _refusal(kind, error) from error


def _adapter(kind: type[Fact]) -> TypeAdapter[Fact]:
    """Return what writes and reads a kind's payload; it costs a millisecond, so it is made once."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _refusal(kind: str, error: ValidationError) -> FactRefused:
    """Return a refusal that names each field and what was expected there, without the values."""
    faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
    return FactRefused(f"The fact «{kind}» does not fit its kind. {'; '.join(faults)}.")
