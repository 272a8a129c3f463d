"""Sending an SMS by Twilio (POST Messages.json)."""

from __future__ import annotations

from aiohttp import ClientSession

from recobra.messaging.channels.adapter import Config
from recobra.messaging.channels.base import Message, Outcome
from recobra.messaging.channels.twilio import account

LONGEST_SECONDS = 36_000
"""Twilio keeps a message in its queue for ten hours unless told otherwise (ValidityPeriod of POST Messages.json)."""


class TwilioSender:
    """One account, called for many messages at once."""

    def __init__(self, config: Config, session: ClientSession) -> None:
        self._config, self._session = config, session
        service = config.settings.get("messaging_service_sid", "")
        self._sender = ("MessagingServiceSid", service) if service else ("From", config.settings["from_number"])

    async def send(self, message: Message) -> Outcome:
        """Ask for one message and say what became of it."""
        fields = [("To", message.address), self._sender, ("Body", message.text)]
        fields.append(("ValidityPeriod", str(message.lifetime_seconds(most=LONGEST_SECONDS))))
        fields += account.called_back(self._config, message.public_id)
        return await account.create(self._session, self._config, "Messages", fields)
