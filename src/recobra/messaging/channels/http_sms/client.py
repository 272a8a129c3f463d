"""Asking a gateway for one message, and reading what became of it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import phonenumbers
from aiohttp import ClientSession

from recobra.messaging import reasons
from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Config
from recobra.messaging.channels.base import Bounce, Message, Outcome, OutcomeKind
from recobra.messaging.channels.http_sms.document import SECRETS, Answer, Gateway, Request, word
from recobra.messaging.channels.http_sms.gsm_alphabet import gsm

REPEATS = 2
LONGEST_SECONDS = 36_000  # a message that nobody limits is not kept over night
_PLACE = re.compile(r"\{(\w+)\}")


class GatewaySender:
    """One gateway, called for many messages at once."""

    def __init__(self, gateway: Gateway, config: Config, session: ClientSession) -> None:
        self._request, self._answer, self._session = gateway.request, gateway.answer, session
        self._fixed = fixed(config)
        self._headers = filled(gateway.request.headers, self._fixed) | {"Accept": "application/json, text/plain, */*"}
        # What is the same in every message is filled in once.
        self._fields = filled(gateway.request.fields, self._fixed)
        self._named = bool(set(_PLACE.findall(repr(self._headers))))

    async def send(self, message: Message) -> Outcome:
        """Ask for one message and say what became of it."""
        try:
            values = self._values(message)
            fields = filled(self._fields, values)
            headers = filled(self._headers, values) if self._named else self._headers
            url, data, content_type = written(self._request, fields)
        except phonenumbers.NumberParseException as error:
            return Outcome(kind=OutcomeKind.FAILED, reason=reasons.REFUSED, answer=f"not writable: {error}"[:200])
        if content_type:
            headers = {**headers, "Content-Type": content_type}
        outcome = await self._asked(url, headers, data)
        # A gateway that knows a repeated message by its id may be asked again; only it, and so here and at once:
        # a message that is put off may leave by another provider.
        for _again in range(REPEATS if self._request.repeat_is_safe else 0):
            if outcome.kind is not OutcomeKind.UNCERTAIN:
                break
            outcome = await self._asked(url, headers, data, asked_before=True)
        return outcome

    async def _asked(
        self, url: str, headers: Mapping[str, str], data: bytes | None, *, asked_before: bool = False
    ) -> Outcome:
        try:
            reply = await http.call(self._session, self._request.method, url, headers=headers, data=data)
        except http.Unsent as error:
            return _in_doubt(str(error)) if asked_before else http.unsent(error)
        except (http.Lost, http.TooLarge) as error:
            return http.lost(error)
        outcome = read_reply(reply, self._answer)
        # «Not now» to the second asking says nothing about the first.
        return _in_doubt(outcome.answer) if asked_before and outcome.kind is OutcomeKind.RETRY else outcome

    def _values(self, message: Message) -> dict[str, str]:
        text = gsm(message.text) if self._request.letters == "gsm" else message.text
        seconds = message.lifetime_seconds(most=LONGEST_SECONDS)
        until = message.date + timedelta(seconds=LONGEST_SECONDS)
        until = min(until, message.expires_at) if message.expires_at else until
        return {
            "to": number(message.address, self._request.number),
            "text": text,
            "id": str(message.public_id),
            "valid_seconds": str(seconds),
            "valid_minutes": str(max(1, seconds // 60)),
            "valid_until": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }


def _in_doubt(answer: str) -> Outcome:
    return Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=answer)


def fixed(config: Config) -> dict[str, str]:
    """Return what the placeholders stand for in every message."""
    secrets = {name: config.secrets.get(name, "") for name in SECRETS}
    basic = base64.b64encode(f"{secrets['user']}:{secrets['password']}".encode()).decode()
    return {**secrets, "basic": basic, "sender": config.settings.get("sender", ""), "callback": config.webhook_url}


def filled(template: Any, values: Mapping[str, str]) -> Any:
    """Return a template with its known placeholders filled in; the values themselves are never looked into."""
    if isinstance(template, str):
        fill: Callable[[re.Match[str]], str] = lambda place: values.get(place[1], place[0])  # noqa: E731
        return _PLACE.sub(fill, template) if "{" in template else template
    if isinstance(template, dict):
        return {key: filled(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [filled(value, values) for value in template]
    return template


def number(address: str, shape: str) -> str:
    """Return an E.164 number as a gateway wants it written. Raises NumberParseException."""
    if shape == "e164":
        return address
    if shape == "digits":
        return address.removeprefix("+")
    return phonenumbers.national_significant_number(phonenumbers.parse(address, None))


def written(request: Request, fields: Mapping[str, Any]) -> tuple[str, bytes | None, str]:
    """Return address, body and its type; a letter that the character set lacks is a question mark."""
    if request.body == "json":
        return request.url, json.dumps(fields, ensure_ascii=False).encode(), "application/json"
    pairs = urlencode(
        {name: _plain(value) for name, value in fields.items()}, encoding=request.charset, errors="strict"
    )
    if request.body == "form":
        return request.url, pairs.encode(), "application/x-www-form-urlencoded"
    return f"{request.url}{'&' if '?' in request.url else '?'}{pairs}", None, ""


def _plain(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def read_reply(reply: http.Reply, answer: Answer) -> Outcome:
    """Say what an answer means: the document's own words first, then the status."""
    content = _content(reply, answer)
    code = word(content, answer.error) or (word(content, answer.success) if answer.success else "")
    if (said := _by_code(code, reply, answer)) is not None:
        return said
    if reply.status in answer.accepted:
        return _accepted(reply, content, code, answer)
    return http.by_status(reply, retry_server_errors=answer.server_errors == "retry")


def _content(reply: http.Reply, answer: Answer) -> Any:
    if answer.pattern is None:
        return reply.json
    match = answer.pattern.search(reply.body[:1000].decode("utf-8", "replace"))
    return match.groupdict() if match else None


def _by_code(code: str, reply: http.Reply, answer: Answer) -> Outcome | None:
    if not code:
        return None
    if code in answer.permanent:
        return http.refused(reply, bounce=Bounce.HARD)
    if code in answer.refused:
        return http.refused(reply)
    return http.put_off(reply) if code in answer.retry else None


def _accepted(reply: http.Reply, content: Any, code: str, answer: Answer) -> Outcome:
    if answer.success:
        shown = word(content, answer.success)
        if not shown:
            return Outcome(kind=OutcomeKind.UNCERTAIN, reason=reasons.LOST, answer=reply.said)
        if answer.success_values and shown not in answer.success_values:
            return http.refused(reply)
    elif code:
        return http.refused(reply)
    return http.accepted(reply, word(content, answer.id))
