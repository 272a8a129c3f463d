"""Webhooks of the providers. Nobody signs in: the signature of each call proves its sender."""

from __future__ import annotations

import logging
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from recobra.access.actors import Service, service_actor
from recobra.conversations.webhooks.receive import UnknownProvider, answer_challenge, receive_call
from recobra.kit import clock
from recobra.messaging.channels.adapter import ForgedCall, Unsuitable, WebhookRequest

_log = logging.getLogger(__name__)


class ProviderView(View):
    """A view for calls of providers: 403 forged, 404 unknown provider, 415 packed, 503 to be called again."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer a call, or refuse it by the status alone."""
        if request.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
            # Kept as it is it would never be understood, and its signature may be of either form (RFC 9110, 12.5.3).
            _log.warning("A call to %s was packed, which no provider does by itself.", request.path)
            return HttpResponse(status=415, headers={"Accept-Encoding": "identity"})
        try:
            return super().dispatch(request, *args, **kwargs)
        except UnknownProvider:
            return HttpResponse(status=404)
        except ForgedCall:
            return HttpResponse(status=403)
        except Unsuitable:
            # The fault is ours: 503 makes the provider keep the event and call again.
            _log.exception(
                "The settings of provider %s cannot be used; it was asked to call again.", kwargs.get("provider_code")
            )
            return HttpResponse(status=503)


@method_decorator([login_not_required, csrf_exempt, never_cache], name="dispatch")
class Webhook(ProviderView):
    """Receive a provider's call: 200 once it is stored."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, provider_code: str) -> HttpResponse:
        """Answer a provider's challenge, or receive a call from a provider that reports by GET."""
        call = read_call(request)
        challenge_answer = answer_challenge(provider_code=provider_code, call=call)
        if challenge_answer is not None:
            return HttpResponse(challenge_answer, content_type="text/plain; charset=utf-8")
        return _receive_call(provider_code, call)

    def post(self, request: HttpRequest, provider_code: str) -> HttpResponse:
        """Receive a call."""
        return _receive_call(provider_code, read_call(request))


def _receive_call(provider_code: str, call: WebhookRequest) -> HttpResponse:
    """Store a call and return the answer that its provider expects."""
    content_type, body = receive_call(
        provider_code=provider_code, call=call, actor=service_actor(Service.PROVIDER, now=call.received_at)
    )
    return HttpResponse(body, content_type=content_type)


def read_call(request: HttpRequest) -> WebhookRequest:
    """Return a call as the provider made it; how large it may be is judged before (`kit/body_limits.py`)."""
    return WebhookRequest(
        method=request.method or "",
        # Signatures cover the public address; proxies may have changed host and scheme.
        url=settings.PUBLIC_URL.rstrip("/") + request.get_full_path(),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.read(),
        received_at=clock.now(),
    )
