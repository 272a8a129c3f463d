"""Files of strangers shown to a scanner for malware: ClamAV's daemon, by its protocol INSTREAM, where one is set up."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from recobra.kit.sizes import MEGABYTE

SECONDS: Final = 30
_CHUNK: Final = MEGABYTE
_ANSWER_MAX: Final = 4_096


class ScannerFailed(Exception):
    """The scanner did not answer, or not as it should: nothing is known of the file."""


def find_malware(content: bytes) -> str:
    """Return the name of what a scanner finds in a file, '' for nothing or where no scanner is set up.

    Raises ScannerFailed.
    """
    if not settings.ANTIVIRUS:
        return ""
    try:
        with closing(_connect(settings.ANTIVIRUS)) as connection:
            connection.sendall(b"zINSTREAM\0")
            for start in range(0, len(content), _CHUNK):
                chunk = content[start : start + _CHUNK]
                connection.sendall(len(chunk).to_bytes(4, "big") + chunk)
            connection.sendall(bytes(4))
            answer = _read_answer(connection)
    except (OSError, ValueError) as error:
        raise ScannerFailed(str(error)) from error
    # «stream: OK», «stream: Eicar-Signature FOUND», «INSTREAM size limit exceeded. ERROR»
    if answer == "stream: OK":
        return ""
    if answer.startswith("stream: ") and answer.endswith(" FOUND"):
        return answer.removeprefix("stream: ").removesuffix(" FOUND")
    raise ScannerFailed(answer)


def _connect(address: str) -> socket.socket:
    """Return a connection to `unix:/path` or `tcp:host:port`. Raises OSError, ValueError."""
    parts = urlsplit(address.replace("tcp:", "tcp://", 1))
    if parts.scheme == "tcp":
        return socket.create_connection((parts.hostname, parts.port), timeout=SECONDS)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(SECONDS)
        connection.connect(parts.path)
    except OSError:
        connection.close()
        raise
    return connection


def _read_answer(connection: socket.socket) -> str:
    answer = b""
    while len(answer) < _ANSWER_MAX and not answer.endswith(b"\0"):
        piece = connection.recv(_ANSWER_MAX)
        if not piece:
            break
        answer += piece
    return answer.rstrip(b"\0").decode(errors="replace")
