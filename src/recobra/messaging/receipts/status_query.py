"""Questions to providers about what became of messages: several at once, within a limit of time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Final

from recobra.messaging.channels import ADAPTERS, Adapter
from recobra.messaging.channels.adapter import Config, Unsuitable
from recobra.messaging.models import Contact
from recobra.messaging.providers import routing

AT_ONCE: Final = 20  # few enough for any provider's limit, and for the connections where our own database is asked
CALL_SECONDS: Final = 4.0  # a provider that is well answers in less; one that is not is asked again later
_CHUNK: Final = 200
_log = logging.getLogger(__name__)


class StatusPoller:
    """Asks about contacts round after round; those come first that were not asked about for longest."""

    def __init__(self) -> None:
        self.left: list[int] = []
        self._numbers = count(1)
        self._last_asked: dict[int, int] = {}

    def ask(self, contact_ids: Iterable[int], *, within_seconds: float) -> Iterator[tuple[Contact, bool | None]]:
        """Ask about contacts, outside of any event loop, and yield each with its answer: None where nobody can tell.

        Contacts asked about alike keep the order given. Those for which time was too short are in `left` afterwards.
        """
        ids = sorted(contact_ids, key=lambda pk: self._last_asked.get(pk, 0))
        polling = _PollRound(within_seconds)
        with asyncio.Runner() as runner:
            for start in range(0, len(ids), _CHUNK):
                if polling.is_over():
                    break
                chunk = ids[start : start + _CHUNK]
                contacts = Contact.objects.select_related("provider").in_bulk(chunk)
                runner.run(polling.ask_all([contacts[pk] for pk in chunk]))
                # Yielded while the event loop stands still, because the caller writes to the database.
                yield from polling.take_answers()
        for pk in polling.asked:
            self._last_asked[pk] = next(self._numbers)
        # Contacts that are not asked about any more are forgotten.
        self._last_asked = {pk: self._last_asked[pk] for pk in ids if pk in self._last_asked}
        asked = set(polling.asked)
        self.left = [pk for pk in ids if pk not in asked]


class _PollRound:
    """One round of questions. A provider that hangs or cannot be asked is skipped for the rest of the round."""

    def __init__(self, within_seconds: float) -> None:
        self.asked: list[int] = []
        self._call_seconds = min(CALL_SECONDS, within_seconds / 2)
        # No call begins that could not take its time.
        self._begin_until = time.monotonic() + within_seconds - self._call_seconds
        self._mute_provider_ids: set[int | None] = set()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._answers: list[tuple[Contact, bool | None]] = []

    def is_over(self) -> bool:
        """Return whether no further question may begin."""
        return time.monotonic() >= self._begin_until

    def take_answers(self) -> list[tuple[Contact, bool | None]]:
        """Return the answers since the last call, and forget them."""
        answers = self._answers
        self._answers = []
        return answers

    async def ask_all(self, contacts: list[Contact]) -> None:
        """Ask about contacts, AT_ONCE of them at a time."""
        await asyncio.gather(*(self._ask(contact) for contact in contacts))

    async def _ask(self, contact: Contact) -> None:
        """Ask about one contact and keep its answer, unless the round is over or its provider mute."""
        async with self._room:
            # Checked only now: the round may have ended while this contact waited for its turn.
            if self.is_over() or contact.provider_id in self._mute_provider_ids:
                return
            self.asked.append(contact.pk)
            self._answers.append((contact, await self._was_received(contact)))

    async def _was_received(self, contact: Contact) -> bool | None:
        """Return whether the provider has a contact's message, None where nobody can tell.

        A provider that hangs or cannot be used is asked no more in this round.
        """
        try:
            route = _route_of(contact)
            if route is None:
                return None
            adapter, config = route
            async with asyncio.timeout(self._call_seconds):
                return await adapter.was_received(contact.public_id, contact.provider_reference, config)
        except (TimeoutError, Unsuitable) as error:
            if contact.provider_id not in self._mute_provider_ids:
                code = contact.provider.code if contact.provider else contact.channel
                problem = str(error) or type(error).__name__
                _log.warning("Provider %s is asked about no more messages in this round: %s", code, problem)
                self._mute_provider_ids.add(contact.provider_id)
            return None


def _route_of(contact: Contact) -> tuple[Adapter, Config] | None:
    """Return adapter and settings to ask about a contact: of the provider it left by, or its channel's implicit one.

    None where that provider's kind is not installed any more, or the channel has no implicit route.
    """
    if contact.provider is not None:
        if contact.provider.kind not in ADAPTERS:
            return None
        return ADAPTERS[contact.provider.kind], routing.build_config(contact.provider)
    routes = routing.implicit_routes(contact.channel)
    if not routes:
        return None
    return routes[0].adapter, routes[0].config
