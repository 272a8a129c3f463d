"""The file of a backup: a tar archive in encrypted chunks, which nobody opens without the passphrase or private key.

    RECOBRA1                    8 bytes
    length of the header        4 bytes, big-endian
    header                      JSON: format, created_at, prefix (7 bytes, base64), recipients
    chunks                      length (4 bytes), AES-256-GCM of at most 1 MiB of the archive

The key of the file is drawn for it alone and stands in the header once for each recipient, wrapped: by a passphrase
(scrypt, then AES-256-GCM), an RSA key of at least 3072 bits (OAEP with SHA-256), or an X25519 key (an ephemeral key,
HKDF-SHA-256, then AES-256-GCM). The nonce of a chunk is the prefix, its number and a byte that is 1 for the last one
(the STREAM construction); the SHA-256 of everything before the chunks is authenticated with each. So a changed,
missing, doubled or moved byte anywhere is found, and so is a file that was cut. The texts of refusals are English:
a restore has no settings, and so no language, before it has the keys. «Instalación» translates those that a backup of
the schedule can meet.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any, Final

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from django.utils.translation import gettext_noop

MAGIC: Final = b"RECOBRA1"
FORMAT: Final = "recobra-backup/1"
CHUNK: Final = 1 << 20
MIN_PASSPHRASE: Final = 15
MIN_RSA_BITS: Final = 3072
_MAX_HEADER: Final = 1 << 16
_TAG: Final = 16
_KEY_BYTES: Final = 32
_PREFIX_BYTES: Final = 7
_SCRYPT_N: Final = 1 << 17
_WRAP: Final = b"recobra backup key"


class ContainerRefused(Exception):
    """A backup cannot be written or opened; the text says why and is shown as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """What a backup is closed with: a passphrase, the PEM of a public key, or both."""

    passphrase: str = field(default="", repr=False)
    public_key: bytes = b""

    def __post_init__(self) -> None:
        if self.passphrase and len(self.passphrase) < MIN_PASSPHRASE:
            raise ContainerRefused(gettext_noop("The passphrase needs at least 15 characters."))
        if not self.passphrase and not self.public_key:
            raise ContainerRefused(gettext_noop("A passphrase or a public key is needed: the backup holds the keys."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """What a backup is opened with: its passphrase, or the PEM of a private key."""

    passphrase: str = field(default="", repr=False)
    private_key: bytes = field(default=b"", repr=False)


class ChunkWriter(io.RawIOBase):
    """A file that encrypts what is written to it; `close` writes the last chunk."""

    def __init__(self, out: IO[bytes], *, lock: Lock, now: datetime) -> None:
        self._out = out
        self._buffer = bytearray()
        self._number = 0
        key = os.urandom(_KEY_BYTES)
        prefix = os.urandom(_PREFIX_BYTES)
        header = {
            "format": FORMAT,
            "created_at": now.isoformat(),
            "prefix": _to_text(prefix),
            "recipients": [*_wrap_key(key, lock)],
        }
        encoded = json.dumps(header).encode()
        opening = MAGIC + len(encoded).to_bytes(4, "big") + encoded
        out.write(opening)
        self._cipher = _Chunks(key, prefix, opening)

    def writable(self) -> bool:
        """Tell that this file is written."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes; those of a whole chunk go to the file."""
        self._buffer += data
        # The last chunk is marked, so a whole one waits until something follows it.
        while len(self._buffer) > CHUNK:
            self._put(bytes(self._buffer[:CHUNK]), is_last=False)
            del self._buffer[:CHUNK]
        return len(data)

    def close(self) -> None:
        """Write the last chunk; the file itself stays open."""
        if not self.closed:
            self._put(bytes(self._buffer), is_last=True)
        super().close()

    def _put(self, plain: bytes, *, is_last: bool) -> None:
        sealed = self._cipher.seal(self._number, plain, is_last=is_last)
        self._out.write(len(sealed).to_bytes(4, "big") + sealed)
        self._number += 1


class ChunkReader(io.RawIOBase):
    """A backup in plain, read from its beginning. Raises ContainerRefused where a byte is not as it was written."""

    def __init__(self, source: IO[bytes], *, opener: Opener) -> None:
        self._source = source
        self._opening, self.header = _read_header(source)
        key = _unwrap_key(self.header, opener)
        self._cipher = _Chunks(key, _from_text(self.header["prefix"]), self._opening)
        self._number = 0
        self._plain = b""
        self._is_over = False

    def readable(self) -> bool:
        """Tell that this file is read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer from the next chunks; 0 at the end."""
        while not self._plain and not self._is_over:
            self._plain = self._next_chunk()
        taken = self._plain[: len(buffer)]
        buffer[: len(taken)] = taken
        self._plain = self._plain[len(taken) :]
        return len(taken)

    def _next_chunk(self) -> bytes:
        length = int.from_bytes(_read_exactly(self._source, 4), "big")
        if not _TAG <= length <= CHUNK + _TAG:
            raise _damaged()
        sealed = _read_exactly(self._source, length)
        # Whether it is the last one is authenticated: what follows it, or is missing, cannot pass for the end.
        self._is_over = not self._source.read(1)
        if not self._is_over:
            self._source.seek(-1, os.SEEK_CUR)
        plain = self._cipher.open(self._number, sealed, is_last=self._is_over)
        self._number += 1
        return plain


class _Chunks:
    """The cipher of the chunks of one file."""

    def __init__(self, key: bytes, prefix: bytes, opening: bytes) -> None:
        self._cipher = AESGCM(key)
        self._prefix = prefix
        self._context = hashlib.sha256(opening).digest()

    def seal(self, number: int, plain: bytes, *, is_last: bool) -> bytes:
        return self._cipher.encrypt(self._nonce(number, is_last=is_last), plain, self._context)

    def open(self, number: int, sealed: bytes, *, is_last: bool) -> bytes:
        try:
            return self._cipher.decrypt(self._nonce(number, is_last=is_last), sealed, self._context)
        except InvalidTag:
            raise _damaged() from None

    def _nonce(self, number: int, *, is_last: bool) -> bytes:
        return self._prefix + number.to_bytes(4, "big") + bytes([is_last])


def _damaged() -> ContainerRefused:
    return ContainerRefused("The backup is damaged or was changed: nothing was restored.")


def _read_exactly(source: IO[bytes], length: int) -> bytes:
    read = source.read(length)
    if len(read) != length:
        raise _damaged()
    return read


def _read_header(source: IO[bytes]) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes before the chunks, and the header in them. Raises ContainerRefused."""
    magic = source.read(len(MAGIC))
    if magic != MAGIC:
        raise ContainerRefused("This is no backup of Recobra, or its beginning is damaged.")
    length = _read_exactly(source, 4)
    if int.from_bytes(length, "big") > _MAX_HEADER:
        raise _damaged()
    encoded = _read_exactly(source, int.from_bytes(length, "big"))
    try:
        header = json.loads(encoded)
        is_known = header["format"] == FORMAT and isinstance(header["recipients"], list)
        prefix = _from_text(header["prefix"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _damaged() from None
    if len(prefix) != _PREFIX_BYTES:
        raise _damaged()
    if not is_known:
        raise ContainerRefused("The backup is of a version of Recobra that this one does not read.")
    return magic + length + encoded, header


def _wrap_key(key: bytes, lock: Lock) -> Iterator[dict[str, Any]]:
    """Yield the key of the file for each of its recipients. Raises ContainerRefused."""
    if lock.passphrase:
        salt = os.urandom(16)
        wrapping = _stretch(lock.passphrase, salt, _SCRYPT_N)
        yield {"kind": "scrypt", "salt": _to_text(salt), "n": _SCRYPT_N, "key": _to_text(_wrap(wrapping, key))}
    if lock.public_key:
        public = _load_public(lock.public_key)
        if isinstance(public, rsa.RSAPublicKey):
            yield {"kind": "rsa", "key": _to_text(public.encrypt(key, _OAEP))}
        else:
            own = x25519.X25519PrivateKey.generate()
            agreed = _derive(own.exchange(public))
            sent = own.public_key().public_bytes_raw()
            yield {"kind": "x25519", "ephemeral": _to_text(sent), "key": _to_text(_wrap(agreed, key))}


def _unwrap_key(header: dict[str, Any], opener: Opener) -> bytes:
    """Return the key of a file. Raises ContainerRefused."""
    private = _load_private(opener.private_key) if opener.private_key else None
    for recipient in header["recipients"]:
        try:
            key = _unwrap_for(recipient, opener.passphrase, private)
        except (InvalidTag, ValueError, KeyError, TypeError):
            continue
        if key is not None and len(key) == _KEY_BYTES:
            return key
    raise ContainerRefused("It does not open: another passphrase or key closed it, or its header is damaged.")


def _unwrap_for(
    recipient: dict[str, Any], passphrase: str, private: rsa.RSAPrivateKey | x25519.X25519PrivateKey | None
) -> bytes | None:
    """Return the key that is wrapped for a recipient, None where nothing was given for its kind."""
    wrapped = _from_text(recipient["key"])
    if recipient["kind"] == "scrypt" and passphrase:
        # Whoever forges a header must not choose how much memory it takes.
        if recipient["n"] != _SCRYPT_N:
            return None
        return _unwrap(_stretch(passphrase, _from_text(recipient["salt"]), _SCRYPT_N), wrapped)
    if recipient["kind"] == "rsa" and isinstance(private, rsa.RSAPrivateKey):
        return private.decrypt(wrapped, _OAEP)
    if recipient["kind"] == "x25519" and isinstance(private, x25519.X25519PrivateKey):
        sent = x25519.X25519PublicKey.from_public_bytes(_from_text(recipient["ephemeral"]))
        return _unwrap(_derive(private.exchange(sent)), wrapped)
    return None


_OAEP: Final = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)


def _stretch(passphrase: str, salt: bytes, n: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=n, r=8, p=1).derive(passphrase.encode())


def _derive(agreed: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_WRAP).derive(agreed)


def _wrap(wrapping: bytes, key: bytes) -> bytes:
    nonce = os.urandom(12)
    return nonce + AESGCM(wrapping).encrypt(nonce, key, _WRAP)


def _unwrap(wrapping: bytes, wrapped: bytes) -> bytes:
    return AESGCM(wrapping).decrypt(wrapped[:12], wrapped[12:], _WRAP)


def _load_public(pem: bytes) -> rsa.RSAPublicKey | x25519.X25519PublicKey:
    """Return a public key that a backup may be closed with. Raises ContainerRefused."""
    try:
        key = serialization.load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise ContainerRefused(gettext_noop("The public key cannot be read: a PEM file was expected.")) from None
    if isinstance(key, x25519.X25519PublicKey) or (isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS):
        return key
    raise ContainerRefused(
        gettext_noop("The public key is of a kind that is not used: RSA of 3072 bits or more, or X25519.")
    )


def _load_private(pem: bytes) -> rsa.RSAPrivateKey | x25519.X25519PrivateKey:
    """Return a private key that opens a backup. Raises ContainerRefused."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ContainerRefused("The private key cannot be read: a PEM file without password was expected.") from None
    if isinstance(key, (rsa.RSAPrivateKey, x25519.X25519PrivateKey)):
        return key
    raise ContainerRefused("The private key opens no backup: RSA or X25519 was expected.")


def _to_text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _from_text(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
