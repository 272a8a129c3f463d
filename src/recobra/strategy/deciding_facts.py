"""Facts about a debtor that void what a plan in progress decides for the debtor.

A plan is computed from a snapshot. Whoever pays, writes or asks for peace while it is computed is left out of it, by
the daily cycle and by campaigns alike.
"""

from __future__ import annotations

from typing import Final

from recobra.consent.facts import ConsentWithdrawn, OptOutReceived, WrongPersonReceived
from recobra.conversations.facts import ConversationReceived
from recobra.journal.facts import Fact
from recobra.payments.facts import PaymentRecorded, PaymentReversed
from recobra.portfolio.facts import (
    ContactPointAdded,
    ContactPointCorrected,
    ContactPointPlaced,
    ContactPointRetired,
    DebtorJoined,
    DebtorPartedAgain,
    HoldLifted,
    HoldPlaced,
    PreferencesSet,
)

DECIDED_ANEW: Final[tuple[type[Fact], ...]] = (
    PaymentRecorded,
    PaymentReversed,
    HoldPlaced,
    HoldLifted,
    ConversationReceived,
    DebtorJoined,
    DebtorPartedAgain,
    ContactPointAdded,
    ContactPointCorrected,
    ContactPointRetired,
    ContactPointPlaced,
    PreferencesSet,
)
"""Facts after which the debtor is decided for at once, on the newer knowledge (`config.reactions`)."""

_BARRING: Final[tuple[type[Fact], ...]] = (OptOutReceived, WrongPersonReceived, ConsentWithdrawn)
DECIDING_FACTS: Final = tuple(kind.kind for kind in (*DECIDED_ANEW, *_BARRING))
"""All facts after which nothing may be written that was planned before them."""
