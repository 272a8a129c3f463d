"""What programs that read the web are told: that nothing here is for them."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe


@login_not_required
@require_safe
def show_robots(_request: HttpRequest) -> HttpResponse:
    """Show the rules for robots (RFC 9309)."""
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")
