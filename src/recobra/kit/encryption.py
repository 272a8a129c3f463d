"""Texts encrypted with the data keys: AES-256-GCM, the key's id inside the value, its place as associated data.

A value is `enc1.<key id>.<base64url of nonce, ciphertext and tag>`, or `enc2.…` where the text was packed before (its
length in four bytes, then LZ4). The nonce is 96 random bits, so one key may encrypt 2^32 values before it must be
rotated (NIST SP 800-38D, 8.3). The context (table, column and, where it can be known before the row is stored, the row)
is authenticated and not stored: a value that was copied to another place does not open there.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from .keys import read_key_ring

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from .keys import DataKey

PREFIX: Final = "enc1."
PACKED_PREFIX: Final = "enc2."
HEAD_LENGTH: Final = len("enc1.01234567.")
"""Characters at the beginning of a value that say how and with which key it was encrypted."""
_NONCE_BYTES: Final = 12
_VALUE: Final = re.compile(r"enc[12]\.[0-9a-f]{8}\.[A-Za-z0-9_-]+=*")
_PACK_FROM: Final = 160
"""Bytes from which packing pays: below it saves less than a tenth."""
_LENGTH_BYTES: Final = 4


class Undecryptable(Exception):
    """A value does not open: it belongs to another installation's key, was altered, or was copied from another row."""


def encrypt_text(text: str, *, context: str) -> str:
    """Return a text encrypted with the current key for one place; '' stays ''. Raises KeysUnsuitable."""
    return encrypt_bytes(text.encode(), context=context)


def encrypt_bytes(content: bytes, *, context: str, packs: bool = False, key: DataKey | None = None) -> str:
    """Return bytes encrypted with the current key for one place; none stay ''. Raises KeysUnsuitable.

    `packs`: longer ones are packed first, where that makes them shorter. `key` is the current one, for who
    encrypts many at once and has asked for it already.
    """
    if not content:
        return ""
    prefix = PREFIX
    if packs and len(content) >= _PACK_FROM:
        packed = _pack(content)
        if len(packed) < len(content):
            prefix, content = PACKED_PREFIX, packed
    key = key or read_key_ring().current
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + _cipher(key.secret).encrypt(nonce, content, _bind(context, prefix))
    return f"{prefix}{key.id}.{base64.urlsafe_b64encode(sealed).decode()}"


def decrypt_text(value: str, *, context: str) -> str:
    """Return a value of `encrypt_text` in plain. Raises Undecryptable, KeysUnsuitable."""
    return decrypt_bytes(value, context=context).decode()


def decrypt_bytes(value: str, *, context: str) -> bytes:
    """Return a value of `encrypt_bytes` in plain. Raises Undecryptable, KeysUnsuitable."""
    if not value:
        return b""
    key_id = find_key_id(value)
    key = read_key_ring().find(key_id) if key_id else None
    if key is None:
        raise Undecryptable(f"The key {key_id or '(none)'} is not of this installation.")
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - commands begin without the library

    try:
        sealed = base64.urlsafe_b64decode(value[len(PREFIX) + len(key.id) + 1 :])
        content = _cipher(key.secret).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bind(context, value))
    except (InvalidTag, binascii.Error, ValueError):
        raise Undecryptable(f"A value of {context.partition(':')[0]} was altered or is not of its row.") from None
    return _unpack(content) if value.startswith(PACKED_PREFIX) else content


def is_encrypted(value: str) -> bool:
    """Tell if a text has the form of an encrypted value."""
    return _VALUE.fullmatch(value) is not None


def list_heads(key_id: str) -> list[str]:
    """Return the heads that values have which a key encrypts."""
    return [f"{prefix}{key_id}." for prefix in (PREFIX, PACKED_PREFIX)]


def find_key_id(value: str) -> str | None:
    """Return the id of the key in an encrypted value, None for anything else."""
    if not value.startswith((PREFIX, PACKED_PREFIX)):
        return None
    key_id, _point, _sealed = value[len(PREFIX) :].partition(".")
    return key_id


def _pack(content: bytes) -> bytes:
    """Return bytes with their length, packed: LZ4 takes a third of the time of zlib, most of which is its set-up."""
    import pyarrow as pa  # noqa: PLC0415 - commands begin without the library

    return len(content).to_bytes(_LENGTH_BYTES, "big") + pa.compress(content, codec="lz4_raw", asbytes=True)


def _unpack(packed: bytes) -> bytes:
    """Return bytes as they were before `_pack`."""
    import pyarrow as pa  # noqa: PLC0415 - as above

    length = int.from_bytes(packed[:_LENGTH_BYTES], "big")
    return bytes(pa.decompress(packed[_LENGTH_BYTES:], decompressed_size=length, codec="lz4_raw", asbytes=True))


def _bind(context: str, value: str) -> bytes:
    """Return what is authenticated with a value: its place, and that it was packed."""
    return f"{context}\0packed".encode() if value.startswith(PACKED_PREFIX) else context.encode()


@lru_cache(maxsize=16)
def _cipher(secret: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

    return AESGCM(secret)
