"""Throttling of failed sign-ins: a number of failures per user and address, then a pause.

Kept in the process's own cache: no table grows under an attack, and a restart forgives everybody.
"""

from __future__ import annotations

import hashlib

from django.core.cache import cache

FAILURES_PER_USER = 5
FAILURES_PER_ADDRESS = 30
PAUSE_MINUTES = 10


def is_paused(username: str, address: str) -> bool:
    """Return whether this user from this address, or the address as a whole, must wait."""
    user_key, address_key = _cache_keys(username, address)
    return cache.get(user_key, 0) >= FAILURES_PER_USER or cache.get(address_key, 0) >= FAILURES_PER_ADDRESS


def record_failure(username: str, address: str) -> None:
    """Count a failure; the pause runs from the last one."""
    for key in _cache_keys(username, address):
        cache.set(key, cache.get(key, 0) + 1, PAUSE_MINUTES * 60)


def clear_failures(username: str, address: str) -> None:
    """Clear the failures of a user who has signed in."""
    # Those of the address stay: whoever has one good password could otherwise guess the others for ever.
    user_key, _address_key = _cache_keys(username, address)
    cache.delete(user_key)


def _cache_keys(username: str, address: str) -> tuple[str, str]:
    """Return the keys of two counts of failures: of the user from an address, and of the address as a whole."""
    # Hashed: a name that is typed by mistake may be a password, and cache keys take no blanks.
    digest = hashlib.sha256(f"{username.lower()}\n{address}".encode()).hexdigest()
    return f"sign-in:{digest}", f"sign-in-address:{address}"
