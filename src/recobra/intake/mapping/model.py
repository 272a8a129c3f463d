"""Mapping documents once they have been checked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

AMOUNTS: Final = ("principal", "interest", "late_interest", "fee", "tax")
ATTRIBUTE_TYPES: Final = ("text", "number", "date", "boolean")
PARTS: Final = ("CO_DEBTOR", "GUARANTOR", "REFERENCE")


@dataclass(frozen=True)
class Source:
    """Origin of a value: columns (joined by a space), else `default`; or always `value`.

    `values` translates what the file says, e.g. {"PRE": "LOAN"}.
    """

    columns: tuple[str, ...] = ()
    default: str = ""
    value: str = ""
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Attribute:
    """A free attribute of accounts, of a declared type."""

    name: str
    source: Source
    type: str


@dataclass(frozen=True)
class Party:
    """A co-debtor, guarantor or reference named in columns of the account's row."""

    part: str
    fields: dict[str, Source]


@dataclass(frozen=True)
class Options:
    """Notation of a source, and what it means by leaving something out.

    `gone` says what becomes of an account that a file no longer names, `lower_balance` whether a lower balance is a
    payment, `due_rows` whether an account may have several rows, `id_zeros` whether leading zeros of ids count,
    `shrink_limit` which share of the open accounts may be absent before a person must look, `partial` that the file is
    a part. The choices of each are in `document.CHOICES`.
    """

    decimal: str = "auto"
    date_order: str = "auto"
    gone: str = "missing"
    lower_balance: str = "payment"
    due_rows: str = "one"
    id_zeros: str = "keep"
    shrink_limit: float = 0.5
    partial: bool = False
    encoding: str = ""
    sheet: str = ""


@dataclass(frozen=True)
class Document:
    """A whole mapping: `fields` by target name such as `account.external_id`."""

    name: str
    fields: dict[str, Source]
    phones: tuple[Source, ...] = ()
    emails: tuple[Source, ...] = ()
    address: tuple[Source, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    parties: tuple[Party, ...] = ()
    options: Options = field(default_factory=Options)
    control_rows: int | None = None
    control_amount: Decimal | None = None

    @property
    def one_amount(self) -> bool:
        """Return whether the source gives the balance in one figure, without concepts."""
        return "balance" in self.fields

    def amounts(self) -> dict[str, Source]:
        """Return the amount columns by ledger concept."""
        if self.one_amount:
            return {"PRINCIPAL": self.fields["balance"]}
        return {name.upper(): self.fields[f"amounts.{name}"] for name in AMOUNTS if f"amounts.{name}" in self.fields}

    def sources(self) -> Iterator[Source]:
        """Yield every place a value comes from."""
        yield from self.fields.values()
        yield from self.phones
        yield from self.emails
        yield from self.address
        yield from (attribute.source for attribute in self.attributes)
        for party in self.parties:
            yield from party.fields.values()

    def columns(self) -> tuple[str, ...]:
        """Return every column that the mapping reads, each once."""
        columns: list[str] = []
        for source in self.sources():
            columns += source.columns
        return tuple(dict.fromkeys(columns))
