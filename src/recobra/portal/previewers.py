"""Recognition of programs that open links: most of them announce themselves."""

from __future__ import annotations

import re
from typing import Final

from django.http import HttpRequest

_PROGRAMS: Final = re.compile(
    r"bot\b|bot/|crawl|spider|preview|scan|whatsapp|facebookexternalhit|facebot|telegram|slack|discord|skype|linkedin"
    r"|embedly|pinterest|vkshare|google-safety|googleimageproxy|microsoft office|ms-office|outlook|safelinks|barracuda"
    r"|proofpoint|mimecast|curl|wget|python|okhttp|java/|go-http|headless|monitor",
    re.IGNORECASE,
)
_PREFETCH_HEADERS: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def is_person(request: HttpRequest) -> bool:
    """Return whether a person opens the page, as far as can be known: no known program, no prefetch."""
    agent = request.headers.get("User-Agent", "")
    is_prefetch = any(
        request.headers.get(name, "").lower().startswith(("prefetch", "preview")) for name in _PREFETCH_HEADERS
    )
    return request.method == "GET" and bool(agent) and not is_prefetch and not _PROGRAMS.search(agent)
