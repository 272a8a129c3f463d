"""Delivery of the journal's last seal out of the house, once a day, by e-mail and by a call.

Who rewrites the journal and all its seals cannot rewrite what has left: `recobra journal verify --expect` compares.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal import kept_seals
from recobra.journal.models import Seal
from recobra.journal.seal import last_seal
from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Unsuitable
from recobra.messaging.channels.email.plain_mail import MailFailed, send_plain_mail

from .models import SealDelivery
from .seal_ways import configured_ways

_ERROR_CHARACTERS: Final = 200
_OK_STATUSES: Final = range(200, 300)


class DeliveryFailed(Exception):
    """A seal could not be handed over; the text says why, in a few words."""


@requires(Right.SERVE)
def deliver_seal(*, actor: Actor, again: bool = False) -> list[SealDelivery]:
    """Hand the newest seal over by each configured way that has not had one today; return the deliveries of today.

    One that fails is kept with its reason and tried again at the next call. `again` hands over to all ways.
    """
    seal = last_seal()
    if seal is None:
        return []
    deliveries = []
    for way in configured_ways():
        delivery, _is_new = SealDelivery.objects.get_or_create(
            way=way, day=actor.now.date(), defaults={"seal_number": seal.number, "begun_at": actor.now}
        )
        if delivery.sent_at is None or again:
            _try_delivery(delivery, seal, actor)
        deliveries.append(delivery)
    return deliveries


def _try_delivery(delivery: SealDelivery, seal: Seal, actor: Actor) -> None:
    """Hand a seal over by one way, and write down how it ended."""
    delivery.seal_number = seal.number
    delivery.attempts += 1
    try:
        _SENDERS[delivery.way](seal, actor)
    except (
        DeliveryFailed,
        MailFailed,
        Unsuitable,
        http.RequestUnsent,
        http.ReplyLost,
        http.ReplyTooLarge,
        OSError,
    ) as error:
        delivery.error = " ".join(str(error).split())[:_ERROR_CHARACTERS] or type(error).__name__
    else:
        delivery.error = ""
        delivery.sent_at = actor.now
    delivery.save()


def _send_mail(seal: Seal, actor: Actor) -> None:
    """Send a seal by e-mail to the addresses of the settings. Raises MailFailed."""
    facts = kept_seals.describe(seal)
    lines = [_("Keep this message: with its hash you can prove that the journal was not cut or rewritten."), ""]
    lines += [f"{name}: {value}" for name, value in facts.items()]
    lines += ["", f"recobra journal verify --expect {facts['hash']}"]
    subject = _("Seal %(number)s of the journal of Recobra") % {"number": seal.number}
    for recipient in settings.SEAL_MAIL:
        send_plain_mail(recipient=recipient, subject=subject, text="\n".join(lines), now=actor.now)


def _call_webhook(seal: Seal, _actor: Actor) -> None:
    """Post a seal as JSON to the address of the settings. Raises also what `http.call` raises."""
    status = asyncio.run(_post(http.validate_base_url(settings.SEAL_WEBHOOK), kept_seals.describe(seal)))
    if status not in _OK_STATUSES:
        raise DeliveryFailed(_("The address answered with %(status)s.") % {"status": status})


async def _post(url: str, document: Mapping[str, object]) -> int:
    """Post a document; return the status of the answer."""
    async with http.open_session() as session:
        headers = {"content-type": "application/json"}
        reply = await http.call(session, "POST", url, headers=headers, data=json.dumps(document).encode())
    return reply.status


_SENDERS: Final[dict[str, Callable[[Seal, Actor], None]]] = {"mail": _send_mail, "webhook": _call_webhook}
