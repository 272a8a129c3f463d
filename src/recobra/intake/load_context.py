"""The request of one load, as every step of it needs it."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from recobra.access.actors import Actor
from recobra.intake.mapping import Document
from recobra.intake.models import Mapping
from recobra.portfolio.models import Portfolio
from recobra_core.money import exponent_of


@dataclass(frozen=True, kw_only=True)
class LoadContext:
    """Which file goes to which portfolio, how it is read, who asked for it.

    `mapping` is as it was given, a stored one or its document; `document` is the checked form, with the options and
    control totals of this load.
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

    @property
    def decimals(self) -> int:
        """Return how many decimals the portfolio's currency has."""
        return exponent_of(self.portfolio.currency)

    @property
    def has_several_rows(self) -> bool:
        """Return whether an account may have several rows, one for each thing due or each item of it."""
        return self.document.options.due_rows != "one"

    @property
    def has_item_rows(self) -> bool:
        """Return whether the rows of an account are items whose amounts add up."""
        return self.document.options.due_rows == "items"
