"""Encryption of providers' secrets with the installation's key: a copy of the database alone opens none."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes

_PURPOSE: Final = b"recobra.contact.provider-secrets"


def encrypt(secrets: Mapping[str, str]) -> str:
    """Return secrets as text to be stored, '' for none."""
    return _fernet().encrypt(json.dumps(dict(secrets)).encode()).decode() if secrets else ""


def decrypt(stored: str) -> dict[str, str]:
    """Return stored secrets in plain. Raises cryptography.fernet.InvalidToken under another installation's key."""
    secrets: dict[str, str] = json.loads(_fernet().decrypt(stored.encode())) if stored else {}
    return secrets


def _fernet() -> MultiFernet:
    # Encrypts with today's key, and decrypts with the keys before it too.
    return MultiFernet([_key_fernet(key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


@lru_cache(maxsize=8)
def _key_fernet(key: str | bytes) -> Fernet:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(force_bytes(key))
    return Fernet(base64.urlsafe_b64encode(derived))
