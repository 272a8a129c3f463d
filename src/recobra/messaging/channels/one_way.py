"""What a way out does not do when nothing ever comes back by it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from recobra.messaging.channels.adapter import Config, Event, ForgedCall, Media, Unsuitable, WebhookRequest


class OneWay:
    """The part of an adapter that reads calls, for a provider that makes none."""

    two_way = False

    def message_id(self, public_id: UUID, config: Config) -> str:
        """Return nothing: a way without ids of its own has the contact's."""
        del public_id, config
        return ""

    def verify(self, call: WebhookRequest, config: Config) -> None:
        """Refuse every call. Raises ForgedCall."""
        raise ForgedCall(f"The provider {config.code} makes no calls, but one came to {call.url}.")

    def read(self, call: WebhookRequest, config: Config) -> Sequence[Event]:
        """Refuse every call. Raises ForgedCall."""
        self.verify(call, config)
        return ()

    async def fetch(self, media: Media, config: Config, *, most_bytes: int) -> bytes:
        """Refuse every file. Raises Unsuitable."""
        raise Unsuitable(f"The provider {config.code} gives no files ({media.media_id}, {most_bytes} bytes).")
