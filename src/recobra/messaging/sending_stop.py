"""Sending as a whole: stopped by a restore, until a person lets messages go again.

A backup does not know what came after it: who asked for silence or was erased, and what was sent. So nothing leaves
before a person has entered that anew, and what was planned then is taken back: it may have left already.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.messaging import reasons
from recobra.messaging.facts import SendingResumed, SendingStopped
from recobra.messaging.models import Contact, Letter, SendingStop
from recobra.messaging.outbox.transitions import cancel_where
from recobra.portfolio.scope import check_every_portfolio

_TAKEN_BACK: Final = "w.planned_at < %s OR w.purpose NOT IN ('REPLY', 'MANUAL')"


class ResumeRefused(Exception):
    """Sending is not begun again; the text says why."""


def find_stop() -> SendingStop | None:
    """Return the stop that is in force, None where messages may leave."""
    return SendingStop.objects.filter(ended_at__isnull=True).first()


def is_stopped() -> bool:
    """Tell if nothing may leave now."""
    return find_stop() is not None


def count_taken_back(stop: SendingStop) -> int:
    """Return how many messages and letters are taken back when a stop ends."""
    waiting = Contact.objects.filter(Q(status=Contact.Status.DUE) | Q(status=Contact.Status.LEASED))
    by_hand = Q(purpose__in=(Contact.Purpose.REPLY, Contact.Purpose.MANUAL), planned_at__gte=stop.began_at)
    messages = waiting.filter(handed_over_at__isnull=True).exclude(by_hand)
    return messages.count() + Letter.objects.filter(status=Letter.Status.WAITING).count()


@consequence
@transaction.atomic
def stop_sending(*, state_of: datetime | None, actor: Actor) -> SendingStop:
    """Let nothing leave from now on; a stop that is in force already goes on."""
    begun = {"began_at": actor.now, "began_by": actor.name, "state_of": state_of}
    stop, is_new = SendingStop.objects.get_or_create(ended_at=None, defaults=begun)
    if is_new:
        record_fact(SendingStopped(state_of=state_of), actor=actor)
    return stop


@requires(Right.MANAGE_CHANNELS)
@transaction.atomic
def resume_sending(*, actor: Actor) -> int:
    """Let messages leave again and return how many were taken back. Raises ResumeRefused.

    Taken back is what waits and may have left before the restore: all that was planned before it, and all that a cycle
    or a campaign planned since, of days that were sent already. What people wrote since stays.
    """
    check_every_portfolio(actor)
    stop = SendingStop.objects.filter(ended_at__isnull=True).select_for_update().first()
    if stop is None:
        raise ResumeRefused(_("Sending is not stopped."))
    cancelled = cancel_where(f"({_TAKEN_BACK})", [stop.began_at], reason=reasons.RESTORED, actor=actor)
    # Their contacts count as sent, and may have been: only the letters are not printed again.
    letters = Letter.objects.filter(status=Letter.Status.WAITING)
    cancelled += letters.update(status=Letter.Status.RETURNED, courier_answer=reasons.RESTORED, changed_at=actor.now)
    stop.ended_at = actor.now
    stop.ended_by = actor.name
    stop.cancelled = cancelled
    stop.save(update_fields=["ended_at", "ended_by", "cancelled"])
    record_fact(SendingResumed(cancelled=cancelled), actor=actor)
    return cancelled
