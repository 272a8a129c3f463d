"""Sender of WhatsApp messages by the Cloud API (POST /{version}/{phone number id}/messages)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientSession

from recobra.messaging import reasons
from recobra.messaging.channels import codes, http
from recobra.messaging.channels.adapter import Config, Unsuitable
from recobra.messaging.channels.base import Button, Message, Outcome, OutcomeKind, TemplateCall
from recobra.portfolio import address_forms

API: Final = "https://graph.facebook.com"
VERSION: Final = "v23.0"
ERRORS: Final = Path(__file__).with_name("errors.yaml")
MAX_TEXT: Final = 4096
MAX_INTERACTIVE_TEXT: Final = 1024
MAX_BUTTONS: Final = 3
MAX_BUTTON_TITLE: Final = 20
MAX_ROWS: Final = 10
MAX_ROW_TITLE: Final = 24
MAX_ROW_DESCRIPTION: Final = 72
_LANGUAGES: Final = {"pt": "pt_BR"}
_LIST_LABELS: Final = {"en": "Options", "pt": "Opções"}


class MessageUnsuitable(Exception):
    """WhatsApp cannot carry this message; the text says why."""


def resource_url(config: Config, path: str) -> str:
    """Return the address of a resource. Raises Unsuitable."""
    return f"{http.validate_base_url(config.settings.get('base_url') or API)}/{VERSION}/{path}"


def auth_headers(config: Config) -> dict[str, str]:
    """Return the headers with the access token."""
    return {"Authorization": f"Bearer {config.secrets.get('token', '')}", "User-Agent": "Recobra/0.1.0"}


def name_language(language: str) -> str:
    """Return a language as Meta writes it: `pt_BR` for pt, which it does not take alone."""
    return _LANGUAGES.get(language, language.replace("-", "_"))


async def call_api(method: str, url: str, config: Config, content: Any = None) -> Mapping[str, Any]:
    """Make one call about the account and return the JSON object that Meta answers. Raises Unsuitable."""
    try:
        async with http.open_session() as session:
            reply = await http.call(session, method, url, headers=auth_headers(config), json=content)
    except (http.RequestUnsent, http.ReplyLost, http.ReplyTooLarge) as error:
        raise Unsuitable(str(error)) from error
    if reply.status != 200 or not isinstance(reply.json, Mapping):
        raise Unsuitable(reply.summary)
    return reply.json


class WhatsappSender:
    """Sends by one business number, many messages at once."""

    def __init__(self, config: Config, session: ClientSession) -> None:
        self._session, self._headers = session, auth_headers(config)
        self._url = resource_url(config, f"{config.settings['phone_number_id']}/messages")

    async def send(self, message: Message) -> Outcome:
        """Send one message and return the outcome."""
        try:
            content = build_body(message)
        except MessageUnsuitable as error:
            return Outcome(kind=OutcomeKind.FAILED, reason=reasons.REFUSED, answer=str(error))
        # The Cloud API has no idempotency key: a request that may have reached it is never repeated.
        try:
            reply = await http.call(self._session, "POST", self._url, headers=self._headers, json=content)
        except http.RequestUnsent as error:
            return http.unsent_outcome(error)
        except (http.ReplyLost, http.ReplyTooLarge) as error:
            return http.lost_outcome(error)
        return read_outcome(reply)


def build_body(message: Message) -> dict[str, Any]:
    """Return a message as the API takes it. Raises MessageUnsuitable.

    Within 24 hours of the debtor's own message any text is taken, outside them only a registered template.
    """
    if message.in_window and message.template is None:
        content = _build_interactive(message) if message.buttons else _build_text(message)
    elif message.template is not None:
        content = {"type": "template", "template": _build_template(message.template, message.buttons)}
    else:
        raise MessageUnsuitable(
            "Outside the 24 hours after the debtor's message WhatsApp takes registered templates only."
        )
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        **_name_recipient(message.address),
        "biz_opaque_callback_data": str(message.public_id),
        **content,
    }


def _name_recipient(address: str) -> dict[str, str]:
    """Return whom a message is for: a number, or Meta's id of somebody who shows none."""
    if address.startswith(address_forms.SENDER):
        return {"recipient": address.removeprefix(address_forms.SENDER)}
    return {"to": address.removeprefix("+")}


def _build_text(message: Message) -> dict[str, Any]:
    """Return a free text without choices. Raises MessageUnsuitable."""
    if not 0 < len(message.text) <= MAX_TEXT:
        raise MessageUnsuitable(f"WhatsApp takes texts of 1 to {MAX_TEXT} characters.")
    return {"type": "text", "text": {"body": message.text, "preview_url": False}}


def _build_interactive(message: Message) -> dict[str, Any]:
    """Return a free text with its choices: as buttons where they fit, else as a list. Raises MessageUnsuitable."""
    if not 0 < len(message.text) <= MAX_INTERACTIVE_TEXT:
        raise MessageUnsuitable(f"With buttons WhatsApp takes texts of 1 to {MAX_INTERACTIVE_TEXT} characters.")
    if len(message.buttons) > MAX_ROWS:
        raise MessageUnsuitable(f"WhatsApp takes {MAX_ROWS} choices at most.")
    longest_title = max(len(button.title) for button in message.buttons)
    if len(message.buttons) <= MAX_BUTTONS and longest_title <= MAX_BUTTON_TITLE:
        kind = "button"
        action = _build_reply_buttons(message)
    else:
        kind = "list"
        action = _build_list(message)
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": message.text}, "action": action}}


def _build_reply_buttons(message: Message) -> dict[str, Any]:
    """Return the choices as buttons under the text."""
    replies = [{"type": "reply", "reply": {"id": button.code, "title": button.title}} for button in message.buttons]
    return {"buttons": replies}


def _build_list(message: Message) -> dict[str, Any]:
    """Return the choices as a list; a title that is too long is cut, and whole in the description."""
    rows = []
    for button in message.buttons:
        row = {"id": button.code, "title": button.title}
        if len(button.title) > MAX_ROW_TITLE:
            row["title"] = f"{button.title[: MAX_ROW_TITLE - 1]}…"
            row["description"] = button.title[:MAX_ROW_DESCRIPTION]
        rows.append(row)
    label = _LIST_LABELS.get(message.language[:2], "Opciones")
    return {"button": label, "sections": [{"title": label, "rows": rows}]}


def _build_template(call: TemplateCall, buttons: tuple[Button, ...]) -> dict[str, Any]:
    """Return a registered template with its parameters and the codes of its buttons."""
    components: list[dict[str, Any]] = []
    parameters = []
    for value in call.parameters:
        # A parameter takes no line breaks, tabs or runs of more than four spaces (132012), and cannot be empty.
        one_line = re.sub(r"\s+", " ", value).strip()
        parameters.append({"type": "text", "text": one_line or "-"})
    if parameters:
        components.append({"type": "body", "parameters": parameters})
    for index, button in enumerate(buttons):
        payload = [{"type": "payload", "payload": button.code}]
        components.append({"type": "button", "sub_type": "quick_reply", "index": str(index), "parameters": payload})
    template: dict[str, Any] = {
        "name": call.name,
        "language": {"policy": "deterministic", "code": name_language(call.language)},
    }
    if components:
        template["components"] = components
    return template


def read_outcome(reply: http.Reply) -> Outcome:
    """Return the outcome of the API's reply: by its code, else by the status."""
    content = reply.json if isinstance(reply.json, Mapping) else {}
    messages = content.get("messages")
    if reply.status == 200:
        first = messages[0] if isinstance(messages, list) and messages and isinstance(messages[0], Mapping) else {}
        return http.sent_outcome(reply, str(first.get("id") or ""))
    error = content.get("error")
    code = error.get("code") if isinstance(error, Mapping) else None
    meaning = codes.load_meanings(ERRORS).get(str(code))
    if meaning is None and isinstance(code, int) and 200 <= code <= 299:
        meaning = codes.Meaning.DOWN  # the whole range is about permissions
    if meaning is None:
        return http.outcome_by_status(reply)
    return codes.outcome_by_meaning(meaning, reply)
