"""Calls to Twilio's API for an account, and the settings of the account."""

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


def is_sid(text: str, prefix: str) -> bool:
    """Return whether a text is an id of Twilio's with this prefix."""
    return text.startswith(prefix) and _SID.fullmatch(text) is not None


def find_account_problems(config: Config) -> dict[str, str]:
    """Return what is wrong with the settings of the account, by field."""
    problems = {}
    if not is_sid(config.settings.get("account_sid", ""), "AC"):
        problems["account_sid"] = _("AC and 32 characters from 0 to 9 and a to f are expected.")
    problems |= find_number_problem(config, "from_number")
    try:
        resource_url(config)
    except Unsuitable as error:
        problems["base_url"] = str(error)
    return problems


def find_number_problem(config: Config, field: str) -> dict[str, str]:
    """Return what is wrong with an optional number, by its field."""
    number = config.settings.get(field, "")
    if not number or _NUMBER.fullmatch(number):
        return {}
    return {field: _("A number in international form is expected, such as +5115550100.")}


def resource_url(config: Config, resource: str = "") -> str:
    """Return the address of a resource of the account, or of the account itself. Raises Unsuitable."""
    base_url = http.validate_base_url(config.settings.get("base_url") or API)
    account = f"{base_url}/2010-04-01/Accounts/{config.settings.get('account_sid', '')}"
    return f"{account}/{resource}.json" if resource else f"{account}.json"


def auth_headers(config: Config) -> dict[str, str]:
    """Return the headers that sign in with the account."""
    credentials = f"{config.settings.get('account_sid', '')}:{config.secrets.get('auth_token', '')}"
    return {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}", "Accept": "application/json"}


def status_callback_fields(config: Config, public_id: UUID) -> list[tuple[str, str]]:
    """Return the field that makes Twilio call us with the status of a contact; none without a webhook address."""
    # Twilio returns nothing but its own id, so the address names the contact; Twilio's signature covers the address.
    query = urlencode({"contact": str(public_id)})
    return [("StatusCallback", f"{config.webhook_url}?{query}")] if config.webhook_url else []


async def create_resource(
    session: ClientSession, config: Config, resource: str, fields: Sequence[tuple[str, str]]
) -> Outcome:
    """Create a message or a call and return the outcome."""
    # Twilio has no idempotency key for either: a request that may have reached it is never repeated.
    headers = {**auth_headers(config), "Content-Type": "application/x-www-form-urlencoded"}
    try:
        reply = await http.call(
            session, "POST", resource_url(config, resource), headers=headers, data=urlencode(fields).encode()
        )
    except http.RequestUnsent as error:
        return http.unsent_outcome(error)
    except (http.ReplyLost, http.ReplyTooLarge) as error:
        return http.lost_outcome(error)
    return read_outcome(reply)


def read_outcome(reply: http.Reply) -> Outcome:
    """Return the outcome of Twilio's reply: by its code, else by the status."""
    content = reply.json if isinstance(reply.json, Mapping) else {}
    if reply.status in {200, 201}:
        return http.sent_outcome(reply, str(content.get("sid") or ""))
    # A code says more than its status: 400 may be a wrong number or the account's own trouble.
    meaning = codes.load_meanings(ERRORS).get(str(content.get("code")))
    if meaning is None:
        return http.outcome_by_status(reply)
    return codes.outcome_by_meaning(meaning, reply)


async def check_account(config: Config) -> Check:
    """Fetch the account itself, which reaches nobody and costs nothing."""
    try:
        async with http.open_session(total_seconds=http.CHECK_SECONDS) as session:
            reply = await http.call(session, "GET", resource_url(config), headers=auth_headers(config))
    except (Unsuitable, http.RequestUnsent, http.ReplyLost, http.ReplyTooLarge) as error:
        return Check(ok=False, answer=http.describe_check_error(error))
    status = reply.json.get("status", "") if isinstance(reply.json, Mapping) else ""
    return Check(ok=reply.status == 200 and status in {"active", ""}, answer=http.describe_check(reply))


async def fetch_status(config: Config, resource: str) -> str | None:
    """Return the status of a message or call, None where Twilio cannot tell now."""
    try:
        async with http.open_session() as session:
            reply = await http.call(session, "GET", resource_url(config, resource), headers=auth_headers(config))
    except (Unsuitable, http.RequestUnsent, http.ReplyLost, http.ReplyTooLarge):
        return None
    content = reply.json if isinstance(reply.json, Mapping) else {}
    return str(content["status"]) if reply.status == 200 and content.get("status") else None
