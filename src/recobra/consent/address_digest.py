"""Keyed digests of numbers and addresses: what the ledger keeps of a wish when the person behind it is anonymised.

A silence outlives its number: the number is gone, and whoever loads it again finds the silence by its digest. The key
is stored encrypted, beside the digests, so that no copy or restore can have the one without the other.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from django.db import transaction

from recobra.consent.models import AddressKey
from recobra.kit.personal_data import DIGEST
from recobra.portfolio import address_forms

_KEY_BYTES: Final = 32


def is_digest(value: str) -> bool:
    """Tell if a value is a digest of a number or address, and no longer the number itself."""
    return value.startswith(DIGEST)


def digest_addresses(addresses: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the digests of kinds and values, {} while nothing was ever digested.

    All spellings of one line have one digest. Raises Undecryptable where the key does not open: what was asked of us
    is not known then, and the caller sends nothing.
    """
    stored = AddressKey.objects.first()
    if stored is None:
        return {}
    key = _decode_key(stored.key)
    return {address: _digest(key, *address) for address in addresses}


@transaction.atomic
def make_digests(addresses: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the digests of kinds and values; the first time the key is made."""
    if not AddressKey.objects.exists():
        key = base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
        # Of two at once, one makes the key and the other waits for it.
        AddressKey.objects.bulk_create([AddressKey(pk=1, key=key)], ignore_conflicts=True)
    return digest_addresses(addresses)


def canonical_form(value: str, *, kind: str) -> str:
    """Return the spelling that stands for all those of a line."""
    return min(address_forms.list_forms(value, kind=kind))


def list_known_forms(value: str, *, kind: str) -> tuple[str, ...]:
    """Return the spellings of a line as `address_forms.list_forms` does, with its digest if anything was digested."""
    forms = address_forms.list_forms(value, kind=kind)
    return (*forms, *digest_addresses([(kind, value)]).values())


@lru_cache(maxsize=8)
def _decode_key(key: str) -> bytes:
    return base64.b64decode(key)


def _digest(key: bytes, kind: str, value: str) -> str:
    if is_digest(value):
        return value
    message = f"{kind}:{canonical_form(value, kind=kind)}".encode()
    return DIGEST + hmac.digest(key, message, hashlib.sha256).hex()
