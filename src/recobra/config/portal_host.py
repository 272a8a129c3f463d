"""The pages of debtors under a host name of their own, which opens nothing else: browsers keep the two apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseRedirect
from django.http.request import split_domain_port

_PORTAL: Final = "/d/"
_ROBOTS: Final = "/robots.txt"


class PortalHost:
    """Middleware: with RECOBRA_PORTAL_URL set, each host name answers for its own pages alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request; a page of the other host is not there, and links sent before lead to their new host."""
        if not settings.PORTAL_HOST:
            return self.get_response(request)
        host, _port = split_domain_port(request.get_host())
        is_portal_page = request.path.startswith(_PORTAL)
        if host == settings.PORTAL_HOST:
            is_served = is_portal_page or request.path == _ROBOTS or request.path.startswith(settings.STATIC_URL)
            return self.get_response(request) if is_served else HttpResponseNotFound()
        # What is posted was sent by a page from before, or by a mail program for its reader, which follows no way on
        # (RFC 8058): who asks for silence is heard.
        if is_portal_page and request.method in {"GET", "HEAD"}:
            return HttpResponseRedirect(settings.PORTAL_URL + request.get_full_path())
        return self.get_response(request)
