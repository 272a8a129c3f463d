"""Law of words: what may and must be said to a debtor, as dated data per country, and a linter of texts."""

from recobra_core.law.content.linter import has_blocking, lint_text
from recobra_core.law.content.model import SENTENCES, Finding, MessageFacts

__all__ = ["SENTENCES", "Finding", "MessageFacts", "has_blocking", "lint_text"]
