"""Asking the providers about messages of which nobody has told us anything."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Final

from cryptography.fernet import InvalidToken
from django.db.models import Q

from recobra.contact import providing
from recobra.contact.channels import ADAPTERS
from recobra.contact.channels.adapter import ReceiptEvent, Unsuitable
from recobra.contact.models import Contact

from .noting import note

ASKED_AFTER: Final = tuple(timedelta(minutes=m) for m in (15, 120, 1440))
MOST: Final = 500
_log = logging.getLogger(__name__)


def ask_about_silent(*, now: datetime, every: timedelta) -> int:
    """Ask about contacts sent a while ago of which no receipt came; return how many turned out not to have arrived.

    Each is asked about as its age passes one of ASKED_AFTER, where this is called `every` so often.
    """
    ages = Q()
    for age in ASKED_AFTER:
        ages |= Q(sent_at__gt=now - age - every, sent_at__lte=now - age)
    silent = Contact.objects.filter(ages, status=Contact.Status.SENT, receipts__isnull=True, provider__isnull=False)
    found = 0
    with asyncio.Runner() as runner:
        for contact in silent.exclude(provider_reference="").select_related("provider").order_by("sent_at")[:MOST]:
            assert contact.provider is not None
            if runner.run(_arrived(contact)) is False:
                lost = ReceiptEvent(
                    kind="FAILED", at=now, event_key=f"asked:{contact.public_id}", public_id=contact.public_id,
                    provider_reference=contact.provider_reference,
                )  # fmt: skip
                found += note(events=[lost], provider_id=contact.provider_id, now=now)
    return found


async def _arrived(contact: Contact) -> bool | None:
    assert contact.provider is not None
    if contact.provider.kind not in ADAPTERS:
        return None
    adapter = ADAPTERS[contact.provider.kind]
    try:
        config = providing.config_of(contact.provider)
        return await adapter.was_received(contact.public_id, contact.provider_reference, config)
    except (Unsuitable, InvalidToken) as error:
        _log.warning("Provider %s cannot be asked: %s", contact.provider.code, str(error) or "unreadable secrets")
        return None
