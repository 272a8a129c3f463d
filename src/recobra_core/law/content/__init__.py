"""What may and must be said to a debtor: dated data per country, and the linter that reads a text by them."""

from recobra_core.law.content.linter import has_blocking, lint_text
from recobra_core.law.content.model import SENTENCES, Finding, MessageFacts

__all__ = ["SENTENCES", "Finding", "MessageFacts", "has_blocking", "lint_text"]
