"""Sender of automatic calls by Twilio (POST Calls.json)."""

from __future__ import annotations

from aiohttp import ClientSession

from recobra.messaging.channels.adapter import Config
from recobra.messaging.channels.base import Message, Outcome
from recobra.messaging.channels.twilio import account
from recobra.messaging.channels.twilio_voice.links import voice_url

RING_SECONDS = 25


class TwilioCaller:
    """Places calls by one account, many at once. The number shown is always the company's own."""

    def __init__(self, config: Config, session: ClientSession) -> None:
        self._config, self._session = config, session

    async def send(self, message: Message) -> Outcome:
        """Place one call and return the outcome; Twilio asks the voice address what to say in it."""
        fields = [
            ("To", message.address),
            ("From", self._config.settings["from_number"]),
            ("Url", voice_url(message.public_id, self._config.code)),
            ("Method", "POST"),
            ("Timeout", str(RING_SECONDS)),
            # Twilio asks us only once it knows who picked up, so that an answering machine hears nothing.
            ("MachineDetection", "Enable"),
        ]
        callback_fields = account.status_callback_fields(self._config, message.public_id)
        if callback_fields:
            fields += [*callback_fields, ("StatusCallbackMethod", "POST")]
        return await account.create_resource(self._session, self._config, "Calls", fields)
