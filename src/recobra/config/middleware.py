"""What holds for all requests and answers: bounded bodies, no odd text, nothing kept, a reload that leads on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.cache import patch_cache_control
from django.utils.deprecation import MiddlewareMixin

from recobra.kit import body_limits, upload_pass
from recobra.kit.page_above import page_above

# The largest number of a row in PostgreSQL.
_BIGINT_MAX: Final = 2**63 - 1
# What the pages do not use. Passkeys and the button that copies a text need the two last ones.
_PERMISSIONS: Final = ", ".join(
    [
        *(
            f"{name}=()"
            for name in (
                "accelerometer",
                "browsing-topics",
                "camera",
                "display-capture",
                "geolocation",
                "gyroscope",
                "magnetometer",
                "microphone",
                "midi",
                "payment",
                "screen-wake-lock",
                "usb",
                "xr-spatial-tracking",
            )
        ),
        "clipboard-write=(self)",
        "publickey-credentials-get=(self)",
    ]
)
Answer = Callable[[HttpRequest], HttpResponse]


class SecurityHeaders(MiddlewareMixin):
    """Headers that Django's own middlewares do not set, on every answer, static files included."""

    def process_response(self, _request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Add the headers; those that a view set stay."""
        response.headers.setdefault("Permissions-Policy", _PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
        if settings.HSTS_SECONDS:
            # Also where a proxy ends TLS and this process sees plain HTTP: browsers ignore the header there.
            response.headers.setdefault(
                "Strict-Transport-Security", f"max-age={settings.HSTS_SECONDS}; includeSubDomains"
            )
        return response


class KeepNothing(MiddlewareMixin):
    """No page is kept by a browser or a proxy: nearly all of them show personal data. Static files may be kept."""

    def process_response(self, _request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Forbid to store the answer."""
        patch_cache_control(response, no_store=True, private=True)
        return response


class LimitBody(MiddlewareMixin):
    """Refuse a body that is larger than its address takes, whatever server is in front: none of it is read then."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Return the refusal, None to go on."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        # Django takes a length that is none for an empty body.
        if not length.isascii() or not length.isdecimal():
            return None
        has_pass = upload_pass.is_in(request.META.get("HTTP_COOKIE", ""))
        limit = body_limits.limit_body(request.path_info, has_upload_pass=has_pass)
        if int(length) <= limit:
            return None
        # The length lets whoever asked go at once: this comes before the middleware that adds it.
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, headers={"Content-Length": "0"})


class LeadToPage(MiddlewareMixin):
    """Lead whoever reloads the address that a form was sent to back to the form's page, not to a blank answer."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Return a way to the page in place of a refused GET; what other programs call is refused as it was."""
        is_machine = request.resolver_match is None or request.resolver_match.namespace == "api"
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or request.method not in {"GET", "HEAD"}:
            return response
        # A part of a page that asks wrongly is a fault of ours, which must not replace the part by a whole page.
        if is_machine or "HX-Request" in request.headers:
            return response
        return HttpResponseRedirect(page_above(request.path), status=HTTPStatus.SEE_OTHER)


class RefuseOddText(MiddlewareMixin):
    """Refuse what no person types and no column of the database takes: null characters and halves of characters.

    Such text in an address of its own leads nowhere (404); in a parameter or a field it is a bad request (400). What
    providers call is left alone: a debtor's words must be heard whatever is in them (`conversations.webhooks.receive`).
    """

    def process_view(
        self, request: HttpRequest, _view: Answer, _args: tuple[object, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Return the refusal, None to go on. Raises Http404."""
        if request.resolver_match is not None and request.resolver_match.namespace == "api":
            return None
        if any(_is_odd(value) for value in kwargs.values()):
            raise Http404
        fields = [request.GET] if request.method in {"GET", "HEAD"} else [request.GET, request.POST]
        texts = (text for each in fields for name, values in each.lists() for text in (name, *values))
        return HttpResponseBadRequest() if _has_odd_text(texts) else None


def _is_odd(value: object) -> bool:
    """Return whether a part of an address can be no number of a row, or no text."""
    if isinstance(value, int):
        return value > _BIGINT_MAX
    return isinstance(value, str) and _has_odd_text([value])


def _has_odd_text(texts: Iterable[str]) -> bool:
    """Return whether one of the texts cannot be stored."""
    for text in texts:
        if "\0" in text:
            return True
        try:
            text.encode()
        except UnicodeEncodeError:
            return True
    return False
