"""The request of one load, as every step of it needs it."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from recobra.access.actors import Actor
from recobra.intake.mapping import Document
from recobra.intake.models import Mapping
from recobra.portfolio.models import Portfolio
from recobra_core.money import exponent_of


@dataclass(frozen=True, kw_only=True)
class LoadContext:
    """Which file goes to which portfolio, how it is read, who asked for it.

    `mapping` is as it was given, a stored one or its document; `document` is the checked form, with the options and
    control totals of this load. `alike`: what a person decided about numbers that are like known ones, to `join` them
    or to keep them `apart`; `ask` where nobody did.
    """

    path: Path
    file_name: str
    portfolio: Portfolio
    mapping: MappingOf[str, Any] | Mapping
    document: Document
    as_of: date
    actor: Actor
    is_confirmed: bool = False
    is_dry_run: bool = False
    alike: Literal["ask", "join", "apart"] = "ask"

    @property
    def decimals(self) -> int:
        """Return how many decimals the portfolio's currency has."""
        return exponent_of(self.portfolio.currency)

    @property
    def is_joining(self) -> bool:
        """Return whether a number is taken for the one that it is like."""
        return self.alike == "join" or self.document.options.id_zeros == "strip"

    @property
    def has_several_rows(self) -> bool:
        """Return whether an account may have several rows, one for each thing due or each item of it."""
        return self.document.options.due_rows != "one"

    @property
    def has_item_rows(self) -> bool:
        """Return whether the rows of an account are items whose amounts add up."""
        return self.document.options.due_rows == "items"

    @property
    def row_order(self) -> str:
        """Return SQL for an order of parsed rows that does not depend on where they stand in the file."""
        return "account || chr(31) || lpad(number, 200, '0')" if self.has_several_rows else "account"
