"""`/healthz`: whether the installation works, for a load balancer or a monitor; says nothing of the business."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from recobra.insight import health
from recobra.kit import clock


@require_safe
@never_cache
@login_not_required
def show_health(_request: HttpRequest) -> JsonResponse:
    """Answer `ok` or `degraded` for each part; 503 where one is missing that the work needs."""
    parts = health.check_health(settings.DATA_DIR, now=clock.now())
    states = {part.name: "ok" if part.is_ok else "degraded" for part in parts}
    is_ok = all(part.is_ok for part in parts)
    document = {"status": "ok" if is_ok else "degraded", "parts": states}
    return JsonResponse(document, status=200 if health.is_working(parts) else 503)
