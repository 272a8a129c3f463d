"""What the adapters of Twilio's SMS and calls have in common."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from recobra.messaging.channels.adapter import Check, Config, WebhookRequest
from recobra.messaging.channels.twilio import account, signature


class TwilioAdapter:
    """The part of an adapter that is about the account, whatever leaves by it: `resource` names what is made."""

    two_way = True
    resource: ClassVar[str]

    def message_id(self, public_id: UUID, config: Config) -> str:
        """Twilio gives ids of its own."""
        del public_id, config
        return ""

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """Ask Twilio by its own id; without one it cannot tell whose message or call was whose."""
        del public_id
        status = await account.status_of(config, f"{self.resource}/{reference}") if reference else None
        return status not in {"failed", "canceled"} if status else None

    async def check(self, config: Config) -> Check:
        """Ask for the account; reaches nobody."""
        return await account.check_account(config)

    def verify(self, call: WebhookRequest, config: Config) -> None:
        """Refuse a call that is not Twilio's. Raises ForgedCall."""
        signature.verify(call, config)
