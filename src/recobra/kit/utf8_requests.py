"""Requests are read as UTF-8, the encoding of every page and so of every form; one that says otherwise is refused.

Django reads the address and the fields in the encoding that a request names, before any middleware sees it. Python
knows some that are none of text, at which that fails, and others that turn harmless bytes into anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.utils.http import parse_header_parameters

_UTF8: Final = frozenset({"utf-8", "utf8"})
_CALLS_OF_MACHINES: Final = "/api/"


def read_as_utf8(application: WSGIApplication) -> WSGIApplication:
    """Return a web application to which no request comes that is in another encoding.

    What providers call comes in any case: who knows the provider reads its bytes.
    """

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if "charset" not in (stated := environ.get("CONTENT_TYPE", "").lower()) and "*" not in stated:
            return application(environ, start_response)
        try:
            kind, parameters = parse_header_parameters(environ["CONTENT_TYPE"])
            is_utf8 = parameters.get("charset", "utf-8").lower() in _UTF8
        except ValueError:  # a parameter in an encoding that does not exist
            kind, parameters, is_utf8 = environ["CONTENT_TYPE"].partition(";")[0], {}, False
        if not is_utf8 and not environ.get("PATH_INFO", "").startswith(_CALLS_OF_MACHINES):
            status = HTTPStatus.BAD_REQUEST
            start_response(f"{status.value} {status.phrase}", [("Content-Length", "0")])
            return []
        boundary = parameters.get("boundary", "").replace("\\", "").replace('"', "")
        environ["CONTENT_TYPE"] = f'{kind}; boundary="{boundary}"' if boundary else kind
        return application(environ, start_response)

    return answer
