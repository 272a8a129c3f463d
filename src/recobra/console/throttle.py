"""Slow down whoever guesses passwords: so many failures per user and address, then a pause.

Kept in the process's own cache: no table grows under an attack, and a restart forgives everybody.
"""

from __future__ import annotations

import hashlib

from django.core.cache import cache

FAILURES_PER_USER = 5
FAILURES_PER_ADDRESS = 30
PAUSE_MINUTES = 10


def paused(username: str, address: str) -> bool:
    """Return whether this user from this address, or the address as a whole, must wait."""
    of_user, of_address = _keys(username, address)
    return cache.get(of_user, 0) >= FAILURES_PER_USER or cache.get(of_address, 0) >= FAILURES_PER_ADDRESS


def failed(username: str, address: str) -> None:
    """Count a failure; the pause runs from the last one."""
    for key in _keys(username, address):
        cache.set(key, cache.get(key, 0) + 1, PAUSE_MINUTES * 60)


def forgive(username: str, address: str) -> None:
    """Forget the failures of a user who has come in."""
    cache.delete(_keys(username, address)[0])


def _keys(username: str, address: str) -> tuple[str, str]:
    person = hashlib.sha256(f"{username.lower()}\n{address}".encode()).hexdigest()
    return f"sign-in:{person}", f"sign-in-address:{address}"
