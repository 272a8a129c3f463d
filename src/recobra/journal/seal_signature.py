"""Signatures under seals, by the key with which the installation signs its evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography import x509

    from recobra.kit.typeset.signature import Identity

Signers = Mapping[str, "x509.Certificate"]
"""Certificates of those who may have signed, by their fingerprint."""
_PREFIX: Final = b"recobra-journal-seal/1\n"


def own_identity(*, now: datetime) -> Identity:
    """Return the key and certificate of this installation, made on first use. Raises KeyUnsuitable."""
    from recobra.kit.typeset.signature import load_identity  # noqa: PLC0415 - only who signs or checks waits for it

    return load_identity(now=now)


def trusted_signers(*, certificates: Sequence[x509.Certificate] = (), now: datetime) -> Signers:
    """Return this installation's certificate and further ones, by fingerprint."""
    from recobra.kit.typeset.signature import fingerprint  # noqa: PLC0415 - as above

    return {fingerprint(each): each for each in (own_identity(now=now).certificate, *certificates)}


def sign_digest(digest: bytes, *, own: Identity) -> bytes:
    """Return the signature under a seal: ECDSA with SHA-256, in DER."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    return own.key.sign(_PREFIX + digest, ec.ECDSA(hashes.SHA256()))


def has_signed(digest: bytes, signature: bytes, *, certificate: x509.Certificate) -> bool:
    """Return whether the owner of a certificate signed a seal."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    try:
        key.verify(signature, _PREFIX + digest, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True
