"""Facts about a debtor that void what a plan in progress decides for the debtor.

A plan is computed from a snapshot. Whoever pays, writes or asks for peace while it is computed is left out of it, by
the daily cycle and by campaigns alike.
"""

from __future__ import annotations

from typing import Final

DECIDED_ANEW: Final = (
    "payment.recorded",
    "payment.reversed",
    "hold.placed",
    "hold.lifted",
    "conversation.received",
)
"""Facts after which the debtor is decided for at once, on the newer knowledge (`config.reactions`)."""

DECIDING_FACTS: Final = (*DECIDED_ANEW, "optout.received", "wrong_person.received", "consent.withdrawn")
"""All facts after which nothing may be written that was planned before them."""
