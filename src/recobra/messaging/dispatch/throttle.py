"""The pace of a provider: few messages at once at first, more while all goes well."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from recobra.messaging.channels import Outcome, OutcomeKind

MOST_AT_ONCE: Final = 64
"""The most messages that a crash can leave uncertain, per provider and dispatcher."""
SECONDS_AT_ONCE: Final = 1.0
"""Messages marked together should leave within so long, because they were all judged at the same time."""
DEADLINE_SECONDS: Final = 75.0
"""The limit for all messages marked together: well inside the lease, whatever the providers' own time-outs."""
GIVE_UP_AFTER: Final = 3  # messages in a row that did not even reach the provider
REST_SECONDS: Final = 30.0


@dataclass(slots=True)
class Pace:
    """How one provider has answered one dispatcher. `resting_until` is by the monotonic clock.

    `unreached_count` is how many messages in a row did not reach it lately.
    """

    at_once: int = 1
    unreached_count: int = 0
    resting_until: float = 0.0

    def is_resting(self) -> bool:
        """Return whether this dispatcher leaves the provider alone for a while."""
        return time.monotonic() < self.resting_until

    def learn(self, results: Sequence[tuple[Outcome, float]]) -> bool:
        """Learn from the outcomes and seconds of messages that left together; return whether any was answered."""
        answered_count = 0
        slowest_seconds = 0.0
        for outcome, seconds in results:
            slowest_seconds = max(slowest_seconds, seconds)
            if outcome.unreachable:
                self.unreached_count += 1
            else:
                self.unreached_count = 0
            if not outcome.unreachable and outcome.kind is not OutcomeKind.UNCERTAIN:
                answered_count += 1
        if answered_count == 0:
            self.at_once = 1
        elif answered_count < len(results) or slowest_seconds > SECONDS_AT_ONCE:
            self.at_once = max(1, self.at_once // 2)
        elif slowest_seconds < SECONDS_AT_ONCE / 2:
            self.at_once = min(MOST_AT_ONCE, self.at_once * 2)
        # After the sizes: a rest begins again with one message.
        if self.unreached_count >= GIVE_UP_AFTER:
            self.rest()
        return answered_count > 0

    def rest(self) -> None:
        """Leave the provider alone for a while."""
        self.at_once = 1
        self.unreached_count = 0
        self.resting_until = time.monotonic() + REST_SECONDS
