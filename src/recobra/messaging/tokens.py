"""Signed links for debtors. Each names the contact that it came with, and nobody can make one up."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.utils.crypto import salted_hmac

_SALT: Final = "recobra.contact.unsubscribe"
_STATEMENT: Final = "recobra.contact.statement"
_MAC_BYTES: Final = 10  # 80 bits: a text message pays for every letter, and whoever guesses must ask us each time
_ID_BYTES: Final = 5
_LENGTH: Final = 20  # of the two together, in letters of base64


def unsubscribe_url(public_id: UUID) -> str:
    """Return the address of the page that stops messages; the same on every try of a contact."""
    return _public_url(f"baja/{Signer(salt=_SALT).sign(public_id.hex)}")


def read_unsubscribe_token(token: str) -> UUID | None:
    """Return the contact that a token was made for, None where it was not made by us."""
    try:
        return UUID(hex=Signer(salt=_SALT).unsign(token))
    except (BadSignature, ValueError):
        return None


def statement_url(contact_id: int) -> str:
    """Return the address of the debtor's statement; the same on every try of a contact.

    Its 20 letters are a signature and, masked by it, the contact's number: nobody learns how many messages leave.
    """
    number = contact_id.to_bytes(_ID_BYTES, "big")
    mac = _sign("sign", number, settings.SECRET_KEY)
    masked = _xor_with_mask(number, mac, settings.SECRET_KEY)
    token = urlsafe_b64encode(mac + masked).decode()
    return _public_url(f"estado/{token}")


def read_statement_token(token: str) -> int | None:
    """Return the id of the contact that a statement's token was made for, None where it was not made by us."""
    if len(token) != _LENGTH:
        return None
    try:
        raw = urlsafe_b64decode(token.encode("ascii"))
    except (NotBase64, UnicodeEncodeError):
        return None
    mac = raw[:_MAC_BYTES]
    masked = raw[_MAC_BYTES:]
    # Links live for as long as people keep messages, so those signed with an earlier key are read too.
    for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        number = _xor_with_mask(masked, mac, key)
        if hmac.compare_digest(_sign("sign", number, key), mac):
            return int.from_bytes(number, "big")
    return None


def _public_url(path: str) -> str:
    return f"{(settings.PORTAL_URL or settings.PUBLIC_URL).rstrip('/')}/d/{path}"


def _sign(use: str, content: bytes, key: str | bytes) -> bytes:
    """Return the signature of some content; `use` keeps signatures for different purposes apart."""
    digest: bytes = salted_hmac(f"{_STATEMENT}.{use}", content, secret=key, algorithm="sha256").digest()
    return digest[:_MAC_BYTES]


def _xor_with_mask(number: bytes, mac: bytes, key: str | bytes) -> bytes:
    """Return a contact's number masked, or a masked one in plain: the operation is its own inverse."""
    mask = _sign("mask", mac, key)
    # The mask is longer than a number, and what a stranger sends may be shorter still.
    return bytes(byte ^ mask_byte for byte, mask_byte in zip(number, mask, strict=False))
