"""Sending by the Cloud API (POST /{version}/{phone number id}/messages)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientSession

from recobra.messaging import reasons
from recobra.messaging.channels import codes, http
from recobra.messaging.channels.adapter import Config
from recobra.messaging.channels.base import Button, Message, Outcome, OutcomeKind, TemplateCall

API: Final = "https://graph.facebook.com"
VERSION: Final = "v23.0"
ERRORS: Final = Path(__file__).with_name("errors.yaml")
MOST_TEXT, MOST_INTERACTIVE_TEXT = 4096, 1024
MOST_BUTTONS, MOST_BUTTON_TITLE = 3, 20
MOST_ROWS, MOST_ROW_TITLE = 10, 24


class Unfit(Exception):
    """WhatsApp cannot carry this message; the text says why."""


def address(config: Config, path: str) -> str:
    """Return the address of a resource. Raises Unsuitable."""
    return f"{http.base_url(config.settings.get('base_url') or API)}/{VERSION}/{path}"


def headers(config: Config) -> dict[str, str]:
    """Return who is calling."""
    return {"Authorization": f"Bearer {config.secrets.get('token', '')}", "User-Agent": "Recobra/0.1.0"}


class WhatsappSender:
    """One business number, called for many messages at once."""

    def __init__(self, config: Config, session: ClientSession) -> None:
        self._session, self._headers = session, headers(config)
        self._url = address(config, f"{config.settings['phone_number_id']}/messages")

    async def send(self, message: Message) -> Outcome:
        """Ask for one message and say what became of it.

        The Cloud API knows no idempotency key, so what may have reached it is never asked for again.
        """
        try:
            content = body(message)
        except Unfit as error:
            return Outcome(kind=OutcomeKind.FAILED, reason=reasons.REFUSED, answer=str(error))
        try:
            reply = await http.call(self._session, "POST", self._url, headers=self._headers, json=content)
        except http.Unsent as error:
            return http.unsent(error)
        except (http.Lost, http.TooLarge) as error:
            return http.lost(error)
        return outcome(reply)


def body(message: Message) -> dict[str, Any]:
    """Return a message as the API takes it. Raises Unfit.

    Within 24 hours of the debtor's own message anything may be written, outside only a registered template.
    """
    if message.in_window and message.template is None:
        content = _interactive(message) if message.buttons else _text(message)
    elif message.template is not None:
        content = {"type": "template", "template": _template(message.template, message.buttons)}
    else:
        raise Unfit("Outside the 24 hours after the debtor's message WhatsApp takes registered templates only.")
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": message.address.removeprefix("+"),
        "biz_opaque_callback_data": str(message.public_id),
        **content,
    }


def _text(message: Message) -> dict[str, Any]:
    if not 0 < len(message.text) <= MOST_TEXT:
        raise Unfit(f"WhatsApp takes texts of 1 to {MOST_TEXT} characters.")
    return {"type": "text", "text": {"body": message.text, "preview_url": False}}


def _interactive(message: Message) -> dict[str, Any]:
    if not 0 < len(message.text) <= MOST_INTERACTIVE_TEXT:
        raise Unfit(f"With buttons WhatsApp takes texts of 1 to {MOST_INTERACTIVE_TEXT} characters.")
    if len(message.buttons) > MOST_ROWS:
        raise Unfit(f"WhatsApp takes {MOST_ROWS} choices at most.")
    short = len(message.buttons) <= MOST_BUTTONS and all(len(b.title) <= MOST_BUTTON_TITLE for b in message.buttons)
    kind, action = ("button", _buttons(message.buttons)) if short else ("list", _rows(message))
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": message.text}, "action": action}}


def _buttons(buttons: tuple[Button, ...]) -> dict[str, Any]:
    return {"buttons": [{"type": "reply", "reply": {"id": b.code, "title": b.title}} for b in buttons]}


def _rows(message: Message) -> dict[str, Any]:
    """Return the choices as a list: the whole title stands below its first letters where it is too long."""
    rows = [
        {"id": b.code, "title": b.title}
        if len(b.title) <= MOST_ROW_TITLE
        else {"id": b.code, "title": f"{b.title[: MOST_ROW_TITLE - 1]}…", "description": b.title[:72]}
        for b in message.buttons
    ]
    label = "Options" if message.language.startswith("en") else "Opções" if message.language[:2] == "pt" else "Opciones"
    return {"button": label, "sections": [{"title": label, "rows": rows}]}


def _template(call: TemplateCall, buttons: tuple[Button, ...]) -> dict[str, Any]:
    components: list[dict[str, Any]] = []
    if call.parameters:
        values = [{"type": "text", "text": _one_line(value)} for value in call.parameters]
        components.append({"type": "body", "parameters": values})
    for index, button in enumerate(buttons):
        payload = [{"type": "payload", "payload": button.code}]
        components.append({"type": "button", "sub_type": "quick_reply", "index": str(index), "parameters": payload})
    language = {"policy": "deterministic", "code": call.language.replace("-", "_")}
    return {"name": call.name, "language": language, **({"components": components} if components else {})}


def _one_line(value: str) -> str:
    """A parameter takes no line breaks, tabs or runs of more than four spaces (132012), and cannot be empty."""
    return re.sub(r"\s+", " ", value).strip() or "-"


def outcome(reply: http.Reply) -> Outcome:
    """Say what the API's answer means: its code first, then the status."""
    content = reply.json if isinstance(reply.json, Mapping) else {}
    messages = content.get("messages")
    if reply.status == 200:
        first = messages[0] if isinstance(messages, list) and messages and isinstance(messages[0], Mapping) else {}
        return http.accepted(reply, str(first.get("id") or ""))
    error = content.get("error")
    code = error.get("code") if isinstance(error, Mapping) else None
    meaning = codes.meanings(ERRORS).get(str(code))
    if meaning is None and isinstance(code, int) and 200 <= code <= 299:
        meaning = codes.Meaning.DOWN  # permissions, the whole range
    return codes.outcome(meaning, reply) if meaning else http.by_status(reply)
