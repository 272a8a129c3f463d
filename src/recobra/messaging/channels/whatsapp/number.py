"""What Meta says of our number: how people take it, and how many of them may be written to first in 24 hours."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from recobra.messaging.channels.adapter import Config
from recobra.messaging.channels.whatsapp.client import call_api, resource_url


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessNumber:
    """A number in Meta's own words: `quality` is GREEN, YELLOW, RED or NA, `tier` as TIER_250; '' if not said."""

    quality: str
    tier: str


async def fetch_number(config: Config) -> BusinessNumber:
    """Return what Meta says of a provider's number. Raises Unsuitable."""
    fields = urlencode({"fields": "quality_rating,messaging_limit_tier"})
    url = f"{resource_url(config, config.settings.get('phone_number_id', ''))}?{fields}"
    reply = await call_api("GET", url, config)
    return BusinessNumber(
        quality=str(reply.get("quality_rating") or ""), tier=str(reply.get("messaging_limit_tier") or "")
    )
