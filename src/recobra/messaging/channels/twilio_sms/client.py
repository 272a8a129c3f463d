"""Sender of SMS by Twilio (POST Messages.json)."""

from __future__ import annotations

from aiohttp import ClientSession

from recobra.messaging.channels.adapter import Config
from recobra.messaging.channels.base import Message, Outcome
from recobra.messaging.channels.twilio import account

MAX_LIFETIME_SECONDS = 36_000
"""Twilio's own default for ValidityPeriod: ten hours in its queue."""


class TwilioSender:
    """Sends by one account, many messages at once."""

    def __init__(self, config: Config, session: ClientSession) -> None:
        self._config, self._session = config, session
        service = config.settings.get("messaging_service_sid", "")
        self._sender = ("MessagingServiceSid", service) if service else ("From", config.settings["from_number"])

    async def send(self, message: Message) -> Outcome:
        """Send one message and return the outcome."""
        fields = [
            ("To", message.address),
            self._sender,
            ("Body", message.text),
            ("ValidityPeriod", str(message.lifetime_seconds(limit=MAX_LIFETIME_SECONDS))),
        ]
        fields += account.status_callback_fields(self._config, message.public_id)
        return await account.create_resource(self._session, self._config, "Messages", fields)
