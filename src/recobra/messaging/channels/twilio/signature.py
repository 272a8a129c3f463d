"""Signature of Twilio's calls (https://www.twilio.com/docs/usage/security#validating-requests)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from urllib.parse import urlsplit, urlunsplit

from recobra.messaging.channels import webhooks
from recobra.messaging.channels.adapter import Config, ForgedCall, WebhookRequest

_HEADER = "x-twilio-signature"
_DEFAULT_PORTS = {"https": 443, "http": 80}


def verify(call: WebhookRequest, config: Config) -> None:
    """Check that a call is signed with the account's token. Raises ForgedCall."""
    token = config.secrets.get("auth_token", "")
    received = call.headers.get(_HEADER, "")
    if not token or not received:
        raise ForgedCall("The call is not signed.")
    # Twilio signs a JSON body by its digest in the address, a form by its fields.
    body_digest = webhooks.parse_query(call).get("bodySHA256")
    try:
        fields = [] if body_digest is not None or call.method == "GET" else webhooks.parse_form(call)
        urls = _url_variants(call.url)
    except ValueError as error:
        raise ForgedCall("The call's form or address cannot be read.") from error
    # The signature of a GET covers the address alone.
    if call.method == "GET" and call.body and body_digest is None:
        raise ForgedCall("The call's body is not signed.")
    if body_digest is not None and not webhooks.is_same_secret(hashlib.sha256(call.body).hexdigest(), body_digest):
        raise ForgedCall("The call's body is not the one that was signed.")
    # A list and not a generator: every variant is compared, so that the time taken tells nothing.
    matches = [webhooks.is_same_secret(received, _sign(token, url, fields)) for url in urls]
    if not any(matches):
        raise ForgedCall("The signature is not of this account's token.")


def _sign(token: str, url: str, fields: list[tuple[str, str]]) -> str:
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def _url_variants(url: str) -> tuple[str, ...]:
    """Return the address with and without its port: Twilio signs either, depending on the product that calls."""
    parts = urlsplit(url)
    host = parts.netloc if parts.port is None else parts.netloc.rpartition(":")[0]
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    return (url, urlunsplit(parts._replace(netloc=host)), urlunsplit(parts._replace(netloc=f"{host}:{port}")))
