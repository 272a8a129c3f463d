"""Whether a number or address is silenced. `consent` knows it and registers the question: it stands above this app."""

from __future__ import annotations

from typing import Protocol


class SilenceCheck(Protocol):
    """Tell if nothing may be sent to a number or address, whoever has it."""

    def __call__(self, *, kind: str, value: str) -> bool:
        """Return the answer for a kind of contact point and its value."""


_CHECKS: list[SilenceCheck] = []


def register_silence_check(check: SilenceCheck) -> None:
    """Let a check answer `is_silenced`; called at start. Django may start an app more than once in a process."""
    if check not in _CHECKS:
        _CHECKS.append(check)


def is_silenced(*, kind: str, value: str) -> bool:
    """Return whether nothing may be sent to a number or address. Raises RuntimeError where nobody can tell."""
    if not _CHECKS:
        raise RuntimeError("No check of silences is registered: it is not known whether anything may be sent.")
    return any(check(kind=kind, value=value) for check in _CHECKS)
