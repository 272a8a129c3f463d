"""Read access to the configured providers, without their secrets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Final

from django.conf import settings
from django.utils.functional import Promise

from recobra.messaging.channels import ADAPTERS
from recobra.messaging.channels.one_way import OneWay
from recobra.messaging.models import Provider as Provider  # noqa: PLC0414 - the doors name the type from here
from recobra.messaging.models import WebhookCall
from recobra.messaging.providers.operations import ProviderKind, list_kinds, stored_secret_names
from recobra.messaging.providers.routing import implicit_routes
from recobra.portfolio.models import Channel

CHANNELS: Final = tuple(Channel.values)
UNUSED_SHOWN_FOR: Final = timedelta(days=30)
UNUSED_SHOWN: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStatus:
    """A configured provider and its state; `resting_until` is set while its circuit is open.

    `is_installed` is False for a kind that is not installed any more; `webhook_url` is '' for a provider that makes no
    calls. `tokens` is what is left of its allowance. `unused` names what of its latest calls led to nothing, with the
    number of calls, where that was asked for.
    """

    provider: Provider
    label: str | Promise
    is_installed: bool
    webhook_url: str
    resting_until: datetime | None
    failures: int
    tokens: float | None
    unused: tuple[tuple[str, int], ...] = ()


def list_providers(channel: str, *, now: datetime) -> list[ProviderStatus]:
    """Return the configured providers of a channel, the preferred one first."""
    providers = Provider.objects.filter(channel=channel).select_related("state").order_by("rank", "code")
    return [_provider_status(provider, now) for provider in providers]


def get_provider(code: str, *, now: datetime, has_calls: bool = False) -> ProviderStatus:
    """Return one configured provider, with what its calls held in vain if `has_calls`. Raises Provider.DoesNotExist."""
    provider = Provider.objects.select_related("state").get(code=code)
    status = _provider_status(provider, now)
    return replace(status, unused=count_unused(provider, now=now)) if has_calls else status


def count_unused(provider: Provider, *, now: datetime) -> tuple[tuple[str, int], ...]:
    """Return what of a provider's calls of the last days led to nothing, with the number of calls, most first."""
    recent = WebhookCall.objects.filter(provider=provider, received_at__gte=now - UNUSED_SHOWN_FOR).exclude(unused=[])
    counts: Counter[str] = Counter()
    for names in recent.values_list("unused", flat=True).iterator():
        counts.update(names)
    return tuple(counts.most_common(UNUSED_SHOWN))


def find_reply_address() -> str:
    """Return the address that debtors may write to, whose mailbox is read; '' where none is.

    Of several senders that of the one who is asked first.
    """
    senders = Provider.objects.filter(channel=Channel.EMAIL, enabled=True).exclude(settings__imap_url__in=["", None])
    for provider in senders.filter(mailbox__read_at__isnull=False, mailbox__failed_since=None).order_by("rank", "code"):
        own = provider.settings.get("from") or provider.settings.get("mail_from") or settings.MAIL_FROM
        address = str(provider.settings.get("reply_to") or "") or parseaddr(str(own))[1]
        if address:
            return address
    return ""


def built_in_kinds(channel: str) -> list[str]:
    """Return the kinds that serve a channel while no provider is configured for it: smtp, sandbox."""
    return [route.kind for route in implicit_routes(channel)]


def get_kind(kind: str) -> ProviderKind | None:
    """Return a kind of provider that can be configured, None where there is none of this name."""
    for provider_kind in list_kinds():
        if provider_kind.kind == kind:
            return provider_kind
    return None


def stored_secrets(provider: Provider) -> frozenset[str]:
    """Return the names of a provider's stored secrets."""
    return stored_secret_names(provider)


def _provider_status(provider: Provider, now: datetime) -> ProviderStatus:
    """Return a provider with its state; one that has never sent has no state row yet."""
    state = getattr(provider, "state", None)
    adapter = ADAPTERS.get(provider.kind)
    resting_until = None
    if state is not None and state.open_until is not None and state.open_until > now:
        resting_until = state.open_until
    webhook_url = ""
    if adapter is not None and not isinstance(adapter, OneWay):
        webhook_url = f"{settings.PUBLIC_URL.rstrip('/')}/api/webhooks/{provider.code}/"
    return ProviderStatus(
        provider=provider,
        label=adapter.label if adapter else provider.kind,
        is_installed=adapter is not None,
        webhook_url=webhook_url,
        resting_until=resting_until,
        failures=state.failures if state else 0,
        tokens=state.tokens if state else None,
    )
