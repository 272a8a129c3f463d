"""A visit is handed over when it stands on the route of its day; a person goes, and notes what came of it.

Nothing opens this way by itself: somebody configures it, the company's rules open visits, and the gate refuses them
where the law bars them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from recobra.kit.sync_db import DatabaseThread
from recobra.messaging import reasons
from recobra.messaging.channels.adapter import Check, Config, Setting
from recobra.messaging.channels.base import Message, Outcome, OutcomeKind
from recobra.messaging.channels.letter.content import route_area
from recobra.messaging.channels.one_way import OneWay
from recobra.messaging.models import Contact
from recobra.workbench.models import Visit


class VisitSender:
    """Puts visits on the route."""

    def __init__(self, tray: DatabaseThread) -> None:
        self._tray = tray

    async def send(self, message: Message) -> Outcome:
        """Put one visit on the route of its day; the same contact again finds it there."""
        return await self._tray.run(_put, message)


class VisitAdapter(OneWay):
    """Visits by the company's own people."""

    kind = "visits"
    channel = "visit"
    label = _("Visits")
    settings: tuple[Setting, ...] = ()

    @asynccontextmanager
    async def open_sender(self, config: Config) -> AsyncIterator[VisitSender]:
        """Open the route list for a run of visits."""
        del config
        async with DatabaseThread.open("visits") as tray:
            yield VisitSender(tray)

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """Look into the routes."""
        del reference, config
        async with DatabaseThread.open("visits") as tray:
            return await tray.run(Visit.objects.filter(contact__public_id=public_id).exists)

    async def check_settings(self, config: Config) -> Check:
        """Say what else it takes."""
        return Check(ok=True, answer=f"{config.code}: visits go out where law and company rules open them")


ADAPTER = VisitAdapter()


def _put(message: Message) -> Outcome:
    contact = Contact.objects.select_related("debtor").get(public_id=message.public_id)
    if not message.address.strip():
        return Outcome(kind=OutcomeKind.FAILED, reason=reasons.REFUSED, answer="no address", unusable=True)
    area = route_area(message.address, contact.debtor.subdivision)
    route_date = contact.local_date or message.date.date()
    Visit.objects.get_or_create(contact=contact, defaults={"area": area, "route_date": route_date})
    return Outcome(kind=OutcomeKind.SENT, answer=f"on the route of {route_date.isoformat()}")
