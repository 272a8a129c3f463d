"""Personal data for eyes that need only recognise it."""

from __future__ import annotations


def document(value: str) -> str:
    """Return an identity document with only its last three characters readable."""
    return "•" * max(len(value) - 3, 0) + value[-3:] if len(value) > 4 else "•" * len(value)


def contact(value: str) -> str:
    """Return a phone, e-mail or address of which no one could be reached."""
    name, at, domain = value.partition("@")
    if at:
        return f"{name[:1]}•••@{domain}"
    return f"{value[:3]}•••••{value[-2:]}" if len(value) > 6 else "•••"
