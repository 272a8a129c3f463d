"""Send what is due: lease, judge for the last time, write down what is about to go, hand it over, say how it ended.

Each commit stands between what must not be done twice and its doing: the mark `handed_over_at` is committed before
the first byte leaves, for as many messages as leave at once, together with the ends of those before them.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from recobra.kit import clock
from recobra.messaging.dispatch import gate_check as judging
from recobra.messaging.dispatch import lease as leasing
from recobra.messaging.dispatch.batch import Batches
from recobra.messaging.receipts.uncertain import resolve_uncertain
from recobra.messaging.templates.selection import is_lawful, templates_in_force
from recobra.portfolio.models import Portfolio

BATCH: Final = 500
IDLE_SECONDS: Final = 2.0
ASK_SECONDS = 60.0  # what was too recent to be called lost is asked about again
FIGURES: Final = ("leased", "sent", "failed", "blocked", "cancelled", "uncertain")


def get_ready(*, now: datetime) -> None:
    """Read and compile what is the same for every batch before the first one waits: the gate, the law's words."""
    judging.warm_up()
    template = templates_in_force().first()
    for country in Portfolio.objects.order_by("country").values_list("country", flat=True).distinct():
        if template is not None:
            is_lawful(template, country, now.date())


def dispatch_once(
    *,
    now: datetime,
    limit: int | None = None,
    worker: str = "dispatch",
    stopping: Callable[[], bool] = lambda: False,
) -> dict[str, int]:
    """Send everything due at `now`, up to `limit` contacts, and return the FIGURES.

    Several may run at once. Contacts put off (window shut, provider busy) stay in the outbox and count nowhere but
    under `leased`. When a provider cannot be reached the rest is left for the next call. The first batch is judged as
    of `now`; the time that sending takes is added to it for those that follow.
    Raises Unsuitable where the mail server of the settings cannot be used; everything then stays as it was.
    """
    with _batches(stopping) as batches:
        return _dispatch(batches, now=_going_on_from(now), limit=limit, worker=worker)


def dispatch_due(*, instant: Callable[[], datetime], batch: int = BATCH, worker: str = "dispatch") -> dict[str, int]:
    """Send everything due by a clock and return the FIGURES."""
    total: Counter[str] = Counter()
    with _batches(lambda: False) as batches:
        while (figures := _dispatch(batches, now=instant, limit=batch, worker=worker))["leased"]:
            total.update(figures)
        total.update(figures)
    return {name: total[name] for name in FIGURES}


def dispatch_forever(*, stop: threading.Event, worker: str = "dispatch") -> None:
    """Dispatch until told to stop; the messages in hand are finished and the rest given back."""
    get_ready(now=clock.now())
    ask_at = time.monotonic()
    with _batches(stop.is_set) as batches:
        while not stop.is_set():
            figures = _dispatch(batches, now=clock.now, limit=BATCH, worker=worker)
            # Only the built-in mailbox can be asked; looking through the outbox of a company for nothing would cost it.
            if figures["uncertain"] or (settings.DEMO and time.monotonic() >= ask_at):
                resolve_uncertain(now=clock.now(), actor=worker)
                ask_at = time.monotonic() + ASK_SECONDS
            if not figures["leased"]:
                batches.idle()
                stop.wait(IDLE_SECONDS)


def _going_on_from(begin: datetime) -> Callable[[], datetime]:
    begun = time.monotonic()
    return lambda: begin + timedelta(seconds=time.monotonic() - begun)


def _dispatch(batches: Batches, *, now: Callable[[], datetime], limit: int | None, worker: str) -> dict[str, int]:
    with leasing.holding() as lease:
        figures = Counter(uncertain=leasing.recover(lease=lease, now=now(), actor=worker))
        batches.begin(lease=lease, now=now, actor=worker, figures=figures)
        while not batches.stopping():
            room = BATCH if limit is None else min(BATCH, limit - figures["leased"])
            if room <= 0 or not batches.work(room):
                break
    return {name: figures[name] for name in FIGURES}


@contextlib.contextmanager
def _batches(stopping: Callable[[], bool]) -> Iterator[Batches]:
    batches = Batches(stopping)
    try:
        yield batches
    finally:
        batches.idle()
