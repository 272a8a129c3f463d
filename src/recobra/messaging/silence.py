"""Whether a number or address is silenced. `consent` knows it and registers the question: it stands above this app."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol


class SilenceCheck(Protocol):
    """Tell if nothing may be sent to a number or address, whoever has it."""

    def __call__(self, *, kind: str, value: str) -> bool:
        """Return the answer for a kind of contact point and its value."""


class DigestCheck(Protocol):
    """Return those of some kinds of contact points and values that are silent by a digest: their people are gone."""

    def __call__(self, addresses: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return the silent ones."""


_CHECKS: list[SilenceCheck] = []
_DIGEST_CHECKS: list[DigestCheck] = []


def register_silence_check(check: SilenceCheck) -> None:
    """Let a check answer `is_silenced`; called at start. Django may start an app more than once in a process."""
    if check not in _CHECKS:
        _CHECKS.append(check)


def is_silenced(*, kind: str, value: str) -> bool:
    """Return whether nothing may be sent to a number or address. Raises RuntimeError where nobody can tell."""
    if not _CHECKS:
        raise RuntimeError("No check of silences is registered: it is not known whether anything may be sent.")
    return any(check(kind=kind, value=value) for check in _CHECKS)


def register_digest_check(check: DigestCheck) -> None:
    """Let a check answer `find_digested`; called at start."""
    if check not in _DIGEST_CHECKS:
        _DIGEST_CHECKS.append(check)


def find_digested(addresses: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return those of some kinds and values that are silent though no silence names them any more.

    Raises RuntimeError where nobody can tell.
    """
    if not _DIGEST_CHECKS:
        raise RuntimeError("No check of digests is registered: it is not known whether anything may be sent.")
    return set().union(*(check(addresses) for check in _DIGEST_CHECKS))
