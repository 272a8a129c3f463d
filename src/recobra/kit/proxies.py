"""The true address, scheme and host of a request that came through a proxy of the company.

What a proxy says counts only where the proxy is named in `RECOBRA_TRUSTED_PROXIES`, and only in the one kind of header
that it writes (`RECOBRA_PROXY_HEADERS`): of the other kind, whoever calls could write anything.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_HEADERS: Final = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_FORWARDED")
_PAIR: Final = re.compile(r'\s*([a-zA-Z]+)=("[^"]*"|[^;,"]*)\s*')


class TrueAddress:
    """Middleware, the first of all: what follows reads `REMOTE_ADDR`, the scheme and the host as if without a proxy."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Put what a trusted proxy says in the request's place, and drop the headers in any case."""
        meta = request.META
        said: dict[str, str] = {name: str(meta.pop(name)) for name in _HEADERS if name in meta}
        if said and _is_trusted(str(meta.get("REMOTE_ADDR", ""))):
            hops = _read_forwarded(said) if settings.PROXY_HEADERS == "forwarded" else _read_x_forwarded(said)
            _apply(meta, hops)
        return self.get_response(request)


def _apply(meta: dict[str, object], hops: Sequence[dict[str, str]]) -> None:
    """Go back from hop to hop as long as those who tell are trusted; the first stranger is who calls."""
    for hop in reversed(hops):
        address = _bare_address(hop.get("for", ""))
        if address is None:
            return
        meta["REMOTE_ADDR"] = address
        if hop.get("proto") in {"http", "https"}:
            meta["wsgi.url_scheme"] = hop["proto"]
        if hop.get("host"):
            meta["HTTP_HOST"] = hop["host"]
        if not _is_trusted(address):
            return


def _read_x_forwarded(said: dict[str, str]) -> list[dict[str, str]]:
    """Return the hops of the X-Forwarded headers, the oldest first; scheme and host belong to the last one."""
    hops = [{"for": text} for text in said.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    for key, header in (("proto", "HTTP_X_FORWARDED_PROTO"), ("host", "HTTP_X_FORWARDED_HOST")):
        if header in said:
            hops[-1][key] = said[header].rpartition(",")[2].strip()
    return hops


def _read_forwarded(said: dict[str, str]) -> list[dict[str, str]]:
    """Return the hops of the Forwarded header (RFC 7239), the oldest first."""
    hops: list[dict[str, str]] = []
    for element in said.get("HTTP_FORWARDED", "").split(","):
        pairs = [_PAIR.fullmatch(pair) for pair in element.split(";")]
        hops.append({pair[1].lower(): pair[2].strip('"') for pair in pairs if pair})
    return hops


def _bare_address(text: str) -> str | None:
    """Return an address without its port and brackets, None for what is no address."""
    text = text.strip()
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::\d+)?", text)
    bare = bracketed[1] if bracketed else re.sub(r"^(\d+\.\d+\.\d+\.\d+):\d+$", r"\1", text)
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None


def _is_trusted(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in settings.TRUSTED_PROXIES)
