"""What a provider says of our account with it: restricted, banned, in danger, restored; and a person's way back."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.messaging.channels.adapter import AccountEvent
from recobra.messaging.facts import ProviderRestored, ProviderStopped, ProviderWarned
from recobra.messaging.models import Provider

_REASON_MAX: Final = 80


@consequence
@transaction.atomic
def apply_account_news(*, event: AccountEvent, provider_id: int | None, actor: Actor) -> int:
    """Follow what was said of an account; return how many ways out it concerns.

    A stopped one sends nothing: its messages wait, or leave by another provider. News that are older than those known
    change nothing. An account that none of ours names is that of the provider which called.
    """
    concerned = find_account_providers(event.account_id, provider_id)
    providers = list(concerned.select_for_update(of=["self"]).order_by("pk"))
    for provider in providers:
        _apply_to(provider, event, actor)
    return len(providers)


def find_account_providers(account_id: str, provider_id: int | None) -> QuerySet[Provider]:
    """Return the ways out of an account: several numbers of one app share the address that is called.

    Those of the provider which called where none names the account.
    """
    caller = Provider.objects.filter(pk=provider_id or 0)
    kinds = caller.values("kind")
    named = Provider.objects.filter(kind__in=kinds, settings__account_id=account_id)
    return named if account_id and named.exists() else caller


def _apply_to(provider: Provider, event: AccountEvent, actor: Actor) -> None:
    """Follow the news of an account at one of its ways out."""
    at = min(event.at, actor.now)
    reason = event.reason[:_REASON_MAX]
    known_at = max((moment for moment in (provider.stopped_at, provider.warned_at) if moment), default=None)
    if known_at is not None and known_at > at:
        return
    if event.state == "STOPPED" and provider.stopped_at is None:
        provider.stopped_at, provider.stopped_reason = at, reason
        record_fact(ProviderStopped(provider=provider.code, reason=reason), actor=actor)
    elif event.state == "WARNED" and (provider.warned_at, provider.warned_reason) != (at, reason):
        provider.warned_at, provider.warned_reason = at, reason
        record_fact(ProviderWarned(provider=provider.code, reason=reason), actor=actor)
    elif event.state == "RESTORED" and (provider.stopped_at or provider.warned_at):
        _clear(provider)
        record_fact(ProviderRestored(provider=provider.code, reason=reason), actor=actor)
    provider.save(update_fields=["stopped_at", "stopped_reason", "warned_at", "warned_reason"])


def _clear(provider: Provider) -> None:
    provider.stopped_at, provider.stopped_reason = None, ""
    provider.warned_at, provider.warned_reason = None, ""


@requires(Right.MANAGE_CHANNELS)
@transaction.atomic
def resume_provider(*, provider_id: int, actor: Actor) -> bool:
    """Let a provider send again, or take its warning as read; return whether there was anything to end.

    For restrictions whose end the provider never tells.
    """
    provider = Provider.objects.select_for_update(of=["self"]).get(pk=provider_id)
    if provider.stopped_at is None and provider.warned_at is None:
        return False
    _clear(provider)
    provider.save(update_fields=["stopped_at", "stopped_reason", "warned_at", "warned_reason"])
    record_fact(ProviderRestored(provider=provider.code, reason=""), actor=actor)
    return True
