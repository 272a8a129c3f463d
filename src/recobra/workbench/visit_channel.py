"""Adapter for visits: sending one puts it on the route of its day.

Visits go out only where a provider is configured, the company's rules open them and the law does not bar them.
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
    """Sender that puts visits on the route."""

    def __init__(self, tray: DatabaseThread) -> None:
        self._tray = tray

    async def send(self, message: Message) -> Outcome:
        """Put one visit on the route of its day; the same contact again changes nothing."""
        return await self._tray.run(_add_to_route, message)


class VisitAdapter(OneWay):
    """Visits by the company's own people."""

    kind = "visits"
    channel = "visit"
    label = _("Visits")
    settings: tuple[Setting, ...] = ()

    @asynccontextmanager
    async def open_sender(self, config: Config) -> AsyncIterator[VisitSender]:
        """Open a thread for database work for a run of visits."""
        del config
        async with DatabaseThread.open("visits") as tray:
            yield VisitSender(tray)

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """Return whether the visit is on a route."""
        del reference, config
        async with DatabaseThread.open("visits") as tray:
            return await tray.run(Visit.objects.filter(contact__public_id=public_id).exists)

    async def check_settings(self, config: Config) -> Check:
        """Return a check that always passes, and what else visits need."""
        return Check(ok=True, answer=f"{config.code}: visits go out where law and company rules open them")


ADAPTER = VisitAdapter()


def _add_to_route(message: Message) -> Outcome:
    """Put the contact of a message on the route of its day; one without an address fails for good."""
    contact = Contact.objects.select_related("debtor").get(public_id=message.public_id)
    if not message.address.strip():
        return Outcome(kind=OutcomeKind.FAILED, reason=reasons.REFUSED, answer="no address", unusable=True)
    area = route_area(message.address, contact.debtor.subdivision)
    route_date = contact.local_date or message.date.date()
    # A contact that is handed over again after a crash keeps its place on the route.
    Visit.objects.get_or_create(contact=contact, defaults={"area": area, "route_date": route_date})
    return Outcome(kind=OutcomeKind.SENT, answer=f"on the route of {route_date.isoformat()}")
