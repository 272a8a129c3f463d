"""Comparison of what a debtor types to the bot as proof of identity: the end of the national id, or the year of birth.

A machine soon guesses four digits: the digest is salted for the conversation at hand and not stored, and after three
wrong answers a person takes over.
"""

from __future__ import annotations

import hashlib
import hmac


def digest_figures(figures: str, *, salt: bytes) -> str:
    """Return the digest of the expected figures. `salt` is drawn for one conversation."""
    return hmac.new(salt, figures.encode(), hashlib.sha256).hexdigest()


def matches_digest(figures: str, *, expected: str, salt: bytes) -> bool:
    """Return whether the figures have the expected digest, in a time that tells nothing about them."""
    return hmac.compare_digest(digest_figures(figures, salt=salt), expected)
