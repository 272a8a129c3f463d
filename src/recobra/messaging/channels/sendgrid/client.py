"""Sending an e-mail by SendGrid (POST /v3/mail/send)."""

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


def address(config: Config) -> str:
    """Return where mail is handed over. Raises Unsuitable."""
    return f"{http.base_url(config.settings.get('base_url') or API)}/v3/mail/send"


def headers(config: Config) -> dict[str, str]:
    """Return who is calling."""
    return {"Authorization": f"Bearer {config.secrets.get('api_key', '')}"}


class SendgridSender:
    """One account, called for many messages at once."""

    def __init__(self, config: Config, session: ClientSession) -> None:
        self._config, self._session = config, session
        self._url, self._headers = address(config), headers(config)

    async def send(self, message: Message) -> Outcome:
        """Ask for one message and say what became of it.

        SendGrid knows no idempotency key, so what may have reached it is never asked for again.
        """
        content = body(message, self._config)
        try:
            reply = await http.call(self._session, "POST", self._url, headers=self._headers, json=content)
        except http.Unsent as error:
            return http.unsent(error)
        except (http.Lost, http.TooLarge) as error:
            return http.lost(error)
        return outcome(reply)


def body(message: Message, config: Config) -> dict[str, Any]:
    """Return a message as SendGrid takes it."""
    clicks = config.settings.get("clicks") == "yes"
    return {
        "personalizations": [
            {
                "to": [_person(message.name, message.address)],
                "custom_args": {ARGUMENT: str(message.public_id)},
            }
        ],
        "from": sender(config),
        "subject": " ".join(message.subject.split()),
        "content": [
            {"type": "text/plain", "value": message.text},
            *([{"type": "text/html", "value": message.html}] if message.html else []),
        ],
        "headers": {
            "X-Recobra-Contact": str(message.public_id),
            "List-Unsubscribe": f"<{unsubscribe_url(message.public_id)}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
        "tracking_settings": {
            "click_tracking": {"enable": clicks, "enable_text": False},
            "open_tracking": {"enable": clicks},
            "subscription_tracking": {"enable": False},
        },
    }


def sender(config: Config) -> dict[str, str]:
    """Return who writes: the provider's own sender, else the installation's."""
    return _person(*parseaddr(config.settings.get("mail_from") or settings.MAIL_FROM))


def _person(name: str, email: str) -> dict[str, str]:
    plain = " ".join(name.split())
    return {"email": email, **({"name": plain} if plain else {})}


def outcome(reply: http.Reply) -> Outcome:
    """Say what SendGrid's answer means."""
    if reply.status in {200, 202}:
        return http.accepted(reply, reply.headers.get("x-message-id", ""))
    if reply.status == 400 and any(_of_recipient(error) for error in _errors(reply)):
        return http.refused(reply, bounce=Bounce.HARD)
    return http.by_status(reply)


def _errors(reply: http.Reply) -> list[Any]:
    errors = reply.json.get("errors") if isinstance(reply.json, Mapping) else None
    return errors if isinstance(errors, list) else []


def _of_recipient(error: Any) -> bool:
    field = error.get("field") if isinstance(error, Mapping) else None
    return isinstance(field, str) and field.startswith("personalizations.0.to")
