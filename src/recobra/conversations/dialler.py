"""The telephone as a dialler needs it: place a call, put who answers through to a gestor, hang up.

The number shown is always the company's own: without one nothing is called. Who picks up and finds nobody within the
patience hears an apology that names the company and no debt.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from aiohttp import ClientSession
from django.utils.translation import gettext as _

from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Config, Unsuitable
from recobra.messaging.channels.base import Outcome
from recobra.messaging.channels.twilio import account

RING_SECONDS: Final = 25
PATIENCE_SECONDS: Final = 2
_VOICE: Final = "es-MX"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call to place. `apology` is said to who answers while no gestor is free; it never speaks of a debt."""

    public_id: UUID
    number: str
    apology: str


class Telephony(Protocol):
    """An open line to the telephone network. Nothing here raises for what the network does."""

    async def place(self, call: Call) -> Outcome:
        """Ring a number; the outcome's reference is the network's own id of the call."""

    async def seat(self, *, number: str, room: str) -> Outcome:
        """Ring a gestor and keep the line open in a room of his or her own, into which calls are put."""

    async def is_answered(self, *, reference: str) -> bool:
        """Tell if somebody has picked up and is on the line now."""

    async def bridge(self, *, reference: str, room: str) -> Outcome:
        """Put an answered call into a gestor's room."""

    async def hang_up(self, *, reference: str) -> Outcome:
        """End a call, ringing or answered."""


class TwilioTelephony:
    """The telephone by Twilio Voice: calls by Calls.json, rooms as conferences."""

    def __init__(self, config: Config, session: ClientSession) -> None:
        self._config, self._session = config, session

    async def place(self, call: Call) -> Outcome:
        """Ring a number. Until somebody is put through, who answers hears a pause and then the apology."""
        said = f"<Say language={quoteattr(_VOICE)}>{escape(call.apology)}</Say>"
        twiml = _response(f'<Pause length="{PATIENCE_SECONDS}"/>{said}<Hangup/>')
        fields = [*self._numbers(call.number), ("Twiml", twiml), ("Timeout", str(RING_SECONDS))]
        if back := account.status_callback_fields(self._config, call.public_id):
            fields += [*back, ("StatusCallbackMethod", "POST")]
        return await account.create_resource(self._session, self._config, "Calls", fields)

    async def seat(self, *, number: str, room: str) -> Outcome:
        """Ring a gestor; the room opens when he or she comes in and closes when he or she leaves."""
        fields = [*self._numbers(number), ("Twiml", _room(room, owner=True)), ("Timeout", str(RING_SECONDS))]
        return await account.create_resource(self._session, self._config, "Calls", fields)

    async def is_answered(self, *, reference: str) -> bool:
        """Ask Twilio how a call stands; what it cannot tell now is no answer."""
        return await account.fetch_status(self._config, f"Calls/{_sid(reference)}") == "in-progress"

    async def bridge(self, *, reference: str, room: str) -> Outcome:
        """Change what an answered call hears to the gestor's room."""
        return await account.create_resource(
            self._session, self._config, f"Calls/{_sid(reference)}", [("Twiml", _room(room, owner=False))]
        )

    async def hang_up(self, *, reference: str) -> Outcome:
        """Complete a call, whatever it is at."""
        fields = [("Status", "completed")]
        return await account.create_resource(self._session, self._config, f"Calls/{_sid(reference)}", fields)

    def _numbers(self, to: str) -> list[tuple[str, str]]:
        return [("To", to), ("From", self._config.settings["from_number"])]


@asynccontextmanager
async def twilio(config: Config) -> AsyncIterator[TwilioTelephony]:
    """Open the telephone. Raises Unsuitable, above all where no caller id is set: a call never hides its number."""
    if not config.settings.get("from_number", "").strip():
        raise Unsuitable(_("A call never hides its number: one is needed."))
    for problem in account.find_account_problems(config).values():
        raise Unsuitable(problem)
    async with http.open_session() as session:
        yield TwilioTelephony(config, session)


def _room(name: str, *, owner: bool) -> str:
    """Return a conference that lasts while its gestor is in it; nobody hears a beep or music."""
    ends = "true" if owner else "false"
    rules = f'beep="false" waitUrl="" startConferenceOnEnter="{ends}" endConferenceOnExit="{ends}"'
    return _response(f"<Dial><Conference {rules}>{escape(name)}</Conference></Dial>")


def _response(inside: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'


def _sid(reference: str) -> str:
    """Return a call's id for an address. Raises ValueError for anything else."""
    if not account.is_sid(reference, "CA"):
        raise ValueError("A call is named by CA and 32 characters.")
    return reference
