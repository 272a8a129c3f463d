"""Asking providers what became of messages: several at once, and never for longer than whoever asks can wait."""

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

AT_ONCE: Final = 20  # few enough for any provider's limit, and for the connections where a tray of our own is asked
CALL_SECONDS: Final = 4.0  # a provider that is well answers in less; who is not is asked again later
_CHUNK: Final = 200
_log = logging.getLogger(__name__)


class Asker:
    """Asks about contacts round after round, those first who were not asked for longest."""

    def __init__(self) -> None:
        self.left: list[int] = []
        self._numbers = count(1)
        self._last_asked: dict[int, int] = {}

    def ask(self, contact_ids: Iterable[int], *, within_seconds: float) -> Iterator[tuple[Contact, bool | None]]:
        """Ask about contacts and yield each with its answer, outside of any event loop; else in the order given.

        None: nobody can tell now. Whom time did not allow to ask is in `left` afterwards.
        """
        ids = sorted(contact_ids, key=lambda pk: self._last_asked.get(pk, 0))
        taken = _Round(within_seconds)
        with asyncio.Runner() as runner:
            for start in range(0, len(ids), _CHUNK):
                if taken.is_over():
                    break
                chunk = ids[start : start + _CHUNK]
                found = Contact.objects.select_related("provider").in_bulk(chunk)
                runner.run(taken.ask([found[pk] for pk in chunk]))
                yield from taken.answers()
        asked = {pk: next(self._numbers) for pk in taken.asked}
        self._last_asked = {pk: at for pk in ids if (at := asked.get(pk) or self._last_asked.get(pk))}
        self.left = [pk for pk in ids if pk not in asked]


class _Round:
    def __init__(self, within_seconds: float) -> None:
        self.asked: list[int] = []
        self._seconds = min(CALL_SECONDS, within_seconds / 2)
        # No call begins that could not take its time.
        self._begin_until = time.monotonic() + within_seconds - self._seconds
        self._mute: set[int | None] = set()
        self._room = asyncio.Semaphore(AT_ONCE)
        self._answers: list[tuple[Contact, bool | None]] = []

    def is_over(self) -> bool:
        return time.monotonic() >= self._begin_until

    def answers(self) -> list[tuple[Contact, bool | None]]:
        answers, self._answers = self._answers, []
        return answers

    async def ask(self, contacts: list[Contact]) -> None:
        await asyncio.gather(*(self._ask(contact) for contact in contacts))

    async def _ask(self, contact: Contact) -> None:
        async with self._room:
            if self.is_over() or contact.provider_id in self._mute:
                return
            self.asked.append(contact.pk)
            self._answers.append((contact, await self._answer(contact)))

    async def _answer(self, contact: Contact) -> bool | None:
        try:
            way = _way(contact)
            if way is None:
                return None
            adapter, config = way
            async with asyncio.timeout(self._seconds):
                return await adapter.was_received(contact.public_id, contact.provider_reference, config)
        except (TimeoutError, Unsuitable) as error:
            self._leave_alone(contact, str(error) or type(error).__name__)
            return None

    def _leave_alone(self, contact: Contact, why: str) -> None:
        """One that hangs or cannot be asked costs the others of the round no more time."""
        if contact.provider_id not in self._mute:
            code = contact.provider.code if contact.provider else contact.channel
            _log.warning("Provider %s is asked about no more messages in this round: %s", code, why)
            self._mute.add(contact.provider_id)


def _way(contact: Contact) -> tuple[Adapter, Config] | None:
    if contact.provider is not None:
        known = contact.provider.kind in ADAPTERS
        return (ADAPTERS[contact.provider.kind], routing.build_config(contact.provider)) if known else None
    ways = routing.implicit_routes(contact.channel)
    return (ways[0].adapter, ways[0].config) if ways else None
