"""What every page of the console needs."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest


def shell(_request: HttpRequest) -> dict[str, object]:
    """Return the facts of the page's frame."""
    return {"demo": settings.DEMO}
