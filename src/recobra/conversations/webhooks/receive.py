"""A provider's calls: checked, kept as they came, worked at once, and worked again until it is done."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.db.models import Q

from recobra.conversations.webhooks.apply import apply_events
from recobra.journal.operations import record
from recobra.messaging.channels import ADAPTERS
from recobra.messaging.channels.adapter import Adapter, Config, ForgedCall, WebhookRequest
from recobra.messaging.models import Provider, WebhookCall
from recobra.messaging.providers import routing

__all__ = ["ForgedCall", "UnknownProvider", "answer_challenge", "delete_old_calls", "receive_call", "retry_calls"]

RETENTION: Final = timedelta(days=90)
# After so much since the call came in it is tried again; then it is given up and somebody is told.
RETRY_DELAYS: Final = tuple(timedelta(minutes=m) for m in (1, 3, 10, 30, 90, 300, 1440))
BATCH_SIZE: Final = 200
_ERROR_AT_MOST: Final = 500
_log = logging.getLogger(__name__)


class UnknownProvider(Exception):
    """No provider has this code, or what it is made for is not installed."""


def receive_call(*, provider_code: str, call: WebhookRequest, now: datetime) -> tuple[str, bytes]:
    """Check and keep a call, and work it; return the type and body that the provider wants to hear.

    Once it is kept nothing is lost: what fails is tried again by a job. The same call again is worked once. Raises
    UnknownProvider, Unsuitable, and ForgedCall where the call is not the provider's: then nothing of it is kept.
    """
    provider = _provider(provider_code)
    adapter, config = ADAPTERS[provider.kind], routing.build_config(provider)
    refuse_forged(provider, adapter, call, config, now)
    call_id = _keep(provider, call)
    process_call(call_id=call_id, now=now)
    answer = getattr(adapter, "answer", None)
    content_type, body = answer(call, config) if answer else ("text/plain; charset=utf-8", b"")
    return str(content_type), bytes(body)


def answer_challenge(*, provider_code: str, call: WebhookRequest) -> str | None:
    """Return what a provider that tries the address wants to hear; None where it is no such call.

    Raises UnknownProvider, Unsuitable, and ForgedCall where it asks for one without the words agreed on.
    """
    provider = _provider(provider_code)
    challenge = getattr(ADAPTERS[provider.kind], "challenge", None)
    if challenge is None:
        return None
    said = challenge(call, routing.build_config(provider))
    if said is None:
        raise ForgedCall("The words that were agreed on are missing.")
    return str(said)


def process_call(*, call_id: int, now: datetime) -> bool:
    """Work a call that waits; return whether it is done. What fails is written on it, and it goes on waiting.

    Nobody else works it meanwhile. What a wish in it stopped stays stopped, whatever else of it fails.
    """
    with transaction.atomic():
        waiting = WebhookCall.objects.select_for_update(skip_locked=True, of=["self"]).select_related("provider")
        kept = waiting.filter(pk=call_id, status=WebhookCall.Status.WAITING).first()
        if kept is None:
            return False
        error = _worked(kept, now)
        kept.tries += 1
        kept.error = "" if error is None else f"{error!r}"[:_ERROR_AT_MOST]
        over = error is not None and kept.tries > len(RETRY_DELAYS)
        kept.status = _status(done=error is None, over=over)
        kept.save(update_fields=["status", "tries", "error"])
        if error is not None:
            _log.warning("Call %s of %s was not worked: %s", kept.pk, kept.provider.code, type(error).__name__)
        if over:
            payload = {"call_id": kept.pk, "provider": kept.provider.code, "error": type(error).__name__}
            record("webhook.failed", at=now, actor="provider", payload=payload)
        return error is None


def _worked(kept: WebhookCall, now: datetime) -> Exception | None:
    """Apply what a call says; return what went wrong. A step that fails leaves the others done."""
    try:
        config = routing.build_config(kept.provider)
        with transaction.atomic():
            events = ADAPTERS[kept.provider.kind].read(_as_it_came(kept, config.webhook_url), config)
        apply_events(events=events, provider_id=kept.provider_id, now=now)
    except Exception as error:  # noqa: BLE001 - kept, told, and tried again
        return error
    return None


def _status(*, done: bool, over: bool) -> str:
    if done:
        return WebhookCall.Status.DONE
    return WebhookCall.Status.FAILED if over else WebhookCall.Status.WAITING


def retry_calls(*, now: datetime) -> int:
    """Work again the calls whose time has come; return how many are done."""
    later = Q()
    for tries, after in enumerate((timedelta(0), *RETRY_DELAYS)):
        later |= Q(tries=tries, received_at__lte=now - after)
    due = WebhookCall.objects.filter(later, status=WebhookCall.Status.WAITING).order_by("received_at", "pk")
    return sum(process_call(call_id=call_id, now=now) for call_id in due.values_list("pk", flat=True)[:BATCH_SIZE])


def delete_old_calls(*, now: datetime) -> int:
    """Delete the calls that have been kept long enough; return how many."""
    return WebhookCall.objects.filter(received_at__lt=now - RETENTION).delete()[0]


def _provider(code: str) -> Provider:
    # Also one that was switched off: it may still report on what it took before.
    found = Provider.objects.filter(code=code).first()
    if found is None or found.kind not in ADAPTERS:
        raise UnknownProvider(code)
    return found


def _keep(provider: Provider, call: WebhookRequest) -> int:
    body = _as_kept(call)
    digest = hashlib.sha256(body).hexdigest()
    try:
        with transaction.atomic():
            made = WebhookCall.objects.create(
                provider=provider,
                received_at=call.received_at,
                digest=digest,
                body=body,
                content_type=call.headers.get("content-type", ""),
            )
    except IntegrityError:
        return WebhookCall.objects.get(provider=provider, digest=digest).pk
    return made.pk


def _as_kept(call: WebhookRequest) -> bytes:
    """Return a call as one piece, as HTTP writes it: gateways that report by GET say all in the address."""
    return f"{call.method} ?{urlsplit(call.url).query}\r\n\r\n".encode() + call.body


def _as_it_came(kept: WebhookCall, url: str) -> WebhookRequest:
    line, _, body = bytes(kept.body).partition(b"\r\n\r\n")
    method, _, query = line.decode().partition(" ?")
    headers = {"content-type": kept.content_type} if kept.content_type else {}
    return WebhookRequest(
        method=method, url=f"{url}?{query}" if query else url, headers=headers, body=body, received_at=kept.received_at
    )


def refuse_forged(provider: Provider, adapter: Adapter, call: WebhookRequest, config: Config, now: datetime) -> None:
    """Let pass what is signed by the provider; count and refuse what is not. Raises ForgedCall."""
    try:
        adapter.verify(call, config)
    except ForgedCall:
        _count_forged(provider, now)
        raise


_forged: Counter[tuple[str, date]] = Counter()
_counting = threading.Lock()


def _count_forged(provider: Provider, now: datetime) -> None:
    """Count calls that are not the provider's.

    The journal hears of the 1st, 10th, 100th of a day: not of each, or whoever forges them could fill it.
    """
    with _counting:
        _forged[provider.code, now.date()] += 1
        count = _forged[provider.code, now.date()]
    _log.warning("Forged call no. %s of the day for %s.", count, provider.code)
    if str(count).strip("0") == "1":
        with transaction.atomic():
            record("webhook.forged", at=now, actor="provider", payload={"provider": provider.code, "count": count})
