"""Turns of automatic calls: the provider asks what to say next."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from recobra.access.actors import Service, service_actor
from recobra.conversations.automatic_call import next_call_turn

from .webhooks import ProviderView, read_call


# No session and no CSRF token: the address is signed by us, the call by the provider.
@method_decorator([login_not_required, csrf_exempt, never_cache], name="dispatch")
class Voice(ProviderView):
    """Answer with the TwiML of the call's next turn; 404 also for an address that is not ours."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, provider_code: str, token: str) -> HttpResponse:
        """Receive the key that was pressed and return the next turn."""
        call = read_call(request)
        provider = service_actor(Service.PROVIDER, now=call.received_at)
        twiml = next_call_turn(provider_code=provider_code, token=token, call=call, actor=provider)
        return HttpResponse(twiml, content_type="text/xml; charset=utf-8")
