"""Where a request ends: what a proxy before this server could read in another way is refused, not interpreted.

Whoever makes a proxy and this server disagree about the end of a request sends a second one behind the proxy's back.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from waitress.buffers import OverflowableBuffer
from waitress.receiver import ChunkedReceiver
from waitress.utilities import BadRequest, Error

CHUNK_LINE_BYTES_MAX: Final = 16
_LENGTH_BYTES_MAX: Final = 18
"""Digits of a Content-Length; Python reads no number of thousands of them."""
_CHUNK_SIZE: Final = re.compile(rb"[0-9a-fA-F]{1,8}")
_VERSION: Final = re.compile(rb"HTTP/1\.[01]")
_END: Final = b"\r\n"


def find_fault(head: bytes) -> str:
    """Return what is ambiguous about the head of a request, '' where nothing is; without its last empty line."""
    first, *lines = head.split(_END)
    version = first.rpartition(b" ")[2]
    if not _VERSION.fullmatch(version):
        return "the version of the protocol is not known"
    if any(line.startswith((b" ", b"\t")) for line in lines):
        return "a header over several lines"
    fields = [line.partition(b":") for line in lines]
    counts = Counter(name.strip().lower() for name, _colon, _value in fields)
    if counts[b"content-length"] > 1 or counts[b"transfer-encoding"] > 1:
        return "the length is said twice"
    lengths = [value for name, _colon, value in fields if name.strip().lower() == b"content-length"]
    if lengths and (counts[b"transfer-encoding"] or len(lengths[0].strip()) > _LENGTH_BYTES_MAX):
        return "Content-Length and Transfer-Encoding together, or a length of too many digits"
    if counts[b"transfer-encoding"]:
        (encoding,) = (value for name, _colon, value in fields if name.strip().lower() == b"transfer-encoding")
        if version != b"HTTP/1.1" or encoding.strip(b" \t").lower() != b"chunked":
            return "no other Transfer-Encoding than chunked is taken"
    return ""


def has_bare_line_feed(head: bytes) -> bool:
    """Tell if a line of a head, whole or not, ends with a line feed alone."""
    return b"\n" in head.replace(_END, b"")


class ChunkedBody(ChunkedReceiver):
    """Receives a body in chunks (waitress calls this); without extensions and trailers, which nobody here needs.

    `completed` and `error` say how it stands.
    """

    completed: bool
    error: Error | None

    def __init__(self, buffer: OverflowableBuffer) -> None:
        super().__init__(buffer)
        self._line = b""
        self._chunk_left = 0
        self._is_chunk_ending = False
        self._is_last = False

    def received(self, data: bytes) -> int:
        """Take in bytes and return how many of them belong to the body."""
        rest = self._line + data
        self._line = b""
        while rest and not self.completed and self.error is None:
            if self._chunk_left:
                part = rest[: self._chunk_left]
                self.buf.append(part)
                self._chunk_left -= len(part)
                self._is_chunk_ending = not self._chunk_left
                rest = rest[len(part) :]
                continue
            line, end, after = rest.partition(_END)
            if not end and len(line) <= CHUNK_LINE_BYTES_MAX and b"\n" not in line:
                self._line = line
                return len(data)
            rest = after
            self._read_line(line if end else b"?")
        return len(data) - len(rest)

    def _read_line(self, line: bytes) -> None:
        """Go on by a whole line between the chunks."""
        if self._is_chunk_ending or self._is_last:
            if line:
                self.error = BadRequest("a chunk does not end where it says")
            self._is_chunk_ending = False
            self.completed = self._is_last
        elif _CHUNK_SIZE.fullmatch(line):
            self._chunk_left = int(line, 16)
            self._is_last = not self._chunk_left
        else:
            self.error = BadRequest("the size of a chunk cannot be read")
