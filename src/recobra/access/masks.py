"""Masks of personal data for people who need only recognise it."""

from __future__ import annotations

import re

_MAIL = re.compile(r"[^\s<>@,;:()\[\]\"']+@[^\s<>@,;:()\[\]\"']+")
_DIGITS = re.compile(r"\+?\d(?:[\s().-]?\d){5,}")


def mask_document(value: str) -> str:
    """Return an identity document with only its last three characters readable."""
    return "•" * max(len(value) - 3, 0) + value[-3:] if len(value) > 4 else "•" * len(value)


def mask_contact(value: str) -> str:
    """Return a phone, e-mail or address with too little readable to reach anybody by it."""
    name, sign, domain = value.partition("@")
    if sign:
        return f"{name[:1]}•••@{domain}"
    return f"{value[:3]}•••••{value[-2:]}" if len(value) > 6 else "•••"


def mask_text(text: str) -> str:
    """Return a text with the e-mails and the longer numbers in it masked."""
    # E-mails first: the digits of their names would be masked as a number, and the rest left to read.
    masked = _MAIL.sub(lambda match: mask_contact(match[0]), text)
    return _DIGITS.sub(lambda match: mask_contact(match[0]), masked)
