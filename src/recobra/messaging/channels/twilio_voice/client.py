"""Calling by Twilio (POST Calls.json)."""

from __future__ import annotations

from aiohttp import ClientSession

from recobra.messaging.channels.adapter import Config
from recobra.messaging.channels.base import Message, Outcome
from recobra.messaging.channels.twilio import account
from recobra.messaging.channels.twilio_voice.links import voice_url

RING_SECONDS = 25


class TwilioCaller:
    """One account, called for many calls at once. The number shown is always the company's own."""

    def __init__(self, config: Config, session: ClientSession) -> None:
        self._config, self._session = config, session

    async def send(self, message: Message) -> Outcome:
        """Ask for one call and say what became of it; what is said is asked for at the voice address."""
        fields = [
            ("To", message.address),
            ("From", self._config.settings["from_number"]),
            ("Url", voice_url(message.public_id, self._config.code)),
            ("Method", "POST"),
            ("Timeout", str(RING_SECONDS)),
            # The call is not answered by us until Twilio knows who picked up: a machine hears nothing.
            ("MachineDetection", "Enable"),
        ]
        if back := account.called_back(self._config, message.public_id):
            fields += [*back, ("StatusCallbackMethod", "POST")]
        return await account.create(self._session, self._config, "Calls", fields)
