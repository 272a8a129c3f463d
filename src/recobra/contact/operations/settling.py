"""What becomes of contacts whose end is not known: a person or the provider says. They are never sent again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal

from cryptography.fernet import InvalidToken
from django.db import transaction
from django.utils.translation import gettext as _

from recobra.contact import providing, reasons
from recobra.contact.channels import ADAPTERS, Adapter
from recobra.contact.channels.adapter import Config, Unsuitable
from recobra.contact.models import Contact

from .ending import RETURNING, change, record_ends

QUIET = timedelta(minutes=1)  # what was handed over a moment ago may still be arriving

_SETTLE = f"""
    UPDATE contact_contact c
    SET status = %s, reason = %s, sent_at = CASE WHEN %s THEN c.handed_over_at END, lease = NULL, leased_until = NULL
    WHERE c.id = %s AND c.status = 'UNCERTAIN'
    RETURNING {RETURNING}"""


class NotUncertain(Exception):
    """The contact's end is known already; the text is shown as it is."""


@transaction.atomic
def settle(
    *, contact_id: int, outcome: Literal["SENT", "FAILED"], actor: str, actor_id: int | None = None, now: datetime
) -> None:
    """Say how an uncertain contact ended: it arrived (SENT) or it did not (FAILED). Raises NotUncertain."""
    sent = outcome == "SENT"
    reason = "" if sent else reasons.NOT_DELIVERED
    ended = change(_SETTLE, [outcome, reason, sent, contact_id])
    if ended.num_rows == 0:
        raise NotUncertain(_("The end of this contact is known already."))
    record_ends("contact.sent" if sent else "contact.failed", ended, at=now, actor=actor, actor_id=actor_id)


def resolve_uncertain(*, now: datetime, actor: str) -> dict[str, int]:
    """Ask the providers about all uncertain contacts; return how many were `sent`, `failed`, still `uncertain`."""
    figures = {"sent": 0, "failed": 0, "uncertain": 0}
    uncertain = Contact.objects.filter(status=Contact.Status.UNCERTAIN).select_related("provider").order_by("pk")
    with asyncio.Runner() as runner:
        for contact in uncertain.iterator():
            received = runner.run(_was_received(contact))
            recent = contact.handed_over_at is not None and contact.handed_over_at > now - QUIET
            if received is None or (not received and recent):
                figures["uncertain"] += 1
            else:
                outcome: Literal["SENT", "FAILED"] = "SENT" if received else "FAILED"
                with suppress(NotUncertain):  # a person was quicker
                    settle(contact_id=contact.pk, outcome=outcome, actor=actor, now=now)
                    figures[outcome.lower()] += 1
    return figures


def _way(contact: Contact) -> tuple[Adapter, Config] | None:
    if contact.provider is not None:
        known = contact.provider.kind in ADAPTERS
        return (ADAPTERS[contact.provider.kind], providing.config_of(contact.provider)) if known else None
    ways = providing.implicit(contact.channel)
    return (ways[0].adapter, ways[0].config) if ways else None


async def _was_received(contact: Contact) -> bool | None:
    """Ask; None where nobody can tell, also for want of readable secrets: a dispatcher outlives that."""
    try:
        way = _way(contact)
        if way is None:
            return None
        adapter, config = way
        return await adapter.was_received(contact.public_id, contact.provider_reference, config)
    except (Unsuitable, InvalidToken):
        return None
