"""Limits of attempts at passwords, codes and links: shared by all processes, and counted before the check.

A limit lets a number of attempts through at once and then one more for each interval that passes; an attempt that
succeeds is given back. Strangers use up their own limits, never those of a browser in which the user has signed in
before (`devices.py`): nobody can lock anybody else out. docs/sign_in.md gives the rules.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from django.db import connection, transaction
from django.utils.crypto import salted_hmac

from recobra.kit import clock


@dataclass(frozen=True, kw_only=True)
class Limit:
    """So many attempts at once, then one more for each interval."""

    attempts: int
    interval: timedelta


PER_DEVICE: Final = Limit(attempts=10, interval=timedelta(minutes=1))
"""In a browser in which the user has signed in before."""
PER_USER_AND_ADDRESS: Final = Limit(attempts=5, interval=timedelta(minutes=2))
"""On one user from one address, in browsers that are new to the user."""
PER_USER: Final = Limit(attempts=50, interval=timedelta(minutes=10))
"""On one user from all addresses, in browsers that are new to the user."""
PER_ADDRESS: Final = Limit(attempts=30, interval=timedelta(seconds=20))
"""From one address on any users, in browsers that are new to them; refused attempts do not count."""
PER_SUBJECT: Final = Limit(attempts=5, interval=timedelta(minutes=2))
"""Of one person at one thing, such as a page that is refused: how often it is written down."""
PER_NETWORK: Final = Limit(attempts=200, interval=timedelta(seconds=2))
"""Of one network at something that proves nothing yet and costs a little, such as a way to the company's provider."""

_FREED_PER_ATTEMPT: Final = 20
"""More than an attempt adds, so that the table shrinks to what is in use."""


@dataclass(frozen=True)
class Paused:
    """An attempt was refused: for how long at least, and how often in a row the limit has refused by now."""

    minutes: int
    refused: int


def sign_in_limits(*, purpose: str, name: str, address: str, device: str | None) -> dict[bytes, Limit]:
    """Return the limits of an attempt on a user, by key.

    `purpose` keeps passwords and codes apart. `device` is what the browser is known by to this user, None for a
    browser that is new to the user.
    """
    user = name.casefold()
    if device is not None:
        return {_key(purpose, "device", device): PER_DEVICE}
    network = _network(address)
    return {
        _key(purpose, "user and address", user, network): PER_USER_AND_ADDRESS,
        _key(purpose, "user", user): PER_USER,
        _key(purpose, "address", network): PER_ADDRESS,
    }


def subject_limits(*, purpose: str, subject: str) -> dict[bytes, Limit]:
    """Return the limit of one person at one thing, by key."""
    return {_key(purpose, "subject", subject): PER_SUBJECT}


def network_limits(*, purpose: str, address: str) -> dict[bytes, Limit]:
    """Return the limit of one network at one thing, by key."""
    return {_key(purpose, "network", _network(address)): PER_NETWORK}


def admit(limits: Mapping[bytes, Limit], *, now: datetime) -> Paused | None:
    """Count an attempt against its limits; one that any of them refuses counts against none.

    One statement counts and decides, so attempts at the same time cannot pass together. Returns None for an attempt
    that may go on.
    """
    _free_unused(now)
    with transaction.atomic():
        counted = _count(limits, now)
        if len(counted) == len(limits):
            return None
        transaction.set_rollback(True)
    return _record_refusal([key for key in limits if key not in counted], limits, now)


def give_back(limits: Mapping[bytes, Limit]) -> None:
    """Take an attempt back that succeeded: from whoever knows the password nobody is guessing."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE access_attemptlimit kept SET busy_until = busy_until - asked.step
            FROM unnest(%s::bytea[], %s::interval[]) AS asked (key, step) WHERE kept.key = asked.key""",
            _columns(limits),
        )


def _count(limits: Mapping[bytes, Limit], now: datetime) -> set[bytes]:
    """Move each limit on by its interval where it has room; return the keys of those."""
    # Always in the order of the keys, so that two attempts cannot wait for each other.
    ordered = dict(sorted(limits.items()))
    keys, steps = _columns(ordered)
    room = [limit.attempts * limit.interval for limit in ordered.values()]
    with connection.cursor() as cursor:
        # No limit is busy for longer than all its attempts: later dates are of a clock that was wrong, and would keep
        # everybody out until then.
        cursor.execute(
            """UPDATE access_attemptlimit kept SET busy_until = %s
            FROM unnest(%s::bytea[], %s::interval[]) AS asked (key, room)
            WHERE kept.key = asked.key AND kept.busy_until > %s::timestamptz + asked.room""",
            [now, keys, room, now + clock.TOLERANCE],
        )
        cursor.execute(
            """
            WITH asked (key, step, room) AS (SELECT * FROM unnest(%(keys)s::bytea[], %(steps)s::interval[],
                %(room)s::interval[]))
            INSERT INTO access_attemptlimit AS kept (key, busy_until, refused)
            SELECT key, %(now)s + step, 0 FROM asked
            ON CONFLICT (key) DO UPDATE SET
                busy_until = greatest(kept.busy_until, %(now)s) + (excluded.busy_until - %(now)s),
                refused = CASE WHEN kept.busy_until < %(now)s THEN 0 ELSE kept.refused END
            WHERE greatest(kept.busy_until, %(now)s) + (excluded.busy_until - %(now)s) - %(now)s
                <= (SELECT room FROM asked WHERE asked.key = kept.key)
            RETURNING key""",
            {"keys": keys, "steps": steps, "room": room, "now": now},
        )
        return {bytes(key) for (key,) in cursor.fetchall()}


def _record_refusal(keys: list[bytes], limits: Mapping[bytes, Limit], now: datetime) -> Paused:
    """Count a refusal against the limits that refused; return how long the longest of them lasts."""
    refusing = {key: limits[key] for key in keys}
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE access_attemptlimit kept SET refused = refused + 1
            FROM unnest(%s::bytea[], %s::interval[], %s::interval[]) AS asked (key, step, room)
            WHERE kept.key = asked.key
            RETURNING kept.busy_until + asked.step - asked.room, kept.refused""",
            [*_columns(refusing), [limit.attempts * limit.interval for limit in refusing.values()]],
        )
        rows = cursor.fetchall()
    # Whatever refused may have become free meanwhile.
    free_at = max((free_at for free_at, _refused in rows), default=now)
    refused = min((refused for _free_at, refused in rows), default=1)
    return Paused(max(1, ceil((free_at - now) / timedelta(minutes=1))), refused)


def _free_unused(now: datetime) -> None:
    """Delete some limits that nobody uses any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            """DELETE FROM access_attemptlimit WHERE key IN (SELECT key FROM access_attemptlimit
            WHERE busy_until < %s ORDER BY busy_until LIMIT %s FOR UPDATE SKIP LOCKED)""",
            [now, _FREED_PER_ATTEMPT],
        )


def _columns(limits: Mapping[bytes, Limit]) -> tuple[list[bytes], list[timedelta]]:
    return list(limits), [limit.interval for limit in limits.values()]


def _key(*parts: str) -> bytes:
    """Return the key of a limit, which cannot be read back: what is typed for a name may be a password."""
    return salted_hmac("recobra.access.throttle", "\0".join(parts), algorithm="sha256").digest()


def _network(address: str) -> str:
    """Return what counts as one address: of IPv6 the network that one customer gets."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
