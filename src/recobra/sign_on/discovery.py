"""What the provider says about itself: its document (OpenID Connect Discovery 1.0) and its keys, read and remembered.

Both are asked for by the one rule for outgoing calls, in few seconds, with little room, and without redirects.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.core.cache import cache

from recobra.kit import outgoing_rule
from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Unsuitable

from .refusals import Reason, SignOnRefused

JsonObject = dict[str, object]
DOCUMENT_BYTES: Final = 100_000
KEYS_BYTES: Final = 200_000
CALL_SECONDS: Final = 6.0
REMEMBERED_SECONDS: Final = 600
FAILURE_REMEMBERED_SECONDS: Final = 15
CALLS_MAX: Final = 3
"""As many threads of a process may wait for the provider: whoever is signed in goes on working while it hangs."""
KEYS_ANEW_SECONDS: Final = 60
"""An unknown key has the keys read again, no more often than that: anybody can invent one."""
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures with a private key. With HS256 whoever knows a key of the other kind could sign, with none anybody."""
_USUAL_ALGORITHM: Final = "RS256"
_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_free_calls = threading.BoundedSemaphore(CALLS_MAX)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The provider's document, checked. `end_session_endpoint` is '' where people cannot sign out there from here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str
    algorithms: tuple[str, ...]
    takes_secret_in_header: bool
    announces_issuer: bool

    @property
    def authorization_origin(self) -> str:
        """Return the origin of the page to which the browser is sent."""
        parts = urlsplit(self.authorization_endpoint)
        return f"{parts.scheme}://{parts.netloc}"


def read_metadata(issuer: str) -> Metadata:
    """Return what the provider says about itself, remembered for ten minutes, a failure for seconds.

    Raises SignOnRefused.
    """
    key = _cache_key("document", issuer)
    known = cache.get(key)
    if isinstance(known, Metadata):
        return known
    if known is not None:
        raise SignOnRefused(Reason(known))
    try:
        metadata = _check_document(fetch_object(issuer.rstrip("/") + _WELL_KNOWN, max_bytes=DOCUMENT_BYTES), issuer)
    except SignOnRefused as refusal:
        cache.set(key, str(refusal.reason), FAILURE_REMEMBERED_SECONDS)
        raise
    cache.set(key, metadata, REMEMBERED_SECONDS)
    return metadata


def find_keys(metadata: Metadata, key_id: str | None) -> list[JsonObject]:
    """Return the provider's keys of an id, all of them where a token names none; [] where none is known by then.

    An id that is not known has the keys read again, once a minute at most. Raises SignOnRefused.
    """
    key = _cache_key("keys", metadata.jwks_uri)
    known = cache.get(key)
    was_known = isinstance(known, list)
    keys = known if isinstance(known, list) else read_keys(metadata)
    found = _select(keys, key_id)
    may_ask_anew = was_known and cache.add(_cache_key("asked", metadata.jwks_uri), 1, KEYS_ANEW_SECONDS)
    return found if found or not may_ask_anew else _select(read_keys(metadata), key_id)


def read_keys(metadata: Metadata) -> list[JsonObject]:
    """Return the provider's keys, asked for anew. Raises SignOnRefused."""
    answer = fetch_object(metadata.jwks_uri, max_bytes=KEYS_BYTES)
    listed = answer.get("keys")
    keys = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    cache.set(_cache_key("keys", metadata.jwks_uri), keys, REMEMBERED_SECONDS)
    return keys


def forget(issuer: str) -> None:
    """Forget what was remembered of the provider, so that it is asked anew."""
    cache.delete(_cache_key("document", issuer))


def fetch_object(url: str, *, max_bytes: int) -> JsonObject:
    """Return the JSON object at an address. Raises SignOnRefused where there is none."""
    reply = call("GET", url, headers={"Accept": "application/json"}, max_bytes=max_bytes)
    if reply.status != 200 or not isinstance(reply.json, dict):
        raise SignOnRefused(Reason.DOCUMENT)
    return reply.json


def call(method: str, url: str, *, headers: Mapping[str, str], max_bytes: int, data: bytes | None = None) -> http.Reply:
    """Make one call to the provider. Raises SignOnRefused where it may not be called or does not answer in time."""

    async def ask() -> http.Reply:
        async with http.open_session(connections=1, total_seconds=CALL_SECONDS) as session:
            return await http.call(session, method, url, headers=headers, data=data, max_bytes=max_bytes)

    if not _free_calls.acquire(timeout=CALL_SECONDS / 3):
        raise SignOnRefused(Reason.UNREACHABLE)
    try:
        http.validate_base_url(url)
        return asyncio.run(ask())
    except (Unsuitable, http.ReplyTooLarge) as error:
        raise SignOnRefused(Reason.DOCUMENT) from error
    except (http.RequestUnsent, http.ReplyLost) as error:
        raise SignOnRefused(Reason.UNREACHABLE) from error
    finally:
        _free_calls.release()


def _check_document(document: JsonObject, issuer: str) -> Metadata:
    """Return a document's values. Raises SignOnRefused for another's document, and for addresses of no use."""
    if document.get("issuer") != issuer:
        raise SignOnRefused(Reason.ISSUER)
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    endpoints = {name: _read_address(document, name) for name in names}
    said = _read_texts(document, "id_token_signing_alg_values_supported") or [_USUAL_ALGORITHM]
    algorithms = tuple(each for each in ALGORITHMS if each in said)
    challenges = _read_texts(document, "code_challenge_methods_supported")
    if not algorithms or (challenges and "S256" not in challenges):
        raise SignOnRefused(Reason.DOCUMENT)
    methods = _read_texts(document, "token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    has_sign_out = isinstance(document.get("end_session_endpoint"), str)
    return Metadata(
        issuer=issuer,
        **endpoints,
        end_session_endpoint=_read_address(document, "end_session_endpoint") if has_sign_out else "",
        algorithms=algorithms,
        takes_secret_in_header="client_secret_basic" in methods,
        announces_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _read_address(document: JsonObject, name: str) -> str:
    """Return an address of the document that may be called. Raises SignOnRefused."""
    value = document.get(name)
    if not isinstance(value, str) or not value.isascii() or not value.isprintable() or " " in value:
        raise SignOnRefused(Reason.DOCUMENT)
    # What could end a directive of the content policy, or name somebody to the host, is no part of an origin.
    if set(";,'\"@\\") & set(outgoing_rule.split_url(value).netloc):
        raise SignOnRefused(Reason.DOCUMENT)
    try:
        http.validate_base_url(value)
    except Unsuitable as error:
        raise SignOnRefused(Reason.DOCUMENT) from error
    return value


def _read_texts(document: JsonObject, name: str) -> list[str]:
    """Return a list of texts of the document, [] where there is none."""
    value = document.get(name)
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _select(keys: list[JsonObject], key_id: str | None) -> list[JsonObject]:
    return keys if key_id is None else [each for each in keys if each.get("kid") == key_id]


def _cache_key(what: str, address: str) -> str:
    return f"sign_on.{what}.{hashlib.sha256(address.encode()).hexdigest()}"
