"""Signed links for debtors: they say which contact they came with, and nobody can make one up."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer

_SALT = "recobra.contact.unsubscribe"


def unsubscribe_url(public_id: UUID) -> str:
    """Return the address of the page that stops messages; the same on every try of a contact."""
    return f"{settings.PUBLIC_URL.rstrip('/')}/d/baja/{Signer(salt=_SALT).sign(public_id.hex)}"


def contact_of(token: str) -> UUID | None:
    """Return the contact that a token was made for, None where it was not made by us."""
    try:
        return UUID(hex=Signer(salt=_SALT).unsign(token))
    except (BadSignature, ValueError):
        return None
