"""Dispatch of due contacts: lease, judge for the last time, mark, hand over, record the end.

Each commit stands between what must not be done twice and its doing: the mark `handed_over_at` is committed before
the first byte leaves, for as many messages as leave at once, together with the ends of those before them.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.kit import clock
from recobra.messaging.dispatch import gate_check
from recobra.messaging.dispatch.dispatcher import Dispatcher
from recobra.messaging.dispatch.lease import hold_lease, recover_abandoned
from recobra.messaging.outbox import wake_up
from recobra.messaging.receipts.uncertain import resolve_uncertain
from recobra.messaging.templates.selection import is_lawful, templates_in_force
from recobra.portfolio.models import Portfolio

BATCH_SIZE: Final = 500
IDLE_SECONDS: Final = 2.0  # messages come due by the hour too, of which nobody calls
ASK_SECONDS = 60.0  # messages that were too recent to be called lost are asked about again
FIGURES: Final = ("leased", "sent", "failed", "blocked", "cancelled", "uncertain")


def warm_up(*, now: datetime) -> None:
    """Load what every batch needs before the first one waits for it: the compiled gate, the law, the calendars."""
    gate_check.warm_up()
    gate_check.rehearse(Portfolio.objects.order_by("pk").values_list("country", "time_zone"), now=now)
    template = templates_in_force().first()
    for country in Portfolio.objects.order_by("country").values_list("country", flat=True).distinct():
        if template is not None:
            is_lawful(template, country, now.date())


@requires(Right.SERVE)
def dispatch_once(
    *, limit: int | None = None, is_stopping: Callable[[], bool] = lambda: False, actor: Actor
) -> dict[str, int]:
    """Send everything due at the actor's moment, up to `limit` contacts, and return the FIGURES.

    Several may run at once. Contacts put off (window shut, provider busy) stay in the outbox and count nowhere but
    under `leased`. When a provider cannot be reached the rest is left for the next call. The first batch is judged as
    of that moment; the time that sending takes is added to it for those that follow.
    Raises Unsuitable where the mail server of the settings cannot be used; everything then stays as it was.
    """
    started = time.monotonic()
    with contextlib.closing(Dispatcher(is_stopping)) as dispatcher:
        return _dispatch(
            dispatcher,
            now=lambda: actor.now + timedelta(seconds=time.monotonic() - started),
            limit=limit,
            actor=actor,
        )


def dispatch_due(*, instant: Callable[[], datetime], batch_size: int = BATCH_SIZE) -> dict[str, int]:
    """Send everything due by a clock and return the FIGURES."""
    total: Counter[str] = Counter()
    dispatch = service_actor(Service.DISPATCH, now=instant())
    with contextlib.closing(Dispatcher(lambda: False)) as dispatcher:
        while True:
            figures = _dispatch(dispatcher, now=instant, limit=batch_size, actor=dispatch)
            total.update(figures)
            if figures["leased"] == 0:
                break
    return {name: total[name] for name in FIGURES}


def dispatch_forever(*, stop: threading.Event, beat: Callable[[], None] = lambda: None) -> None:
    """Dispatch until `stop` is set; messages on their way are finished, and the rest of the batch is given back.

    `beat` is called between the chunks of a batch, and while there is nothing to do. Without a mail server
    e-mail waits, and the other channels go on.
    """

    def is_stopping() -> bool:
        beat()
        return stop.is_set()

    warm_up(now=clock.now())
    wake_up.listen_for_calls()
    ask_at = time.monotonic()
    with contextlib.closing(Dispatcher(is_stopping, goes_on=True)) as dispatcher:
        while not is_stopping():
            dispatch = service_actor(Service.DISPATCH, now=clock.now())
            figures = _dispatch(dispatcher, now=clock.now, limit=BATCH_SIZE, actor=dispatch)
            # Of all providers only the built-in mailbox can tell; elsewhere a search of the outbox would be wasted.
            if figures["uncertain"] or (settings.DEMO and time.monotonic() >= ask_at):
                resolve_uncertain(actor=dispatch.at(clock.now()))
                ask_at = time.monotonic() + ASK_SECONDS
            if not figures["leased"]:
                # An idle connection would be broken by the time it is needed again.
                dispatcher.close()
                wake_up.wait_for_call(seconds=IDLE_SECONDS, is_stopping=is_stopping)


def _dispatch(
    dispatcher: Dispatcher, *, now: Callable[[], datetime], limit: int | None, actor: Actor
) -> dict[str, int]:
    """Work batches under one lease until nothing is due or `limit` is reached; return the FIGURES."""
    with hold_lease() as lease:
        figures = Counter(uncertain=recover_abandoned(lease=lease, actor=actor.at(now())))
        dispatcher.begin(lease=lease, now=now, actor=actor, figures=figures)
        while not dispatcher.is_stopping():
            room = BATCH_SIZE if limit is None else min(BATCH_SIZE, limit - figures["leased"])
            if room <= 0 or not dispatcher.work_batch(room):
                break
    return {name: figures[name] for name in FIGURES}
