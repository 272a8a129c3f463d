"""The door of automatic calls: the provider asks what to say next."""

from __future__ import annotations

import logging

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from recobra.contact.channels.adapter import Forged, Unsuitable
from recobra.contact.operations.calling import speak
from recobra.contact.operations.receiving import UnknownProvider

from .webhooks import TooLarge, incoming

_log = logging.getLogger(__name__)


# Signed twice: the address by us, the call by the provider.
@method_decorator([login_not_required, csrf_exempt, never_cache], name="dispatch")
class Voice(View):
    """Answer with the TwiML of the call's next turn; 404 for an address that is not ours, 403 for a forged call."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, provider_code: str, token: str) -> HttpResponse:
        """Take in what was pressed and say what comes next."""
        try:
            call = incoming(request)
            said = speak(provider_code=provider_code, token=token, call=call, now=call.received_at)
        except UnknownProvider:
            return HttpResponse(status=404)
        except Forged:
            return HttpResponse(status=403)
        except Unsuitable:
            _log.exception("The settings of provider %s cannot be used; it was asked to call again.", provider_code)
            return HttpResponse(status=503)
        except TooLarge:
            return HttpResponse(status=413)
        return HttpResponse(said, content_type="text/xml; charset=utf-8")
