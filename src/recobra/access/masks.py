"""Personal data for eyes that need only recognise it."""

from __future__ import annotations

import re

_MAIL = re.compile(r"[^\s<>@,;:()\[\]\"']+@[^\s<>@,;:()\[\]\"']+")
_DIGITS = re.compile(r"\+?\d(?:[\s().-]?\d){5,}")


def document(value: str) -> str:
    """Return an identity document with only its last three characters readable."""
    return "•" * max(len(value) - 3, 0) + value[-3:] if len(value) > 4 else "•" * len(value)


def contact(value: str) -> str:
    """Return a phone, e-mail or address of which no one could be reached."""
    name, at, domain = value.partition("@")
    if at:
        return f"{name[:1]}•••@{domain}"
    return f"{value[:3]}•••••{value[-2:]}" if len(value) > 6 else "•••"


def prose(text: str) -> str:
    """Return a text of others with the e-mails and the longer numbers in it masked."""
    return _DIGITS.sub(lambda found: contact(found[0]), _MAIL.sub(lambda found: contact(found[0]), text))
