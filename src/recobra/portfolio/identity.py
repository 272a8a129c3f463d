"""What a debtor proves to be the debtor by, and how often: the same on the page, to the bot and in a call."""

from __future__ import annotations

from typing import Final

IDENTITY_FIGURES: Final = 4
"""Last figures of the identity document that are asked for."""
MAX_TRIES: Final = 3
"""Answers until a person takes over, or the call or the page closes."""
