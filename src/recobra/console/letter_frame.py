"""The HTML of a message in a frame of its own, where nothing in it can run, load or reach the page around it."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse

# Mail programs read styles inside the text only, so a message has them there; nothing else of it is let in.
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox"
)


def show_letter(html: str) -> HttpResponse:
    """Return the HTML of a message as a document for an `<iframe sandbox="">`."""
    return HttpResponse(html, headers={"Content-Security-Policy": _POLICY})
