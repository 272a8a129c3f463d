"""Tell a person who opens a link from a program that looks at it: programs announce themselves, most of them."""

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
_AHEAD: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def is_person(request: HttpRequest) -> bool:
    """Return whether a page is read by somebody, as far as can be known: no known program, no look ahead."""
    agent = request.headers.get("User-Agent", "")
    ahead = any(request.headers.get(name, "").lower().startswith(("prefetch", "preview")) for name in _AHEAD)
    return request.method == "GET" and bool(agent) and not ahead and not _PROGRAMS.search(agent)
