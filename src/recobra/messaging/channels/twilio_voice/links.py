"""Signed address of one call, so that nobody can listen in by guessing."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer

_SALT = "recobra.contact.voice"


def voice_url(public_id: UUID, provider_code: str) -> str:
    """Return the address at which Twilio asks what to say; the same on every try of a contact."""
    token = Signer(salt=_SALT).sign(public_id.hex)
    return f"{settings.PUBLIC_URL.rstrip('/')}/api/voice/{provider_code}/{token}/"


def contact_of_call(token: str) -> UUID | None:
    """Return the contact of a token, None where the token is not ours."""
    try:
        return UUID(hex=Signer(salt=_SALT).unsign(token))
    except (BadSignature, ValueError):
        return None
