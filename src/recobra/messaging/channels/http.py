"""Calls to providers over HTTP, by one rule: what may have been read by the provider is never sent again.

A call ends as a `Reply`, as `Unsent` (certainly not read by anybody) or as `Lost` (nobody knows). aiohttp itself
repeats GET, PUT and DELETE once when a kept connection breaks; the middleware below takes the break away from it.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import (
    AddrInfoType,
    ClientError,
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    FormData,
    SocketFactoryType,
    TCPConnector,
    TraceConfig,
)
from django.conf import settings
from django.utils.translation import gettext as _

from recobra.messaging import reasons
from recobra.messaging.channels.adapter import Unsuitable
from recobra.messaging.channels.base import Bounce, Outcome, OutcomeKind

CONNECT_SECONDS: Final = 10.0
TOTAL_SECONDS: Final = 30.0
MOST_ANSWER_BYTES: Final = 1_000_000
_SAID_CHARACTERS: Final = 500
# Where IPv6 carries the addresses of IPv4 (RFC 6052).
_CARRIED: Final = ipaddress.ip_network("64:ff9b::/96")
# Refusals of what was asked, not of who asks or of when.
_THIS_MESSAGE: Final = frozenset({400, 406, 409, 410, 413, 414, 415, 422})


class Unsent(Exception):
    """No byte of the request reached the provider: it may be tried again."""


class Lost(Exception):
    """The request may have reached the provider, and no whole answer came back."""


class TooLarge(Exception):
    """The answer is larger than was allowed."""


@dataclass(frozen=True)
class Reply:
    """A whole answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def json(self) -> Any:
        """Return the answer read as JSON, None where it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def said(self) -> str:
        """Return status and words on one line, for people."""
        words = " ".join(self.body.decode("utf-8", "replace").split())
        return f"{self.status} {words}"[:_SAID_CHARACTERS]

    @property
    def retry_after(self) -> float | None:
        """Return the seconds that the provider asks to wait, None where it does not say (RFC 9110, 10.2.3)."""
        given = self.headers.get("retry-after", "").strip()
        if given.isdecimal():
            return float(given)
        try:
            # A date is compared with the provider's own clock.
            wait = parsedate_to_datetime(given) - parsedate_to_datetime(self.headers["date"])
        except (KeyError, ValueError, TypeError):
            return None
        return max(0.0, wait.total_seconds())


def base_url(text: str) -> str:
    """Return an address to call without its last slash, after looking at where it leads. Raises Unsuitable."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Unsuitable(_("«%(text)s» is no address like https://api.example.com.") % {"text": text})
    local = is_loopback(parts.hostname)
    if settings.DEMO and not local:
        raise Unsuitable(
            _("In demonstration mode nothing leaves the machine, but the address is %(host)s.")
            % {"host": parts.hostname}
        )
    if parts.scheme == "http" and not local:
        raise Unsuitable(_("What is sent to a provider is private: the address must begin with https://."))
    return text.rstrip("/")


def is_loopback(host: str) -> bool:
    """Return whether what is sent to a host stays on this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the open internet: not of this machine, its network or a cloud's own."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        carried = ipaddress.IPv4Address(int(found) & 0xFFFF_FFFF) if found in _CARRIED else None
        found = found.ipv4_mapped or found.sixtofour or carried or found
    return found.is_global and not found.is_multicast


def open_socket(info: AddrInfoType) -> socket.socket:
    """Open a socket for an address that was looked up."""
    family, kind, protocol, _name, _address = info
    return socket.socket(family, kind, protocol)


def open_public(info: AddrInfoType) -> socket.socket:
    """Open a socket for an address of the open internet; what is looked at is what is connected to. Raises OSError."""
    if not is_public(str(info[4][0])):
        raise OSError(f"{info[4][0]} is no public address.")
    return open_socket(info)


@asynccontextmanager
async def session(
    *, connections: int = 64, total_seconds: float | None = None, sockets: SocketFactoryType = open_socket
) -> AsyncIterator[ClientSession]:
    """Open connections for a run of calls; redirects, proxies, cookies and credentials of the machine play no part."""
    async with ClientSession(
        connector=TCPConnector(limit=connections, keepalive_timeout=10, ttl_dns_cache=60, socket_factory=sockets),
        timeout=ClientTimeout(total=total_seconds or TOTAL_SECONDS, sock_connect=CONNECT_SECONDS),
        middlewares=(_once,),
        trace_configs=[_tracing()],
        auto_decompress=True,
        trust_env=False,
    ) as opened:
        yield opened


async def call(
    session: ClientSession,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    data: bytes | FormData | None = None,
    json: Any = None,
    most_bytes: int = MOST_ANSWER_BYTES,
) -> Reply:
    """Make one call, once. Raises Unsent, Lost, TooLarge."""
    way = _Way()
    try:
        async with session.request(
            method, url, headers=headers, data=data, json=json, allow_redirects=False, trace_request_ctx=way
        ) as response:
            body = await _read(response, most_bytes)
            return Reply(response.status, {k.lower(): v for k, v in response.headers.items()}, body)
    except (ClientError, OSError, ValueError, _Broken) as error:  # asyncio's TimeoutError is an OSError
        raise (Lost if way.open else Unsent)(_words(error)) from error


@dataclass
class _Way:
    """Whether there was a connection, TLS included, on which the request could be written."""

    open: bool = False


def _tracing() -> TraceConfig:
    async def opened(_session: object, context: SimpleNamespace, _params: object) -> None:
        context.trace_request_ctx.open = True

    tracing = TraceConfig()
    tracing.on_connection_create_end.append(opened)
    tracing.on_connection_reuseconn.append(opened)
    return tracing


class _Broken(Exception):
    """A connection that broke, under a name that aiohttp does not take as leave to ask once more."""


async def _once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    try:
        return await handler(request)
    except (ClientError, OSError) as error:
        raise _Broken(_words(error)) from error


async def _read(response: ClientResponse, most_bytes: int) -> bytes:
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > most_bytes:
            response.close()
            raise TooLarge(f"The answer is larger than {most_bytes} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


async def download(url: str, *, headers: Mapping[str, str], most_bytes: int) -> bytes:
    """Fetch a file, following one redirect to where a provider keeps its files. Raises Unsuitable.

    Credentials stay with the provider: they are not sent along to another host. A provider of the open internet leads
    nobody into the company's own network.
    """
    reached: list[str] = []

    def noting(info: AddrInfoType) -> socket.socket:
        reached.append(str(info[4][0]))
        return open_socket(info)

    try:
        async with session(sockets=noting) as opened:
            reply = await call(opened, "GET", base_url(url), headers=headers, most_bytes=most_bytes)
        if reply.status in {301, 302, 307, 308}:
            there = base_url(reply.headers.get("location", ""))
            async with session(sockets=open_public if all(map(is_public, reached)) else open_socket) as opened:
                reply = await call(opened, "GET", there, most_bytes=most_bytes)
    except (Unsent, Lost, TooLarge) as error:
        raise Unsuitable(str(error)) from error
    if reply.status != 200:
        raise Unsuitable(_("The file is not to be had: %(answer)s") % {"answer": reply.status})
    return reply.body


def accepted(reply: Reply, reference: str) -> Outcome:
    """Return that the provider took the message, under its own id where it says one."""
    return Outcome(kind=OutcomeKind.SENT, answer=reply.said, provider_reference=reference)


def unsent(error: Unsent) -> Outcome:
    """Return what a call that reached nobody says about the message."""
    return Outcome(kind=OutcomeKind.RETRY, reason=reasons.UNREACHABLE, answer=str(error), unreachable=True)


def lost(error: Lost | TooLarge) -> Outcome:
    """Return what a call without an answer says about the message."""
    return Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=str(error))


def refused(reply: Reply, *, bounce: Bounce | None = None, unusable: bool = False) -> Outcome:
    """Return what a refusal of this very message says: it is not tried again."""
    return Outcome(kind=OutcomeKind.FAILED, reason=reasons.REFUSED, answer=reply.said, bounce=bounce, unusable=unusable)


def by_status(reply: Reply, *, retry_server_errors: bool = False) -> Outcome:
    """Return what a status other than success says where the provider gives no code that is known.

    RFC 9110 lets a server fail after it did the work, so 5xx is a doubt unless the provider's own paper says
    otherwise. Wrong credentials, no credit, an address that moved: every message would meet them, so none is given
    up for it.
    """
    if reply.status >= 500 and not retry_server_errors:
        return Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=reply.said)
    return refused(reply) if reply.status in _THIS_MESSAGE else put_off(reply)


def put_off(reply: Reply, *, unreachable: bool = True) -> Outcome:
    """Return what «too many» or «not now» says: refused for certain, to be tried later."""
    return Outcome(
        kind=OutcomeKind.RETRY,
        reason=reasons.UNREACHABLE if unreachable else reasons.REFUSED,
        answer=reply.said,
        unreachable=unreachable,
        retry_after=reply.retry_after,
    )


def _words(error: Exception) -> str:
    words = str(error) if isinstance(error, _Broken) else f"{type(error).__name__}: {error}"
    return " ".join(words.split())[:_SAID_CHARACTERS]
