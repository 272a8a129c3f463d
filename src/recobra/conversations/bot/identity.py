"""Prove who writes by something only the debtor is asked for: the end of the national id, or the year of birth.

Four digits are soon guessed by a machine: the digest is made for the conversation at hand and not stored, and after
three wrong answers a person takes over.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

TRIES_MAX: Final = 3


def digest_figures(figures: str, *, salt: bytes) -> str:
    """Return the digest of the expected figures. `salt` is drawn for one conversation."""
    return hmac.new(salt, figures.encode(), hashlib.sha256).hexdigest()


def matches_digest(figures: str, *, expected: str, salt: bytes) -> bool:
    """Compare in the same time whatever was typed."""
    return hmac.compare_digest(digest_figures(figures, salt=salt), expected)
