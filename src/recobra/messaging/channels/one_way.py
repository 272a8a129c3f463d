"""Base of adapters whose provider makes no calls."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from recobra.messaging.channels.adapter import Config, Event, ForgedCall, Media, Unsuitable, WebhookRequest


class OneWay:
    """The methods of an adapter that receive something: all of them refuse."""

    two_way = False

    def message_id(self, public_id: UUID, config: Config) -> str:
        """Return '': the contact's own id is enough."""
        del public_id, config
        return ""

    def verify_call(self, call: WebhookRequest, config: Config) -> None:
        """Refuse every call. Raises ForgedCall."""
        raise ForgedCall(f"The provider {config.code} makes no calls, but one came to {call.url}.")

    def read_events(self, call: WebhookRequest, config: Config) -> Sequence[Event]:
        """Refuse every call. Raises ForgedCall."""
        self.verify_call(call, config)
        return ()

    async def fetch_media(self, media: Media, config: Config, *, max_bytes: int) -> bytes:
        """Refuse every file. Raises Unsuitable."""
        raise Unsuitable(f"The provider {config.code} gives no files ({media.media_id}, {max_bytes} bytes).")
