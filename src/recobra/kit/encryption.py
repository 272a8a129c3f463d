"""Texts encrypted with the data keys: AES-256-GCM, the key's id inside the value, its place as associated data.

A value is `enc1.<key id>.<base64url of nonce, ciphertext and tag>`. The nonce is 96 random bits, so one key may encrypt
2^32 values before it must be rotated (NIST SP 800-38D, 8.3). The context (table, column and, where it can be known
before the row is stored, the row) is authenticated and not stored: a value that was copied to another place does not
open there.
"""

from __future__ import annotations

import base64
import binascii
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from .keys import read_key_ring

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFIX: Final = "enc1."
_NONCE_BYTES: Final = 12


class Undecryptable(Exception):
    """A value does not open: it belongs to another installation's key, was altered, or was copied from another row."""


def encrypt_text(text: str, *, context: str) -> str:
    """Return a text encrypted with the current key for one place; '' stays ''. Raises KeysUnsuitable."""
    if not text:
        return ""
    key = read_key_ring().current
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + _cipher(key.secret).encrypt(nonce, text.encode(), context.encode())
    return f"{PREFIX}{key.id}.{base64.urlsafe_b64encode(sealed).decode()}"


def decrypt_text(value: str, *, context: str) -> str:
    """Return a value of `encrypt_text` in plain. Raises Undecryptable, KeysUnsuitable."""
    if not value:
        return ""
    key_id = find_key_id(value)
    key = read_key_ring().find(key_id) if key_id else None
    if key is None:
        raise Undecryptable(f"The key {key_id or '(none)'} is not of this installation.")
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - commands begin without the library

    try:
        sealed = base64.urlsafe_b64decode(value[len(PREFIX) + len(key.id) + 1 :])
        text = _cipher(key.secret).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context.encode())
    except (InvalidTag, binascii.Error, ValueError):
        raise Undecryptable(f"A value of {context.partition(':')[0]} was altered or is not of its row.") from None
    return text.decode()


def find_key_id(value: str) -> str | None:
    """Return the id of the key in an encrypted value, None for anything else."""
    if not value.startswith(PREFIX):
        return None
    key_id, _point, _sealed = value[len(PREFIX) :].partition(".")
    return key_id


@lru_cache(maxsize=16)
def _cipher(secret: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

    return AESGCM(secret)
