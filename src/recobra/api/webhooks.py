"""The providers' door. Nobody signs in here: the signature of each call says whose it is."""

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

from recobra.conversations.webhooks.receive import UnknownProvider, answer_challenge, receive_call
from recobra.kit import clock
from recobra.messaging.channels.adapter import ForgedCall, Unsuitable, WebhookRequest

# Meta's calls have up to 3 MB (developers.facebook.com/docs/graph-api/webhooks/getting-started).
LARGEST_BYTES = 4 * 1024 * 1024
_log = logging.getLogger(__name__)


class TooLarge(Exception):
    """The body is larger than any provider's call."""


class Door(View):
    """What a provider hears where it cannot be answered: 403 forged, 404 unknown provider, 413 too large, 503 later."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, or say by the status alone why not."""
        try:
            return super().dispatch(request, *args, **kwargs)
        except UnknownProvider:
            return HttpResponse(status=404)
        except ForgedCall:
            return HttpResponse(status=403)
        except TooLarge:
            return HttpResponse(status=413)
        except Unsuitable:
            _log.exception(
                "The settings of provider %s cannot be used; it was asked to call again.", kwargs.get("provider_code")
            )
            return HttpResponse(status=503)


@method_decorator([login_not_required, csrf_exempt, never_cache], name="dispatch")
class Webhook(Door):
    """Take in a provider's call: 200 once it is kept."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, provider_code: str) -> HttpResponse:
        """Answer a provider that tries the address, or take in a call of one that reports by GET."""
        call = incoming(request)
        said = answer_challenge(provider_code=provider_code, call=call)
        if said is not None:
            return HttpResponse(said, content_type="text/plain; charset=utf-8")
        return _taken_in(provider_code, call)

    def post(self, request: HttpRequest, provider_code: str) -> HttpResponse:
        """Take in a call."""
        return _taken_in(provider_code, incoming(request))


def _taken_in(provider_code: str, call: WebhookRequest) -> HttpResponse:
    content_type, body = receive_call(provider_code=provider_code, call=call, now=call.received_at)
    return HttpResponse(body, content_type=content_type)


def incoming(request: HttpRequest) -> WebhookRequest:
    """Return a call as the provider made it. Raises TooLarge.

    Proxies may have changed host and scheme, so the address is our public one.
    """
    if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BYTES:
        raise TooLarge
    body = request.read(LARGEST_BYTES + 1)
    if len(body) > LARGEST_BYTES:
        raise TooLarge
    return WebhookRequest(
        method=request.method or "",
        url=settings.PUBLIC_URL.rstrip("/") + request.get_full_path(),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        received_at=clock.now(),
    )
