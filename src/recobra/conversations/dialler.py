"""Telephony for the dialler: place calls, connect answered ones to a gestor, hang up.

The number shown is always the company's own: without one nothing is called. A debtor who answers and is not connected
within PATIENCE_SECONDS hears an apology that names the company and no debt.
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
    """A call to place; the `apology` is heard where no gestor is free, and never mentions a debt."""

    public_id: UUID
    number: str
    apology: str


class Telephony(Protocol):
    """An open connection to the telephone network. Failures of the network are outcomes, not exceptions."""

    async def place(self, call: Call) -> Outcome:
        """Ring a number; the reference of the outcome is the network's id of the call."""

    async def seat(self, *, number: str, room: str) -> Outcome:
        """Ring a gestor and keep the call open in a room, to which answered calls are connected."""

    async def is_answered(self, *, reference: str) -> bool:
        """Return whether somebody has answered a call and is on the line now."""

    async def bridge(self, *, reference: str, room: str) -> Outcome:
        """Connect an answered call to a gestor's room."""

    async def hang_up(self, *, reference: str) -> Outcome:
        """End a call, ringing or answered."""


class TwilioTelephony:
    """Telephony by Twilio Voice: calls by Calls.json, rooms as conferences."""

    def __init__(self, config: Config, session: ClientSession) -> None:
        self._config, self._session = config, session

    async def place(self, call: Call) -> Outcome:
        """Ring a number. A debtor who answers and is not connected hears a pause and then the apology."""
        speech = f"<Say language={quoteattr(_VOICE)}>{escape(call.apology)}</Say>"
        twiml = _wrap_twiml(f'<Pause length="{PATIENCE_SECONDS}"/>{speech}<Hangup/>')
        fields = [*self._number_fields(call.number), ("Twiml", twiml), ("Timeout", str(RING_SECONDS))]
        if callback := account.status_callback_fields(self._config, call.public_id):
            fields += [*callback, ("StatusCallbackMethod", "POST")]
        return await account.create_resource(self._session, self._config, "Calls", fields)

    async def seat(self, *, number: str, room: str) -> Outcome:
        """Ring a gestor; the room is open while he or she is in it."""
        fields = [
            *self._number_fields(number),
            ("Twiml", _conference_twiml(room, owner=True)),
            ("Timeout", str(RING_SECONDS)),
        ]
        return await account.create_resource(self._session, self._config, "Calls", fields)

    async def is_answered(self, *, reference: str) -> bool:
        """Ask Twilio whether a call was answered; False where it cannot tell now."""
        return await account.fetch_status(self._config, f"Calls/{_require_call_sid(reference)}") == "in-progress"

    async def bridge(self, *, reference: str, room: str) -> Outcome:
        """Replace what an answered call hears with the gestor's room."""
        return await account.create_resource(
            self._session,
            self._config,
            f"Calls/{_require_call_sid(reference)}",
            [("Twiml", _conference_twiml(room, owner=False))],
        )

    async def hang_up(self, *, reference: str) -> Outcome:
        """End a call in whatever state it is."""
        fields = [("Status", "completed")]
        return await account.create_resource(
            self._session, self._config, f"Calls/{_require_call_sid(reference)}", fields
        )

    def _number_fields(self, to: str) -> list[tuple[str, str]]:
        # The number that is shown is always the company's own.
        return [("To", to), ("From", self._config.settings["from_number"])]


@asynccontextmanager
async def open_twilio(config: Config) -> AsyncIterator[TwilioTelephony]:
    """Open telephony by Twilio. Raises Unsuitable for an unusable configuration, also for one without a caller id."""
    if not config.settings.get("from_number", "").strip():
        raise Unsuitable(_("A call never hides its number: one is needed."))
    for problem in account.find_account_problems(config).values():
        raise Unsuitable(problem)
    async with http.open_session() as session:
        yield TwilioTelephony(config, session)


def _conference_twiml(name: str, *, owner: bool) -> str:
    """Return the TwiML that joins a conference without a beep or music.

    It lasts while its gestor is in it: the gestor joins as `owner`, the debtor does not.
    """
    is_owner = "true" if owner else "false"
    rules = f'beep="false" waitUrl="" startConferenceOnEnter="{is_owner}" endConferenceOnExit="{is_owner}"'
    return _wrap_twiml(f"<Dial><Conference {rules}>{escape(name)}</Conference></Dial>")


def _wrap_twiml(inside: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{inside}</Response>'


def _require_call_sid(reference: str) -> str:
    """Return the id of a call. Raises ValueError for anything else."""
    # It goes into the path of a request.
    if not account.is_sid(reference, "CA"):
        raise ValueError("A call is named by CA and 32 characters.")
    return reference
