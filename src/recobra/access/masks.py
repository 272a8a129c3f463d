"""Masks of personal data for people who need only recognise it."""

from __future__ import annotations

import re
from collections.abc import Collection

_MAIL = re.compile(r"[^\s<>@,;:()\[\]\"']+@[^\s<>@,;:()\[\]\"']+")
_DIGITS = re.compile(r"\+?\d(?:[\s().-]?\d){5,}")
_READABLE_AT_END = 3
# Up to these lengths nothing stays readable.
_SHORT_DOCUMENT = 4
_SHORT_CONTACT = 6


def mask_document(value: str) -> str:
    """Return an identity document with only its last three characters readable."""
    # Of a document of four characters the last three would tell nearly all.
    if len(value) <= _SHORT_DOCUMENT:
        return "•" * len(value)
    hidden = len(value) - _READABLE_AT_END
    return "•" * hidden + value[-_READABLE_AT_END:]


def mask_contact(value: str) -> str:
    """Return a phone, e-mail or address with too little readable to reach anybody by it."""
    name, sign, domain = value.partition("@")
    if sign:
        return f"{name[:1]}•••@{domain}"
    if len(value) <= _SHORT_CONTACT:
        return "•••"
    return f"{value[:3]}•••••{value[-2:]}"


def mask_text(text: str, *, keep: Collection[str] = ()) -> str:
    """Return a text with the e-mails and the longer numbers in it masked; those of `keep` stay readable."""
    own = {_normalise(value) for value in keep if value}

    def mask(match: re.Match[str]) -> str:
        return match[0] if _normalise(match[0]) in own else mask_contact(match[0])

    # E-mails first: the digits of their names would be masked as a number, and the rest left to read.
    return _DIGITS.sub(mask, _MAIL.sub(mask, text))


def _normalise(value: str) -> str:
    """Return what makes a number or an e-mail the same, however it is punctuated."""
    return value.lower() if "@" in value else "".join(character for character in value if character.isalnum()).lower()


def mask_document_in(text: str, document: str) -> str:
    """Return a text with every appearance of one identity document in it masked, however it is punctuated.

    A text may be a reference: where a file names no customer number, the document is the number.
    """
    characters = [character for character in document if character.isalnum()]
    if len(characters) <= _SHORT_DOCUMENT:
        # So few characters appear in any number; only a text that is the document tells it.
        return mask_document(text) if characters and text.strip() == document.strip() else text
    significant = "".join(characters).lstrip("0") or "".join(characters)
    pattern = r"[\s./-]?".join(re.escape(character) for character in significant)
    return re.sub(pattern, lambda match: mask_document(match[0]), text, flags=re.IGNORECASE)
