"""`/metrics`: figures of the installation for Prometheus, to whoever has the token of RECOBRA_METRICS_TOKEN."""

from __future__ import annotations

import hmac

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from recobra.installation.metrics import build_registry
from recobra.kit import clock
from recobra.kit.request_metrics import REQUESTS


@require_safe
@never_cache
@login_not_required
def show_metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the figures; 404 without the setting or with another token, as if there were no such page."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.METRICS_TOKEN or not hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        return HttpResponse(status=404)
    registry = build_registry(now=clock.now())
    return HttpResponse(generate_latest(registry) + generate_latest(REQUESTS), content_type=CONTENT_TYPE_LATEST)
