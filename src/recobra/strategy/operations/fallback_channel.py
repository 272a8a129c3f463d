"""Fallback channels for messages that could not be delivered to a number or address that is out of use since."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Exists, OuterRef

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.messaging.models import Contact
from recobra.strategy.models import Firing
from recobra.strategy.operations.firings import void_firings
from recobra.strategy.operations.redecide import REDECIDE_LIMIT, redecide_debtors

LOOK_BACK = timedelta(days=3)


@requires(Right.SERVE)
def plan_fallback_channels(*, as_of: date, actor: Actor) -> int:
    """Let the steps of undelivered contacts fire again and decide for their debtors; return how many debtors."""
    # Each number and address is lost once, so this comes to an end: by the next channel of the step, within the caps,
    # or by the task that asks a person to find the debtor. What was sent before it bounced still counts for the caps.
    fired = Firing.objects.filter(contact_id=OuterRef("pk"), voided_at__isnull=True)
    undelivered = Contact.objects.undeliverable().filter(Exists(fired), planned_for__gte=as_of - LOOK_BACK)
    debtor_by_contact = dict(undelivered.values_list("pk", "debtor_id"))
    void_firings(contact_ids=list(debtor_by_contact), actor=actor)
    debtor_ids = sorted(set(debtor_by_contact.values()))
    for start in range(0, len(debtor_ids), REDECIDE_LIMIT):
        redecide_debtors(debtor_ids=debtor_ids[start : start + REDECIDE_LIMIT], actor=actor)
    return len(debtor_ids)
