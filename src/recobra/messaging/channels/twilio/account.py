"""Calls to Twilio's API in the name of an account, and the settings that they need."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from aiohttp import ClientSession
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.messaging.channels import codes, http
from recobra.messaging.channels.adapter import Check, Config, Setting, Unsuitable
from recobra.messaging.channels.base import Outcome

API: Final = "https://api.twilio.com"
ERRORS: Final = Path(__file__).with_name("errors.yaml")
_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")

ACCOUNT_SETTINGS: Final = (
    Setting(name="account_sid", label=gettext_lazy("Account SID"), help=gettext_lazy("It begins with AC.")),
    Setting(
        name="auth_token",
        label=gettext_lazy("Auth token"),
        kind="secret",
        help=gettext_lazy("It also proves that Twilio's calls are Twilio's."),
    ),
    Setting(
        name="from_number",
        label=gettext_lazy("Number that debtors see"),
        required=False,
        help=gettext_lazy("In international form, such as +5115550100."),
    ),
    Setting(name="base_url", label=gettext_lazy("Address of the API"), kind="url", required=False, default=API),
)


def sid(text: str, prefix: str) -> bool:
    """Return whether a text is one of Twilio's ids of a kind."""
    return text.startswith(prefix) and _SID.fullmatch(text) is not None


def account_problems(config: Config) -> dict[str, str]:
    """Return what is wrong with the settings of the account, by field."""
    problems = {}
    if not sid(config.settings.get("account_sid", ""), "AC"):
        problems["account_sid"] = _("AC and 32 characters from 0 to 9 and a to f are expected.")
    problems |= number_problem(config, "from_number")
    try:
        address(config)
    except Unsuitable as error:
        problems["base_url"] = str(error)
    return problems


def number_problem(config: Config, field: str) -> dict[str, str]:
    """Return what is wrong with a number that may be left out, by its field."""
    number = config.settings.get(field, "")
    if not number or _NUMBER.fullmatch(number):
        return {}
    return {field: _("A number in international form is expected, such as +5115550100.")}


def address(config: Config, resource: str = "") -> str:
    """Return the address of a resource of the account. Raises Unsuitable."""
    base = http.base_url(config.settings.get("base_url") or API)
    account = f"{base}/2010-04-01/Accounts/{config.settings.get('account_sid', '')}"
    return f"{account}/{resource}.json" if resource else f"{account}.json"


def headers(config: Config) -> dict[str, str]:
    """Return who is calling."""
    pair = f"{config.settings.get('account_sid', '')}:{config.secrets.get('auth_token', '')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}", "Accept": "application/json"}


def called_back(config: Config, public_id: UUID) -> list[tuple[str, str]]:
    """Return the field that has Twilio tell us what became of a contact, none where it cannot reach us.

    Twilio gives nothing back but its own id; the address it calls names the contact, under its signature.
    """
    named = urlencode({"contact": str(public_id)})
    return [("StatusCallback", f"{config.webhook_url}?{named}")] if config.webhook_url else []


async def create(session: ClientSession, config: Config, resource: str, fields: Sequence[tuple[str, str]]) -> Outcome:
    """Make a message or a call and say what became of it.

    Twilio knows no idempotency key for either, so what may have reached it is never asked for again.
    """
    posted = {**headers(config), "Content-Type": "application/x-www-form-urlencoded"}
    try:
        reply = await http.call(
            session, "POST", address(config, resource), headers=posted, data=urlencode(fields).encode()
        )
    except http.Unsent as error:
        return http.unsent(error)
    except (http.Lost, http.TooLarge) as error:
        return http.lost(error)
    return outcome(reply)


def outcome(reply: http.Reply) -> Outcome:
    """Say what Twilio's answer means: its code first, then the status."""
    content = reply.json if isinstance(reply.json, Mapping) else {}
    if reply.status in {200, 201}:
        return http.accepted(reply, str(content.get("sid") or ""))
    meaning = codes.meanings(ERRORS).get(str(content.get("code")))
    return codes.outcome(meaning, reply) if meaning else http.by_status(reply)


async def check_account(config: Config) -> Check:
    """Ask for the account itself: reaches nobody and costs nothing."""
    try:
        async with http.session() as session:
            reply = await http.call(session, "GET", address(config), headers=headers(config))
    except (Unsuitable, http.Unsent, http.Lost, http.TooLarge) as error:
        return Check(ok=False, answer=str(error))
    state = reply.json.get("status", "") if isinstance(reply.json, Mapping) else ""
    return Check(ok=reply.status == 200 and state in {"active", ""}, answer=f"{reply.status} {state}".strip())


async def status_of(config: Config, resource: str) -> str | None:
    """Return the status of a message or call, None where Twilio cannot tell now."""
    try:
        async with http.session() as session:
            reply = await http.call(session, "GET", address(config, resource), headers=headers(config))
    except (Unsuitable, http.Unsent, http.Lost, http.TooLarge):
        return None
    content = reply.json if isinstance(reply.json, Mapping) else {}
    return str(content["status"]) if reply.status == 200 and content.get("status") else None
