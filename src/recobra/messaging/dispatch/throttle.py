"""How many messages one dispatcher hands to a provider at once: few at first, more while all goes well."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from recobra.messaging.channels import Outcome, OutcomeKind

MOST_AT_ONCE: Final = 64
"""What a crash leaves uncertain at most, per provider and dispatcher."""
SECONDS_AT_ONCE: Final = 1.0
"""What is marked together should be gone within so long: the last of it was judged as long ago."""
DEADLINE_SECONDS: Final = 75.0
"""For all that was marked together; well inside the lease, whatever the providers' own time-outs are."""
GIVE_UP_AFTER: Final = 3  # messages in a row that did not even reach the provider
REST_SECONDS: Final = 30.0


@dataclass(slots=True)
class Pace:
    """What one dispatcher has seen of one provider. `resting_until` is by the monotonic clock."""

    at_once: int = 1
    in_vain: int = 0
    resting_until: float = 0.0

    def rests(self) -> bool:
        """Return whether this dispatcher leaves the provider alone for a while."""
        return time.monotonic() < self.resting_until

    def note(self, ended: Iterable[tuple[Outcome, float]]) -> bool:
        """Learn from messages that left together; return whether the provider answered any of them."""
        outcomes = list(ended)
        troubled = [
            outcome for outcome, _seconds in outcomes if outcome.unreachable or outcome.kind is OutcomeKind.UNCERTAIN
        ]
        slowest = max((seconds for _outcome, seconds in outcomes), default=0.0)
        answered = len(troubled) < len(outcomes)
        for outcome, _seconds in outcomes:
            self.in_vain = self.in_vain + 1 if outcome.unreachable else 0
        if not answered:
            self.at_once = 1
        elif troubled or slowest > SECONDS_AT_ONCE:
            self.at_once = max(1, self.at_once // 2)
        elif slowest < SECONDS_AT_ONCE / 2:
            self.at_once = min(MOST_AT_ONCE, self.at_once * 2)
        if self.in_vain >= GIVE_UP_AFTER:
            self.rest()
        return answered

    def rest(self) -> None:
        """Leave the provider alone for a while."""
        self.at_once, self.in_vain = 1, 0
        self.resting_until = time.monotonic() + REST_SECONDS
