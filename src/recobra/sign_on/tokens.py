"""The check of an ID token (OpenID Connect Core 1.0, 3.1.3.7): the provider's own, for us, about this very sign-in."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from .discovery import JsonObject, Metadata, find_keys
from .refusals import Reason, SignOnRefused

LEEWAY_SECONDS: Final = 60
"""As far as the two clocks may differ."""
AGE_SECONDS_MAX: Final = 600
"""A token comes straight from the provider: one that was issued before the sign-in began belongs to another."""
TOKEN_CHARACTERS_MAX: Final = 64_000
_SUBJECT_LENGTH_MAX: Final = 255
_RSA_BITS_MIN: Final = 2048
_KEY_TYPES: Final = {"RS": ("RSA", None), "PS": ("RSA", None), "Ed": ("OKP", "Ed25519")}
_CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a token of this very sign-in says."""

    client_id: str
    nonce: str
    now: datetime


def check_id_token(token: str, metadata: Metadata, expected: Expected) -> JsonObject:
    """Return the claims of a token that is the provider's, for us, of this sign-in, of now. Raises SignOnRefused."""
    if len(token) > TOKEN_CHARACTERS_MAX:
        raise SignOnRefused(Reason.TOKEN)
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, RecursionError) as error:
        raise SignOnRefused(Reason.TOKEN) from error
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in metadata.algorithms:
        raise SignOnRefused(Reason.ALGORITHM)
    # Another kind of token of the same provider, such as one that ends sessions, is none.
    if str(header.get("typ", "JWT")).upper() != "JWT" or "crit" in header:
        raise SignOnRefused(Reason.TOKEN)
    claims = _verify(token, algorithm, _find_key(metadata, header.get("kid"), algorithm))
    _check_claims(claims, metadata, expected)
    return claims


def _find_key(metadata: Metadata, key_id: object, algorithm: str) -> jwt.PyJWK:
    """Return the one key of the provider that a token may be signed with. Raises SignOnRefused."""
    if key_id is not None and not isinstance(key_id, str):
        raise SignOnRefused(Reason.TOKEN)
    fitting = [each for each in find_keys(metadata, key_id) if _fits(each, algorithm)]
    if len(fitting) != 1:
        raise SignOnRefused(Reason.KEY)
    try:
        key = jwt.PyJWK(fitting[0], algorithm)
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise SignOnRefused(Reason.KEY) from error
    if isinstance(key.key, rsa.RSAPublicKey) and key.key.key_size < _RSA_BITS_MIN:
        raise SignOnRefused(Reason.KEY)
    return key


def _fits(key: JsonObject, algorithm: str) -> bool:
    """Return whether a key is a public one for signatures of an algorithm."""
    kind, curve = _KEY_TYPES.get(algorithm[:2], ("EC", _CURVES.get(algorithm)))
    return (
        key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and "d" not in key
    )


def _verify(token: str, algorithm: str, key: jwt.PyJWK) -> JsonObject:
    """Return the claims of a token whose signature is right. Raises SignOnRefused."""
    # The claims are checked below, at the moment that was passed in.
    unchecked = ("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub", "verify_jti")
    options = dict.fromkeys(unchecked, False) | {"verify_signature": True}
    try:
        claims: JsonObject = jwt.decode(token, key.key, algorithms=[algorithm], options=options)  # type: ignore[arg-type]
    except jwt.InvalidSignatureError as error:
        raise SignOnRefused(Reason.SIGNATURE) from error
    except (jwt.PyJWTError, TypeError, ValueError, RecursionError) as error:
        raise SignOnRefused(Reason.TOKEN) from error
    return claims


def _check_claims(claims: JsonObject, metadata: Metadata, expected: Expected) -> None:
    """Raise SignOnRefused for a token of another issuer, for another client, of another time or another sign-in."""
    if claims.get("iss") != metadata.issuer:
        raise SignOnRefused(Reason.ISSUER)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    authorized = claims.get("azp")
    is_for_others_too = len(audiences) > 1
    if expected.client_id not in audiences or (authorized is None and is_for_others_too):
        raise SignOnRefused(Reason.AUDIENCE)
    if authorized is not None and authorized != expected.client_id:
        raise SignOnRefused(Reason.AUDIENCE)
    now = expected.now.timestamp()
    issued, expires = read_instant(claims, "iat"), read_instant(claims, "exp")
    begins = read_instant(claims, "nbf") if "nbf" in claims else issued
    if issued is None or expires is None or begins is None:
        raise SignOnRefused(Reason.TIME)
    is_of_now = now - AGE_SECONDS_MAX <= issued <= now + LEEWAY_SECONDS and begins <= now + LEEWAY_SECONDS
    if not is_of_now or expires <= now - LEEWAY_SECONDS:
        raise SignOnRefused(Reason.TIME)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(errors="replace"), expected.nonce.encode()):
        raise SignOnRefused(Reason.NONCE)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _SUBJECT_LENGTH_MAX or not subject.isprintable():
        raise SignOnRefused(Reason.TOKEN)


def read_instant(claims: JsonObject, name: str) -> float | None:
    """Return a claim in seconds since 1970, None where it is no number that a clock can show."""
    value = claims.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < 1e11 else None  # type: ignore[arg-type, operator]
