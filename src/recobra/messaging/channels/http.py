"""Calls to providers over HTTP, by one rule: what a provider may have read is never sent again.

A call ends as a `Reply`, as `RequestUnsent` (certainly read by nobody) or as `ReplyLost` (nobody knows).
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
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, Final

from aiohttp import (
    AddrInfoType,
    ClientError,
    ClientHandlerType,
    ClientRequest,
    ClientResponse,
    ClientSession,
    ClientTimeout,
    FormData,
    TCPConnector,
    ThreadedResolver,
    TraceConfig,
)
from aiohttp.abc import ResolveResult
from django.conf import settings
from django.utils.translation import gettext as _

from recobra.kit import outgoing_rule
from recobra.messaging import reasons
from recobra.messaging.channels.adapter import Unsuitable
from recobra.messaging.channels.base import Bounce, Outcome, OutcomeKind

CONNECT_SECONDS: Final = 10.0
TOTAL_SECONDS: Final = 30.0
CHECK_SECONDS: Final = 8.0
MAX_ANSWER_BYTES: Final = 1_000_000
_SUMMARY_CHARACTERS: Final = 500
_PHRASES: Final = {int(status): status.phrase for status in HTTPStatus}
# Statuses that refuse this request; the others refuse the account, or the moment.
_REFUSES_MESSAGE: Final = frozenset({400, 406, 409, 410, 413, 414, 415, 422})


class RequestUnsent(Exception):
    """No byte of the request reached the provider: it may be tried again."""


class ReplyLost(Exception):
    """The request may have reached the provider, and no whole answer came back."""


class ReplyTooLarge(Exception):
    """The answer is larger than was allowed."""


@dataclass(frozen=True)
class Reply:
    """A whole answer; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @cached_property
    def json(self) -> Any:
        """Return the body parsed as JSON, None where it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def summary(self) -> str:
        """Return status and body on one line, for people."""
        text = " ".join(self.body.decode("utf-8", "replace").split())
        return f"{self.status} {text}"[:_SUMMARY_CHARACTERS]

    @property
    def retry_after(self) -> float | None:
        """Return the seconds that the provider asks to wait, None where it does not say (RFC 9110, 10.2.3)."""
        value = self.headers.get("retry-after", "").strip()
        if value.isdecimal():
            return float(value)
        try:
            # A date is compared with the provider's own clock.
            wait = parsedate_to_datetime(value) - parsedate_to_datetime(self.headers["date"])
        except (KeyError, ValueError, TypeError):
            return None
        return max(0.0, wait.total_seconds())


def validate_base_url(text: str) -> str:
    """Return the address of a provider without its last slash. Raises Unsuitable where it must not be called."""
    parts = outgoing_rule.split_url(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Unsuitable(_("«%(text)s» is no address like https://api.example.com.") % {"text": text})
    on_this_machine = outgoing_rule.is_loopback(parts.hostname)
    if settings.DEMO and not on_this_machine:
        raise Unsuitable(
            _("In demonstration mode nothing leaves the machine, but the address is %(host)s.")
            % {"host": parts.hostname}
        )
    if parts.scheme == "http" and not on_this_machine:
        raise Unsuitable(_("What is sent to a provider is private: the address must begin with https://."))
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if not outgoing_rule.may_call(parts.hostname, port) or _is_barred_address(parts.hostname, port):
        raise Unsuitable(
            _("%(host)s may not be called from here: whoever runs the server can allow it.")
            % {"host": f"{parts.hostname}:{port}"}
        )
    return text.rstrip("/")


def _is_barred_address(host: str, port: int) -> bool:
    """Return whether a host is written as an IP address that may not be connected to."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return not outgoing_rule.may_connect(host, host, port)


class _JudgedConnector(TCPConnector):
    """Connections to addresses that may be called, each judged when it is opened, by the name that led to it."""

    def __init__(self, *, only_public: bool, opened: list[str], **more: Any) -> None:
        self._names = _NotingResolver()
        super().__init__(resolver=self._names, socket_factory=self._open_socket, **more)
        self._only_public = only_public
        self._opened = opened

    def _open_socket(self, info: AddrInfoType) -> socket.socket:
        """Open a socket for a resolved address. Raises OSError for one that may not be called."""
        family, kind, protocol, _name, (address, port, *_more) = info
        # Judged here and not by the host's name: a name can resolve differently the next time it is looked up.
        names = self._names.by_address.get((address, port), {address})
        may_connect = any(outgoing_rule.may_connect(address, name, port) for name in names)
        if not may_connect or (self._only_public and not outgoing_rule.is_public(address)):
            raise OSError("The address may not be called.")
        self._opened.append(address)
        return socket.socket(family, kind, protocol)


class _NotingResolver(ThreadedResolver):
    """The system's resolver, which keeps by what names an address was found."""

    def __init__(self) -> None:
        super().__init__()
        self.by_address: dict[tuple[str, int], set[str]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host (aiohttp calls this)."""
        found = await super().resolve(host, port, family)
        for each in found:
            self.by_address.setdefault((each["host"], each["port"]), set()).add(host)
        return found


def judged_connector() -> TCPConnector:
    """Return a connector for a session of one's own, to addresses that may be called (`kit/outgoing_rule.py`)."""
    return _JudgedConnector(only_public=False, opened=[])


@asynccontextmanager
async def open_session(
    *,
    connections: int = 64,
    total_seconds: float | None = None,
    only_public: bool = False,
    opened: list[str] | None = None,
) -> AsyncIterator[ClientSession]:
    """Open a session for a run of calls, to addresses that may be called (`kit/outgoing_rule.py`).

    `only_public` leaves out what the operator named inside the company's own network; the addresses that were
    connected to are added to `opened`. Proxies and credentials of the environment are ignored.
    """
    async with ClientSession(
        connector=_JudgedConnector(
            only_public=only_public,
            opened=[] if opened is None else opened,
            limit=connections,
            keepalive_timeout=10,
            ttl_dns_cache=60,
        ),
        timeout=ClientTimeout(total=total_seconds or TOTAL_SECONDS, sock_connect=CONNECT_SECONDS),
        middlewares=(_forbid_repeat,),
        trace_configs=[_trace_connections()],
        auto_decompress=True,
        trust_env=False,
    ) as session:
        yield session


async def call(
    session: ClientSession,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    data: bytes | FormData | None = None,
    json: Any = None,
    max_bytes: int = MAX_ANSWER_BYTES,
) -> Reply:
    """Make one call, once, without following redirects. Raises RequestUnsent, ReplyLost, ReplyTooLarge."""
    trace = _CallTrace()
    try:
        async with session.request(
            method, url, headers=headers, data=data, json=json, allow_redirects=False, trace_request_ctx=trace
        ) as response:
            body = await _read_body(response, max_bytes)
            lower_headers = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status, lower_headers, body)
    except (ClientError, OSError, ValueError, _ConnectionBroken) as error:  # asyncio's TimeoutError is an OSError
        if trace.has_connected:
            raise ReplyLost(_describe_error(error)) from error
        raise RequestUnsent(_describe_error(error)) from error


@dataclass
class _CallTrace:
    """Whether there was a connection, TLS included, on which the request could be written."""

    has_connected: bool = False


def _trace_connections() -> TraceConfig:
    """Return a trace that marks the `_CallTrace` of a request once it has a connection."""

    async def note_connection(_session: object, context: SimpleNamespace, _params: object) -> None:
        context.trace_request_ctx.has_connected = True

    trace_config = TraceConfig()
    trace_config.on_connection_create_end.append(note_connection)
    trace_config.on_connection_reuseconn.append(note_connection)
    return trace_config


class _ConnectionBroken(Exception):
    """A broken connection, as an exception that aiohttp does not retry."""


async def _forbid_repeat(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Run a request so that aiohttp does not repeat it. Raises _ConnectionBroken."""
    # aiohttp repeats GET, PUT and DELETE once when a kept connection breaks, and a GET may send an SMS too. It knows
    # such a break by the class of the exception, so that another class prevents it.
    try:
        return await handler(request)
    except (ClientError, OSError) as error:
        raise _ConnectionBroken(_describe_error(error)) from error


async def _read_body(response: ClientResponse, max_bytes: int) -> bytes:
    """Return the whole body of a response. Raises ReplyTooLarge as soon as it exceeds `max_bytes`."""
    chunks = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > max_bytes:
            response.close()
            raise ReplyTooLarge(f"The answer is larger than {max_bytes} bytes.")
        chunks.append(chunk)
    return b"".join(chunks)


async def download_file(url: str, *, headers: Mapping[str, str], max_bytes: int) -> bytes:
    """Return the content of a file, following one redirect to the provider's file store. Raises Unsuitable."""
    opened: list[str] = []
    try:
        async with open_session(opened=opened) as session:
            reply = await call(session, "GET", validate_base_url(url), headers=headers, max_bytes=max_bytes)
        if reply.status in {301, 302, 307, 308}:
            location = validate_base_url(reply.headers.get("location", ""))
            # A provider on the public internet must not send us into the company's own network.
            async with open_session(only_public=all(map(outgoing_rule.is_public, opened))) as session:
                # Without the headers: the credentials are for the provider, not for another host.
                reply = await call(session, "GET", location, max_bytes=max_bytes)
    except (RequestUnsent, ReplyLost, ReplyTooLarge) as error:
        raise Unsuitable(str(error)) from error
    if reply.status != 200:
        raise Unsuitable(_("The file is not to be had: %(answer)s") % {"answer": reply.status})
    return reply.body


def describe_check(reply: Reply) -> str:
    """Return what a test of the settings tells of an answer: its status, and nothing that the other side wrote."""
    return f"{reply.status} {_PHRASES.get(reply.status, '')}".strip()


def describe_check_error(error: Exception) -> str:
    """Return what a test tells where it failed: what is wrong with the settings, or that there was no answer.

    An address where nothing listens, one that is silent and one that may not be called look alike.
    """
    return str(error) if isinstance(error, Unsuitable) else _("There was no answer from the address.")


def sent_outcome(reply: Reply, reference: str) -> Outcome:
    """Return the outcome of a message that the provider took; `reference` is the provider's id of it, or ''."""
    return Outcome(kind=OutcomeKind.SENT, answer=reply.summary, provider_reference=reference)


def unsent_outcome(error: RequestUnsent) -> Outcome:
    """Return the outcome of a call that reached nobody."""
    return Outcome(kind=OutcomeKind.RETRY, reason=reasons.UNREACHABLE, answer=str(error), unreachable=True)


def lost_outcome(error: ReplyLost | ReplyTooLarge) -> Outcome:
    """Return the outcome of a call without a whole answer."""
    return Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=str(error))


def refused_outcome(reply: Reply, *, bounce: Bounce | None = None, unusable: bool = False) -> Outcome:
    """Return the outcome of a refusal of this very message: it is not tried again."""
    return Outcome(
        kind=OutcomeKind.FAILED, reason=reasons.REFUSED, answer=reply.summary, bounce=bounce, unusable=unusable
    )


def outcome_by_status(reply: Reply, *, retry_server_errors: bool = False) -> Outcome:
    """Return the outcome of an unsuccessful status, where the provider gives no code that is known."""
    # RFC 9110 lets a server fail after it did the work: 5xx is a doubt unless the provider's document says otherwise.
    if reply.status >= 500 and not retry_server_errors:
        return Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=reply.summary)
    # Wrong credentials, no credit, an address that moved: every message would meet them, so none is given up for it.
    return refused_outcome(reply) if reply.status in _REFUSES_MESSAGE else retry_outcome(reply)


def retry_outcome(reply: Reply, *, unreachable: bool = True) -> Outcome:
    """Return the outcome of «too many» or «not now»: refused for certain, to be tried later."""
    return Outcome(
        kind=OutcomeKind.RETRY,
        reason=reasons.UNREACHABLE if unreachable else reasons.REFUSED,
        answer=reply.summary,
        unreachable=unreachable,
        retry_after=reply.retry_after,
    )


def _describe_error(error: Exception) -> str:
    text = str(error) if isinstance(error, _ConnectionBroken) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:_SUMMARY_CHARACTERS]
