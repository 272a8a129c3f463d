"""Where this installation may connect to: the one rule for providers, files, webhooks, mail servers and models.

A host is judged by its name where it is called, and by the address that its name led to where the connection is made,
so that a name that leads elsewhere the next time gains nothing. What the environment names for itself
(`RECOBRA_SMTP_URL` and the like) is the operator's own choice and is called.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

# The providers whose own addresses the product knows.
PROVIDER_HOSTS: Final = (
    "api.sendgrid.com",
    "api.eu.sendgrid.com",
    "api.twilio.com",
    "*.api.twilio.com",
    "graph.facebook.com",
    "lookaside.fbsbx.com",
)
PORTS: Final = frozenset({443})
MAIL_PORTS: Final = frozenset({25, 465, 587, 2525})
MAILBOX_PORTS: Final = frozenset({143, 993})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443, "smtp": 25, "smtps": 465}
# Settings of the environment that are addresses to call.
_NAMED_ADDRESSES: Final = ("SMTP_URL", "LLM_URL", "SEAL_WEBHOOK")
# Where IPv6 carries the addresses of IPv4 (RFC 6052).
_IPV4_IN_IPV6: Final = ipaddress.ip_network("64:ff9b::/96")
# All of IPv6 that is given out (RFC 4291); outside it lie site-local and translated addresses that Python calls global.
_GIVEN_OUT: Final = ipaddress.ip_network("2000::/3")


def split_url(text: str) -> SplitResult:
    """Return the parts of an address, which are empty where it is none, such as `https://[`."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - read here, for a number that is no port raises
    except ValueError:
        return urlsplit("")
    return parts


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Return whether an IP address is on the public internet: not this machine, its network or a cloud's own."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        ip = _embedded_ipv4(ip) or ip
    if isinstance(ip, ipaddress.IPv6Address) and ip not in _GIVEN_OUT:
        return False
    return ip.is_global and not ip.is_multicast


def _embedded_ipv4(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for, None where it is one of its own.

    An address of our own network can be written so that it looks public.
    """
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip in _IPV4_IN_IPV6:
        return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)  # its last 32 bits
    return None


def may_call(host: str, port: int, *, ports: Iterable[int] = PORTS) -> bool:
    """Return whether a host of this name may be called at all; its address is judged when it is connected to."""
    host = host.lower()
    if settings.DEMO:
        return is_loopback(host)
    if is_named_inside(host, port):
        return True
    listed = settings.OUTGOING_HOSTS
    if not listed:
        return port in ports
    is_known = any(fnmatchcase(host, known) for known in PROVIDER_HOSTS)
    return (is_known and port in ports) or any(_matches(entry, host, port, ports) for entry in listed)


def may_connect(address: str, host: str, port: int) -> bool:
    """Return whether an IP address may be connected to, to which the name `host` led."""
    if settings.DEMO:
        return is_loopback(address)
    return is_public(address) or is_named_inside(host.lower(), port)


def is_named_inside(host: str, port: int) -> bool:
    """Return whether the operator named a host that may lie in the company's own network, or on this machine."""
    if any(_matches(entry, host, port, None) for entry in settings.INNER_HOSTS):
        return True
    return (host, port) in {_host_and_port(getattr(settings, name)) for name in _NAMED_ADDRESSES}


def _host_and_port(url: str) -> tuple[str, int]:
    """Return the host and the port to which an address leads."""
    parts = split_url(url)
    return (parts.hostname or "").lower(), parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


def _matches(entry: str, host: str, port: int, ports: Iterable[int] | None) -> bool:
    """Return whether an entry of a list, `name`, `*.name` or either with `:port`, means a host.

    Without a port it means the usual `ports`; None: any.
    """
    name, colon, written_port = entry.rpartition(":") if not entry.endswith("]") else (entry, "", "")
    if not colon:
        name, written_port = entry, ""
    if not fnmatchcase(host, name.strip("[]").lower()):
        return False
    if written_port:
        return written_port == str(port)
    return ports is None or port in ports
