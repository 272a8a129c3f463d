"""Send what is due: lease, judge for the last time, write down what is about to go, hand it over, say how it ended.

Each commit stands between what must not be done twice and its doing: the mark `handed_over_at` is committed before
the first byte leaves, together with the end of the message before it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, transaction
from duckdb import DuckDBPyConnection

from recobra.contact.channels import CHANNELS, Kind, Outcome, Sender
from recobra.kit import clock, engine

from . import handing_over, leasing
from .examining import Ready, examine
from .settling import resolve_uncertain

BATCH = 200
BATCH_SECONDS = 30.0  # a batch is judged as of one instant; what is left of it after so long is judged again
GIVE_UP_AFTER = 3  # tries in a row that did not even reach the provider
IDLE_SECONDS = 2.0
ASK_SECONDS = 60.0  # what was too recent to be called lost is asked about again
FIGURES = ("leased", "sent", "failed", "blocked", "cancelled", "uncertain")
_COUNTED = {Kind.SENT: "sent", Kind.FAILED: "failed", Kind.UNCERTAIN: "uncertain"}


def dispatch_once(
    *,
    now: datetime,
    limit: int | None = None,
    worker: str = "dispatch",
    stopping: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Send everything due at `now`, up to `limit` contacts, and return the FIGURES.

    Several may run at once. Contacts put off (window shut, provider busy) stay in the outbox and count nowhere but
    under `leased`. When the provider cannot be reached the rest is left for the next call. Everything is judged as of
    `now`: where there may be much, `dispatch_due` or `dispatch_forever` look at the clock between batches.
    """
    return _dispatch(now=now, limit=limit, worker=worker, stopping=stopping)[0]


def dispatch_due(*, instant: Callable[[], datetime], batch: int = BATCH, worker: str = "dispatch") -> dict[str, int]:
    """Send everything due and return the FIGURES; each batch is judged as of the `instant` at which it is taken."""
    total: Counter[str] = Counter()
    more = True
    while more:
        figures, more = _dispatch(now=instant(), limit=batch, worker=worker, stopping=lambda: False)
        total.update(figures)
    return {name: total[name] for name in FIGURES}


def _dispatch(
    *, now: datetime, limit: int | None, worker: str, stopping: Callable[[], bool]
) -> tuple[dict[str, int], bool]:
    """Return the figures, and whether it is worth going on at once: there was work and the provider was there."""
    with leasing.holding() as lease:
        figures = Counter(uncertain=leasing.recover(lease=lease, now=now, actor=worker))
        with contextlib.ExitStack() as stack:
            run = _Run(lease=lease, now=now, actor=worker, figures=figures, stopping=stopping, stack=stack)
            while not run.over():
                room = BATCH if limit is None else min(BATCH, limit - figures["leased"])
                batch = leasing.take(lease=lease, now=now, limit=room) if room > 0 else []
                if not batch:
                    break
                run.work(batch)
    return {name: figures[name] for name in FIGURES}, bool(figures["leased"]) and not run.gave_up()


def dispatch_forever(*, stop: threading.Event, worker: str = "dispatch") -> None:
    """Dispatch until told to stop; the message in hand is finished and the rest given back."""
    ask_at = time.monotonic()
    while not stop.is_set():
        # By batches, so that each is judged as of its own moment.
        figures, more = _dispatch(now=clock.now(), limit=BATCH, worker=worker, stopping=stop.is_set)
        # Only the built-in mailbox can be asked; looking through the outbox of a company for nothing would cost it.
        if figures["uncertain"] or (settings.DEMO and time.monotonic() >= ask_at):
            resolve_uncertain(now=clock.now(), actor=worker)
            ask_at = time.monotonic() + ASK_SECONDS
        if not more:
            stop.wait(IDLE_SECONDS)


class _Run:
    """One call of `dispatch_once`: its lease, its engine and its open channels."""

    def __init__(
        self,
        *,
        lease: UUID,
        now: datetime,
        actor: str,
        figures: Counter[str],
        stopping: Callable[[], bool],
        stack: contextlib.ExitStack,
    ) -> None:
        self.lease, self.now, self.actor, self.figures, self.stopping = lease, now, actor, figures, stopping
        self._stack = stack
        self._duck: DuckDBPyConnection | None = None
        self._senders: dict[str, Sender] = {}
        self._unreachable = 0

    def over(self) -> bool:
        """Return whether nothing more should be started."""
        return self.stopping() or self.gave_up()

    def gave_up(self) -> bool:
        """Return whether the provider seems to be out of reach."""
        return self._unreachable >= GIVE_UP_AFTER

    def work(self, batch: list[int]) -> None:
        """Bring a leased batch to its ends."""
        self.figures["leased"] += len(batch)
        try:
            self._end(batch)
        except BaseException:
            with contextlib.suppress(DatabaseError):  # then the next dispatcher finds them by our dead lease
                leasing.give_back(batch, lease=self.lease)
            raise

    def _end(self, batch: list[int]) -> None:
        if self._duck is None:
            self._duck = self._stack.enter_context(engine.duckdb())
        examined = examine(batch, now=self.now, duck=self._duck)
        self.figures.update(handing_over.end_unsent(examined.unsent, lease=self.lease, now=self.now, actor=self.actor))
        self._send(examined.ready)

    def _send(self, ready: list[Ready]) -> None:
        started = time.monotonic()
        ended: tuple[Ready, Outcome] | None = None
        while ready and not self.over() and time.monotonic() - started < BATCH_SECONDS:
            item = ready.pop(0)
            sender = self._sender(item.contact.channel)
            marked = self._commit(ended, item)
            ended = (item, sender.send(item.message)) if marked else None
            if ended:
                self._unreachable = self._unreachable + 1 if ended[1].unreachable else 0
        self._commit(ended, None)
        leasing.give_back([item.contact.contact_id for item in ready], lease=self.lease)

    def _commit(self, ended: tuple[Ready, Outcome] | None, following: Ready | None) -> bool:
        """Write in one transaction how a message ended and that the following one is being handed over."""
        with transaction.atomic():
            if ended:
                kind = handing_over.end(*ended, lease=self.lease, now=self.now, actor=self.actor)
                self.figures[_COUNTED.get(kind, "")] += 1
            if following is None:
                return False
            return handing_over.mark(following, lease=self.lease, lease_seconds=leasing.LEASE_SECONDS, now=self.now)

    def _sender(self, channel: str) -> Sender:
        if channel not in self._senders:
            self._senders[channel] = self._stack.enter_context(CHANNELS[channel].opened())
        return self._senders[channel]
