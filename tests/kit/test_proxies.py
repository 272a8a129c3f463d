"""Behind the company's proxy: what it says of the caller counts, what anybody else says does not."""

import ipaddress

import pytest
from django.http import HttpResponse
from django.test import RequestFactory

from recobra.kit.proxies import TrueAddress

PROXY = [ipaddress.ip_network("127.0.0.1"), ipaddress.ip_network("10.0.0.0/8")]


def ask(**headers):
    """Return the address, the scheme and the host that a view sees."""
    seen = []

    def view(request):
        seen.append((request.META["REMOTE_ADDR"], request.scheme, request.META.get("HTTP_HOST", "")))
        assert not [name for name in request.META if "FORWARDED" in name]
        return HttpResponse()

    TrueAddress(view)(RequestFactory().get("/", **{"REMOTE_ADDR": "127.0.0.1", **headers}))
    return seen[0]


@pytest.fixture(autouse=True)
def _trusted(settings):
    settings.TRUSTED_PROXIES = PROXY


@pytest.mark.parametrize(
    ("chain", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("198.51.100.1, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
        ("unknown", "127.0.0.1"),
        ("203.0.113.7, <script>", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_the_last_stranger_of_the_chain_is_who_calls(chain, address):
    assert ask(HTTP_X_FORWARDED_FOR=chain)[0] == address


def test_scheme_and_host_are_the_proxys():
    headers = {"HTTP_X_FORWARDED_FOR": "203.0.113.7", "HTTP_X_FORWARDED_PROTO": "https"}
    assert ask(**headers, HTTP_X_FORWARDED_HOST="cobranzas.example") == ("203.0.113.7", "https", "cobranzas.example")


def test_who_is_no_proxy_is_not_believed():
    headers = {"HTTP_X_FORWARDED_FOR": "1.2.3.4", "HTTP_X_FORWARDED_PROTO": "https", "HTTP_FORWARDED": "for=1.2.3.4"}
    assert ask(REMOTE_ADDR="203.0.113.9", **headers)[:2] == ("203.0.113.9", "http")


def test_only_the_header_that_the_proxy_writes_is_read(settings):
    both = {"HTTP_X_FORWARDED_FOR": "203.0.113.7", "HTTP_FORWARDED": 'for=1.2.3.4, for="[2001:db8::9]:80";proto=https'}
    assert ask(**both)[:2] == ("203.0.113.7", "http")
    settings.PROXY_HEADERS = "forwarded"
    assert ask(**both)[:2] == ("2001:db8::9", "https")
