"""Sender of SMS by a gateway, and the outcome of its replies."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import phonenumbers
from aiohttp import ClientSession

from recobra.messaging import reasons
from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Config
from recobra.messaging.channels.base import Bounce, Message, Outcome, OutcomeKind
from recobra.messaging.channels.http_sms.document import SECRETS, Answer, Gateway, Request, text_at
from recobra.messaging.gsm_alphabet import to_gsm_alphabet

REPEATS = 2
MAX_LIFETIME_SECONDS = 36_000  # a message without an end is not kept over night
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_PATTERN_BYTES = 1000


class GatewaySender:
    """Sends by one gateway, many messages at once."""

    def __init__(self, gateway: Gateway, config: Config, session: ClientSession) -> None:
        self._request = gateway.request
        self._answer = gateway.answer
        self._session = session
        # Whatever is the same in every message is filled in once.
        constants = constant_values(config)
        self._headers = fill_placeholders(gateway.request.headers, constants) | {
            "Accept": "application/json, text/plain, */*"
        }
        self._fields = fill_placeholders(gateway.request.fields, constants)
        self._has_header_placeholders = bool(set(_PLACEHOLDER.findall(repr(self._headers))))

    async def send(self, message: Message) -> Outcome:
        """Send one message and return the outcome."""
        try:
            values = self._message_values(message)
            fields = fill_placeholders(self._fields, values)
            headers = fill_placeholders(self._headers, values) if self._has_header_placeholders else self._headers
            url, data, content_type = encode_request(self._request, fields)
        except phonenumbers.NumberParseException as error:
            return Outcome(kind=OutcomeKind.FAILED, reason=reasons.REFUSED, answer=f"not writable: {error}"[:200])
        except UnicodeEncodeError as error:
            # No byte has left, and another letter in its place might say something else.
            letters = error.object[error.start : error.end]
            answer = f"not writable in {self._request.charset}: {letters}"[:200]
            return Outcome(kind=OutcomeKind.FAILED, reason=reasons.REFUSED, answer=answer)
        if content_type:
            headers = {**headers, "Content-Type": content_type}
        outcome = await self._request_once(url, headers, data)
        # A gateway that drops a repeated id may be asked again, but only this gateway: here and at once, since a
        # message that is put off may leave by another provider.
        for _repeat in range(REPEATS if self._request.repeat_is_safe else 0):
            if outcome.kind is not OutcomeKind.UNCERTAIN:
                break
            outcome = await self._request_once(url, headers, data, is_repeat=True)
        return outcome

    async def _request_once(
        self, url: str, headers: Mapping[str, str], data: bytes | None, *, is_repeat: bool = False
    ) -> Outcome:
        """Make the call once and return the outcome; `is_repeat`: an earlier call may already have sent the message."""
        try:
            reply = await http.call(self._session, self._request.method, url, headers=headers, data=data)
        except http.RequestUnsent as error:
            return _uncertain(str(error)) if is_repeat else http.unsent_outcome(error)
        except (http.ReplyLost, http.ReplyTooLarge) as error:
            return http.lost_outcome(error)
        outcome = read_reply(reply, self._answer)
        if is_repeat and outcome.kind is OutcomeKind.RETRY:
            # «Not now» to the repeat says nothing about the first request.
            return _uncertain(outcome.answer)
        return outcome

    def _message_values(self, message: Message) -> dict[str, str]:
        """Return the values of the placeholders that differ from message to message."""
        text = to_gsm_alphabet(message.text) if self._request.letters == "gsm" else message.text
        seconds = message.lifetime_seconds(limit=MAX_LIFETIME_SECONDS)
        expires_at = message.date + timedelta(seconds=MAX_LIFETIME_SECONDS)
        if message.expires_at is not None:
            expires_at = min(expires_at, message.expires_at)
        return {
            "to": format_number(message.address, self._request.number),
            "text": text,
            "id": str(message.public_id),
            "valid_seconds": str(seconds),
            "valid_minutes": str(max(1, seconds // 60)),
            "valid_until": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def _uncertain(answer: str) -> Outcome:
    """Return the outcome of a message that the gateway may or may not have taken."""
    return Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=answer)


def constant_values(config: Config) -> dict[str, str]:
    """Return the placeholders whose values are the same in every message."""
    secrets = {name: config.secrets.get(name, "") for name in SECRETS}
    basic = base64.b64encode(f"{secrets['user']}:{secrets['password']}".encode()).decode()
    return {**secrets, "basic": basic, "sender": config.settings.get("sender", ""), "callback": config.webhook_url}


def fill_placeholders(template: Any, values: Mapping[str, str]) -> Any:
    """Return a template of texts, lists and mappings with its known placeholders filled in, at any depth."""
    if isinstance(template, dict):
        return {key: fill_placeholders(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [fill_placeholders(value, values) for value in template]
    if isinstance(template, str) and "{" in template:
        # One pass of `sub`: a placeholder in the text of a message is never filled in.
        return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), template)
    return template


def format_number(address: str, shape: str) -> str:
    """Return an E.164 number in the shape that a gateway takes. Raises NumberParseException."""
    if shape == "e164":
        return address
    if shape == "digits":
        return address.removeprefix("+")
    return phonenumbers.national_significant_number(phonenumbers.parse(address, None))


def encode_request(request: Request, fields: Mapping[str, Any]) -> tuple[str, bytes | None, str]:
    """Return address, body and content type of a request. Raises UnicodeEncodeError."""
    if request.body == "json":
        return request.url, json.dumps(fields, ensure_ascii=False).encode(), "application/json"
    texts = {}
    for name, value in fields.items():
        # As in YAML and JSON: true, not True.
        texts[name] = str(value).lower() if isinstance(value, bool) else str(value)
    pairs = urlencode(texts, encoding=request.charset, errors="strict")
    if request.body == "form":
        return request.url, pairs.encode(), "application/x-www-form-urlencoded"
    separator = "&" if "?" in request.url else "?"
    return f"{request.url}{separator}{pairs}", None, ""


def read_reply(reply: http.Reply, answer: Answer) -> Outcome:
    """Return the outcome of a reply: by the document's own codes, else by the status."""
    if answer.pattern is None:
        content = reply.json
    else:
        # The beginning is enough for a one-line answer, and keeps a pattern from running over a whole error page.
        match = answer.pattern.search(reply.body[:_PATTERN_BYTES].decode("utf-8", "replace"))
        content = match.groupdict() if match else None
    code = text_at(content, answer.error)
    if not code and answer.success.path:
        code = text_at(content, answer.success.path)
    if code and code in answer.permanent:
        return http.refused_outcome(reply, bounce=Bounce.HARD)
    if code and code in answer.refused:
        return http.refused_outcome(reply)
    if code and code in answer.retry:
        return http.retry_outcome(reply)
    if reply.status in answer.accepted:
        return _read_accepted(reply, content, code, answer)
    return http.outcome_by_status(reply, retry_server_errors=answer.server_errors == "retry")


def _read_accepted(reply: http.Reply, content: Any, code: str, answer: Answer) -> Outcome:
    """Return the outcome of a reply whose status means success: its content may still say otherwise."""
    if answer.success.path:
        value = text_at(content, answer.success.path)
        if not value:
            return _uncertain(reply.summary)
        if answer.success.values and value not in answer.success.values:
            return http.refused_outcome(reply)
    elif code:
        # Without a path to what means success, an error that the document does not list is a refusal.
        return http.refused_outcome(reply)
    return http.sent_outcome(reply, text_at(content, answer.id))
