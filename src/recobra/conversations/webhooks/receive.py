"""Calls of providers: verified, stored as they came, processed at once, and retried until they succeed."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from datetime import date, timedelta
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q

from recobra.access.actors import Actor
from recobra.access.permissions import consequence, requires
from recobra.access.roles import Right
from recobra.conversations.facts import WebhookFailed, WebhookForged
from recobra.conversations.webhooks.apply import apply_events
from recobra.journal.operations import record_fact
from recobra.messaging.channels import ADAPTERS, webhooks
from recobra.messaging.channels.adapter import Adapter, Config, ForgedCall, UnusedEvent, WebhookRequest
from recobra.messaging.models import Provider, WebhookCall
from recobra.messaging.providers import routing

__all__ = ["ForgedCall", "UnknownProvider", "answer_challenge", "receive_call", "retry_calls"]

# How long after its arrival a call is retried; after the last time it has failed and the journal says so.
RETRY_DELAYS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 3, 10, 30, 90, 300, 1440))
BATCH_SIZE: Final = 200
_ERROR_MAX: Final = 500
_UNUSED_MAX: Final = 20
_log = logging.getLogger(__name__)


class UnknownProvider(Exception):
    """No provider has this code, or its adapter is not installed."""


@requires(Right.SERVE)
def receive_call(*, provider_code: str, call: WebhookRequest, actor: Actor) -> tuple[str, bytes]:
    """Verify, store and process a call; return the content type and body that the provider expects.

    A stored call is not lost: a job retries what fails. A repeated call is processed once. Raises UnknownProvider,
    Unsuitable, and ForgedCall where the call is not the provider's; such a call is not stored.
    """
    provider = _find_provider(provider_code)
    adapter = ADAPTERS[provider.kind]
    config = routing.build_config(provider)
    refuse_forged(provider, adapter, call, config, actor=actor)
    call_id = store_call(provider, call)
    process_call(call_id=call_id, actor=actor)
    build_response = getattr(adapter, "build_response", None)
    if build_response is None:
        return "text/plain; charset=utf-8", b""
    content_type, body = build_response(call, config)
    return str(content_type), bytes(body)


def answer_challenge(*, provider_code: str, call: WebhookRequest) -> str | None:
    """Return what a provider that tests the address expects; None where it is no such call.

    Raises UnknownProvider, Unsuitable, and ForgedCall where the agreed token is missing.
    """
    provider = _find_provider(provider_code)
    challenge = getattr(ADAPTERS[provider.kind], "answer_challenge", None)
    if challenge is None:
        return None
    response = challenge(call, routing.build_config(provider))
    if response is None:
        raise ForgedCall("The words that were agreed on are missing.")
    return str(response)


@consequence
def process_call(*, call_id: int, actor: Actor) -> bool:
    """Process a waiting call; return whether it is done. A failure is written on it, and it goes on waiting."""
    with transaction.atomic():
        # A call that another process works on is skipped, not waited for.
        waiting = WebhookCall.objects.select_for_update(skip_locked=True, of=["self"]).select_related("provider")
        stored = waiting.filter(pk=call_id, status=WebhookCall.Status.WAITING).first()
        if stored is None:
            return False
        error = _apply_call(stored, actor)
        stored.tries += 1
        stored.error = "" if error is None else f"{error!r}"[:_ERROR_MAX]
        has_failed = error is not None and stored.tries > len(RETRY_DELAYS)
        if error is None:
            stored.status = WebhookCall.Status.DONE
        elif has_failed:
            stored.status = WebhookCall.Status.FAILED
        stored.save(update_fields=["status", "tries", "error", "unused"])
        if error is not None:
            _log.warning("Call %s of %s was not worked: %s", stored.pk, stored.provider.code, type(error).__name__)
        if has_failed:
            failed = WebhookFailed(call_id=stored.pk, provider=stored.provider.code, error=type(error).__name__)
            record_fact(failed, actor=actor)
        return error is None


def _apply_call(stored: WebhookCall, actor: Actor) -> Exception | None:
    """Apply a call's events; return the error, if any. A step that fails leaves the others applied."""
    try:
        config = routing.build_config(stored.provider)
        with transaction.atomic():
            events = ADAPTERS[stored.provider.kind].read_events(_restore_call(stored, config.webhook_url), config)
        names = {event.name for event in events if isinstance(event, UnusedEvent)}
        # A call without any event says nothing; that too is written down.
        stored.unused = sorted(names)[:_UNUSED_MAX] if events else ["nothing"]
        apply_events(events=events, provider_id=stored.provider_id, actor=actor)
    except Exception as error:  # noqa: BLE001 - stored with the call, logged, and retried
        return error
    return None


@requires(Right.SERVE)
def retry_calls(*, actor: Actor) -> int:
    """Process the calls again whose next try is due; return how many are done."""
    is_due = Q()
    # A call that was never tried is due at once.
    for tries, delay in enumerate((timedelta(0), *RETRY_DELAYS)):
        is_due |= Q(tries=tries, received_at__lte=actor.now - delay)
    due = WebhookCall.objects.filter(is_due, status=WebhookCall.Status.WAITING).order_by("received_at", "pk")
    call_ids = due.values_list("pk", flat=True)[:BATCH_SIZE]
    return sum(process_call(call_id=call_id, actor=actor) for call_id in call_ids)


def _find_provider(code: str) -> Provider:
    """Return a provider by its code. Raises UnknownProvider."""
    # Also one that was switched off: it may still report on what it took before.
    provider = Provider.objects.filter(code=code).first()
    if provider is None or provider.kind not in ADAPTERS:
        raise UnknownProvider(code)
    return provider


def store_call(provider: Provider, call: WebhookRequest) -> int:
    """Store a call and return its id; that of the first one where the provider repeats itself."""
    digest = webhooks.digest_call(call)
    try:
        with transaction.atomic():
            stored = WebhookCall.objects.create(
                provider=provider,
                received_at=call.received_at,
                digest=digest,
                body=webhooks.serialise_call(call),
                content_type=call.headers.get("content-type", ""),
            )
    except IntegrityError:
        return WebhookCall.objects.get(provider=provider, digest=digest).pk
    return stored.pk


def _restore_call(stored: WebhookCall, url: str) -> WebhookRequest:
    """Return a stored call, as made to the provider's webhook at `url`."""
    headers = {"content-type": stored.content_type} if stored.content_type else {}
    return webhooks.restore_call(bytes(stored.body), url=url, headers=headers, received_at=stored.received_at)


# Forged calls by provider and day, in this process alone.
_forged: Counter[tuple[str, date]] = Counter()
_counter_lock = threading.Lock()


@consequence
def refuse_forged(provider: Provider, adapter: Adapter, call: WebhookRequest, config: Config, *, actor: Actor) -> None:
    """Verify that a call is the provider's; count those that are not. Raises ForgedCall."""
    try:
        adapter.verify_call(call, config)
    except ForgedCall:
        with _counter_lock:
            _forged[provider.code, actor.now.date()] += 1
            count = _forged[provider.code, actor.now.date()]
        _log.warning("Forged call no. %s of the day for %s.", count, provider.code)
        # The journal records the 1st, 10th, 100th of a day: recording each would let a forger fill it.
        if str(count).strip("0") == "1":
            with transaction.atomic():
                record_fact(WebhookForged(provider=provider.code, count=count), actor=actor)
        raise
