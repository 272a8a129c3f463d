"""What may and must be said to a debtor: dated data per country, and the linter that reads a text by them."""

from recobra_core.law.content.linter import blocks, lint
from recobra_core.law.content.model import SENTENCES, Facts, Finding

__all__ = ["SENTENCES", "Facts", "Finding", "blocks", "lint"]
