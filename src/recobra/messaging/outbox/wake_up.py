"""The call that wakes dispatchers with nothing to do as soon as new messages are committed, by NOTIFY of PostgreSQL.

A call may get lost, behind a pooler that hands sessions around or while a dispatcher is busy: it saves waiting, and
nothing depends on it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import psycopg
from django.db import connection

_CHANNEL: Final = "recobra_outbox"
_LOOK_SECONDS: Final = 0.25
"""How often a dispatcher that waits looks whether it should stop."""


def call_dispatchers() -> None:
    """Wake the dispatchers of this database when the transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [_CHANNEL])


def listen_for_calls() -> None:
    """Let calls reach this connection from now on; those that come while it is busy are kept for `wait_for_call`."""
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {_CHANNEL}")


def wait_for_call(*, seconds: float, is_stopping: Callable[[], bool]) -> None:
    """Return when a call has come, after so many seconds, or shortly after `is_stopping` has become true."""
    connection.ensure_connection()
    wire = connection.connection
    assert isinstance(wire, psycopg.Connection)
    end = time.monotonic() + seconds
    while not is_stopping() and (rest := end - time.monotonic()) > 0:
        if list(wire.notifies(timeout=min(rest, _LOOK_SECONDS), stop_after=1)):
            return
