"""What may be read of the configured ways out; what a secret is, never."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings
from django.utils.functional import Promise

from recobra.messaging.channels import ADAPTERS
from recobra.messaging.channels.one_way import OneWay
from recobra.messaging.models import Provider
from recobra.messaging.providers.operations import ProviderKind, list_kinds, stored_secret_names
from recobra.messaging.providers.routing import implicit_routes
from recobra.portfolio.models import Channel

CHANNELS: Final = tuple(Channel.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatus:
    """A configured provider as it stands; `resting_until` is set while its circuit is open.

    `known` is False for a kind that is not installed any more; `webhook_url` is '' where nobody calls back.
    `tokens` is what is left of its allowance.
    """

    provider: Provider
    label: str | Promise
    known: bool
    webhook_url: str
    resting_until: datetime | None
    failures: int
    tokens: float | None


def list_providers(channel: str, *, now: datetime) -> list[ProviderStatus]:
    """Return the configured providers of a channel in the order in which they are asked."""
    found = Provider.objects.filter(channel=channel).select_related("state").order_by("rank", "code")
    return [_way(provider, now) for provider in found]


def get_provider(code: str, *, now: datetime) -> ProviderStatus:
    """Return one configured provider. Raises Provider.DoesNotExist."""
    return _way(Provider.objects.select_related("state").get(code=code), now)


def built_in_kinds(channel: str) -> list[str]:
    """Return the kinds that serve a channel while nothing is configured for it: smtp, sandbox."""
    return [way.kind for way in implicit_routes(channel)]


def get_kind(kind: str) -> ProviderKind | None:
    """Return a kind of provider that can be configured."""
    return next((each for each in list_kinds() if each.kind == kind), None)


def stored_secrets(provider: Provider) -> frozenset[str]:
    """Return the names of the secrets that are kept."""
    return stored_secret_names(provider)


def _way(provider: Provider, now: datetime) -> ProviderStatus:
    state = getattr(provider, "state", None)
    adapter = ADAPTERS.get(provider.kind)
    resting = state.open_until if state and state.open_until and state.open_until > now else None
    called = adapter is not None and not isinstance(adapter, OneWay)
    return ProviderStatus(
        provider=provider,
        label=adapter.label if adapter else provider.kind,
        known=adapter is not None,
        webhook_url=f"{settings.PUBLIC_URL.rstrip('/')}/api/webhooks/{provider.code}/" if called else "",
        resting_until=resting,
        failures=state.failures if state else 0,
        tokens=state.tokens if state else None,
    )
