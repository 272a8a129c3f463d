"""Base of the adapters of Twilio's SMS and calls."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from recobra.messaging.channels.adapter import Check, Config, WebhookRequest
from recobra.messaging.channels.twilio import account, signature


class TwilioAdapter:
    """The methods of an adapter that concern the account; `resource` names what a message creates."""

    two_way = True
    resource: ClassVar[str]

    def message_id(self, public_id: UUID, config: Config) -> str:
        """Return '': Twilio assigns the ids."""
        del public_id, config
        return ""

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """Ask Twilio for the status, by its own id; without one it cannot tell."""
        del public_id
        status = await account.fetch_status(config, f"{self.resource}/{reference}") if reference else None
        return status not in {"failed", "canceled"} if status else None

    async def check_settings(self, config: Config) -> Check:
        """Fetch the account, which reaches nobody."""
        return await account.check_account(config)

    def verify_call(self, call: WebhookRequest, config: Config) -> None:
        """Check that a call is Twilio's. Raises ForgedCall."""
        signature.verify(call, config)
