"""Sender of e-mail by SendGrid (POST /v3/mail/send)."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any, Final

from aiohttp import ClientSession
from django.conf import settings

from recobra.messaging.channels import http
from recobra.messaging.channels.adapter import Config
from recobra.messaging.channels.base import Bounce, Message, Outcome
from recobra.messaging.tokens import unsubscribe_url

API: Final = "https://api.sendgrid.com"
ARGUMENT: Final = "recobra_contact"


def mail_url(config: Config) -> str:
    """Return the address that takes mail. Raises Unsuitable."""
    return f"{http.validate_base_url(config.settings.get('base_url') or API)}/v3/mail/send"


def auth_headers(config: Config) -> dict[str, str]:
    """Return the header with the API key."""
    return {"Authorization": f"Bearer {config.secrets.get('api_key', '')}"}


class SendgridSender:
    """Sends by one account, many messages at once."""

    def __init__(self, config: Config, session: ClientSession) -> None:
        self._config, self._session = config, session
        self._url, self._headers = mail_url(config), auth_headers(config)

    async def send(self, message: Message) -> Outcome:
        """Send one message and return the outcome."""
        content = build_body(message, self._config)
        # SendGrid has no idempotency key: a request that may have reached it is never repeated.
        try:
            reply = await http.call(self._session, "POST", self._url, headers=self._headers, json=content)
        except http.RequestUnsent as error:
            return http.unsent_outcome(error)
        except (http.ReplyLost, http.ReplyTooLarge) as error:
            return http.lost_outcome(error)
        return read_outcome(reply)


def build_body(message: Message, config: Config) -> dict[str, Any]:
    """Return a message as SendGrid takes it."""
    has_tracking = config.settings.get("clicks") == "yes"
    content = [{"type": "text/plain", "value": message.text}]
    if message.html:
        content.append({"type": "text/html", "value": message.html})
    return {
        "personalizations": [
            {
                "to": [_format_person(message.name, message.address)],
                "custom_args": {ARGUMENT: str(message.public_id)},
            }
        ],
        "from": format_sender(config),
        **_format_reply_to(config),
        "subject": " ".join(message.subject.split()),
        "content": content,
        "headers": {
            "X-Recobra-Contact": str(message.public_id),
            "List-Unsubscribe": f"<{unsubscribe_url(message.public_id)}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
        "tracking_settings": {
            "click_tracking": {"enable": has_tracking, "enable_text": False},
            "open_tracking": {"enable": has_tracking},
            "subscription_tracking": {"enable": False},
        },
    }


def format_sender(config: Config) -> dict[str, str]:
    """Return the sender of the settings, else the installation's."""
    name, email = parseaddr(config.settings.get("mail_from") or settings.MAIL_FROM)
    return _format_person(name, email)


def _format_reply_to(config: Config) -> dict[str, dict[str, str]]:
    """Return where answers go, {} where that is the sender's own address."""
    address = config.settings.get("reply_to", "")
    return {"reply_to": {"email": address}} if address else {}


def _format_person(name: str, email: str) -> dict[str, str]:
    """Return a person as SendGrid takes it; an empty name is left out."""
    person = {"email": email}
    one_line = " ".join(name.split())
    if one_line:
        person["name"] = one_line
    return person


def read_outcome(reply: http.Reply) -> Outcome:
    """Return the outcome of SendGrid's reply."""
    if reply.status in {200, 202}:
        return http.sent_outcome(reply, reply.headers.get("x-message-id", ""))
    if reply.status == 400 and _is_about_recipient(reply):
        return http.refused_outcome(reply, bounce=Bounce.HARD)
    return http.outcome_by_status(reply)


def _is_about_recipient(reply: http.Reply) -> bool:
    """Return whether one of SendGrid's errors is about the recipient's address."""
    errors = reply.json.get("errors") if isinstance(reply.json, Mapping) else None
    if not isinstance(errors, list):
        return False
    for error in errors:
        field = error.get("field") if isinstance(error, Mapping) else None
        # A message has one personalization with one recipient.
        if isinstance(field, str) and field.startswith("personalizations.0.to"):
            return True
    return False
