"""The web server: waitress, with limits that hold before a request reaches the product.

A body is refused by its address before a byte of it is kept; a request that dawdles is cut off; and where the
connections run out, those that only wait make room for those that ask.
"""

from __future__ import annotations

import copy
import time
from collections import Counter
from functools import partial
from typing import Any, Final

from waitress.adjustments import Adjustments
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.utilities import BadRequest, Error

from recobra.cli import request_end
from recobra.kit import body_limits, upload_pass
from recobra.kit.sizes import MEGABYTE

THREADS: Final = 8
CONNECTIONS_MAX: Final = 400
HEADER_BYTES_MAX: Final = 32 * 1024
# All bodies that are on their way here at the same time, apart from files of people who may load them.
BODIES_BYTES_MAX: Final = 128 * MEGABYTE
# A request has so many seconds, and one more for so many bytes.
REQUEST_SECONDS: Final = 20
BYTES_PER_SECOND: Final = 4_096
# A connection without a request, or with an answer that nobody fetches, is closed after so many seconds.
IDLE_SECONDS: Final = 60
CHECK_SECONDS: Final = 1


class TooBusy(Error):
    """More is being sent than is kept at a time."""

    code = 503
    reason = "Service Unavailable"


class LimitedParser(HTTPRequestParser):
    """Reads one request, and refuses by its address what is too large, before any of its body is kept."""

    adj: Adjustments
    error: Error | None

    def __init__(self, adj: Adjustments, *, channel: LimitedChannel) -> None:
        super().__init__(adj)
        self.began_at = time.monotonic()
        # Bytes of body that are expected and count against those of all other requests.
        self.counted_bytes = 0
        self._channel = channel

    def received(self, data: bytes) -> int:
        """Take in bytes and return how many of them belong to this request (waitress calls this)."""
        if not self.headers_finished and request_end.has_bare_line_feed(self._head_with(data)):
            self.error = BadRequest("a line ends with a line feed alone")
            self.completed = True
            return len(data)
        consumed = super().received(data)
        if self.error is not None:
            # Whoever waits for «100 Continue» gets the refusal instead.
            self.expect_continue = False
        return int(consumed)

    def parse_header(self, header_plus: bytes) -> None:
        """Read the head of the request, and choose the limit of its body (waitress calls this). Raises ParsingError."""
        fault = request_end.find_fault(header_plus.removesuffix(b"\r\n\r\n"))
        if fault:
            raise ParsingError(fault)
        super().parse_header(header_plus)
        if self.chunked:
            self.body_rcv = request_end.ChunkedBody(OverflowableBuffer(self.adj.inbuf_overflow))
        elif not self.content_length:
            return
        path = str(self.path)
        has_pass = path == body_limits.LOAD_PATH and self._has_upload_pass()
        limit = body_limits.limit_body(path, has_upload_pass=has_pass)
        # A body of just so many bytes is taken; waitress refuses at its limit.
        self.adj = copy.copy(self.adj)
        self.adj.max_request_body_size = limit + 1
        if has_pass:
            return
        expected = limit if self.chunked else self.content_length
        if not self.chunked and expected > limit:
            return
        if self._channel.server.count_bytes() + expected > BODIES_BYTES_MAX:
            self.error = TooBusy("too many bodies are on their way")
            self.completed = True
            return
        self.counted_bytes = expected

    def _head_with(self, data: bytes) -> bytes:
        """Return what is known of the head once `data` has come."""
        return bytes(self.header_plus + data).lstrip(b"\r\n").partition(b"\r\n\r\n")[0]

    def _has_upload_pass(self) -> bool:
        """Return whether the request brings the cookie that the page of a new load gives."""
        return upload_pass.is_in(str(self.headers.get("COOKIE", "")))


class LimitedChannel(HTTPChannel):
    """One connection."""

    server: LimitedServer
    request: LimitedParser | None
    requests: list[LimitedParser]

    def __init__(self, *arguments: Any, **more: Any) -> None:
        self.parser_class = partial(LimitedParser, channel=self)
        self._read_at = time.monotonic()
        super().__init__(*arguments, **more)

    @property
    def is_waiting(self) -> bool:
        """Whether the connection waits for its peer: no request of it is being answered."""
        return not self.requests and not self.will_close

    @property
    def waiting_since(self) -> float:
        """Since when the connection has brought no whole request, in seconds of the clock that only goes forward."""
        return self.request.began_at if self.request is not None else self._read_at

    def handle_read(self) -> None:
        """Read what has come (waitress calls this)."""
        self._read_at = time.monotonic()
        super().handle_read()

    def is_overdue(self, now: float) -> bool:
        """Return whether the connection is to be closed; `now` is waitress's time."""
        if self.request is not None and not self.requests:
            received = self.request.header_bytes_received + self.request.body_bytes_received
            return time.monotonic() - self.request.began_at > REQUEST_SECONDS + received / BYTES_PER_SECOND
        # An answer that nobody fetches holds a thread once it is larger than what is kept of it.
        has_answer_waiting = bool(self.total_outbufs_len)
        is_idle = now - self.last_activity > IDLE_SECONDS
        return is_idle and (has_answer_waiting or not self.requests)


class LimitedServer(TcpWSGIServer):
    """The server: closes connections that dawdle or wait too long, and those that wait when there are too many."""

    channel_class = LimitedChannel
    active_channels: dict[int, LimitedChannel]

    def maintenance(self, now: float) -> None:
        """Close what is overdue (waitress calls this)."""
        for channel in list(self.active_channels.values()):
            if channel.is_overdue(now):
                # At once: who fetches nothing leaves no room to write into, and waitress would wait for that.
                channel.handle_close()

    def handle_accept(self) -> None:
        """Accept a connection, in whose favour a waiting one goes where there are too many (waitress calls this)."""
        super().handle_accept()
        if len(self.active_channels) > CONNECTIONS_MAX:
            self._close_longest_waiting()

    def count_bytes(self) -> int:
        """Return how many bytes of bodies are expected by all connections together."""
        expected = 0
        for channel in self.active_channels.values():
            arriving = [] if channel.request is None else [channel.request]
            expected += sum(request.counted_bytes for request in (*channel.requests, *arriving))
        return expected

    def _close_longest_waiting(self) -> None:
        """Close the connection that has waited longest, of the address that has most of those that wait."""
        # The newest is the one that was accepted just now: it has not had the time to ask.
        newest = max(self.active_channels.values(), key=lambda channel: channel.creation_time, default=None)
        waiting = [each for each in self.active_channels.values() if each.is_waiting and each is not newest]
        if not waiting:
            return
        counts = Counter(channel.addr[0] for channel in waiting)
        busiest = counts.most_common(1)[0][0]
        of_busiest = [channel for channel in waiting if channel.addr[0] == busiest]
        min(of_busiest, key=lambda channel: channel.waiting_since).will_close = True


def create_server(application: Any, *, host: str, port: int) -> LimitedServer:
    """Take the port and return a server, whose `run` serves. Raises OSError where the port is taken."""
    adjustments = Adjustments(
        host=host,
        port=port,
        threads=THREADS,
        ident="recobra",
        # What a proxy tells is read by `kit/proxies.py`; waitress would drop it.
        clear_untrusted_proxy_headers=False,
        # Above the number at which a waiting connection makes room, so that there is always one to accept.
        connection_limit=2 * CONNECTIONS_MAX,
        cleanup_interval=CHECK_SECONDS,
        channel_timeout=IDLE_SECONDS,
        max_request_header_size=HEADER_BYTES_MAX,
        asyncore_use_poll=True,
    )
    return LimitedServer(application, adj=adjustments)
