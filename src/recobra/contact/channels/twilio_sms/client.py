"""Sending an SMS by Twilio (POST Messages.json)."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import ClientSession

from recobra.contact.channels.adapter import Config
from recobra.contact.channels.base import Message, Outcome
from recobra.contact.channels.twilio import account


class TwilioSender:
    """One account, called for many messages at once."""

    def __init__(self, config: Config, session: ClientSession) -> None:
        self._config, self._session = config, session
        service = config.settings.get("messaging_service_sid", "")
        self._sender = ("MessagingServiceSid", service) if service else ("From", config.settings["from_number"])

    async def send(self, message: Message) -> Outcome:
        """Ask for one message and say what became of it."""
        fields = [("To", message.address), self._sender, ("Body", message.text)]
        if self._config.webhook_url:
            # Twilio gives nothing back but its own id; the address it calls names the contact, under its signature.
            named = urlencode({"contact": str(message.public_id)})
            fields.append(("StatusCallback", f"{self._config.webhook_url}?{named}"))
        return await account.create(self._session, self._config, "Messages", fields)
