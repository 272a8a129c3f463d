"""How many requests this process answered and how long they took, by the name of their route."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from prometheus_client import CollectorRegistry, Counter, Histogram

REQUESTS = CollectorRegistry()
_ANSWERED = Counter("recobra_http_requests", "Answered requests.", ["route", "method", "status"], registry=REQUESTS)
_SECONDS = Histogram("recobra_http_request_seconds", "Time until the answer.", ["route"], registry=REQUESTS)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class CountRequests:
    """Middleware that counts requests. A route is named as in the URLconf: an address may hold personal data."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a request and count it."""
        begun = time.monotonic()
        response = self._get_response(request)
        match = request.resolver_match
        route = (match.view_name or "unnamed") if match else "none"
        # Anybody may invent a method; each would be a series of its own.
        method = request.method if request.method in _METHODS else "OTHER"
        _ANSWERED.labels(route, method, str(response.status_code)).inc()
        _SECONDS.labels(route).observe(time.monotonic() - begun)
        return response
