"""Reports of mail servers about our messages: not delivered (RFC 3464), read (RFC 8098), complained of (RFC 5965)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from typing import Final
from uuid import UUID

from recobra.messaging.channels import webhooks
from recobra.messaging.channels.adapter import Event, ReceiptEvent, UnusedEvent, WebhookRequest

_UUID: Final = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_CONTACT: Final = re.compile(rf"(?:X-Recobra-Contact:\s*|<)({_UUID})(?:@|\s|$)")
_STATUS: Final = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
# RFC 3463: x.1.y is about the address; 2.1 is a mailbox that is switched off for good.
_GONE: Final = frozenset({("1", "1"), ("1", "2"), ("1", "3"), ("1", "6"), ("1", "10"), ("2", "1")})
_ACTIONS: Final = {"delivered": "DELIVERED", "relayed": "ACCEPTED", "expanded": "ACCEPTED"}
_SERVERS: Final = ("mailer-daemon", "postmaster", "mail-daemon")


def find_contact_ids(text: str) -> list[UUID]:
    """Return the contacts of ours that a text names by a Message-ID or a header, in order."""
    found = (webhooks.parse_public_id(match) for match in _CONTACT.findall(text))
    return list(dict.fromkeys(public_id for public_id in found if public_id is not None))


def is_of_server(sender: str) -> bool:
    """Tell if an address is that of a mail server itself, and of no person."""
    return sender.partition("@")[0].casefold() in _SERVERS


def read_report(message: Message, source: str, call: WebhookRequest) -> list[Event] | None:
    """Return the events of a report, None where a message is none. `source` is the whole message as text."""
    if message.get_content_type() != "multipart/report":
        return None
    kind = str(message.get_param("report-type") or "").casefold()
    named = find_contact_ids(source)
    if kind == "delivery-status":
        return list(_read_delivery(message, named, call))
    if kind == "feedback-report":
        return [_make_receipt("COMPLAINED", named, call, detail={"report": "complaint"})]
    if kind == "disposition-notification":
        is_displayed = "displayed" in _field(message, "message/disposition-notification", "Disposition").casefold()
        if is_displayed:
            return [_make_receipt("READ", named, call, detail={"report": "displayed"})]
        return [UnusedEvent("report:not_displayed")]
    return [webhooks.name_unused("report", kind)]


def read_bounce(source: str, call: WebhookRequest) -> list[Event]:
    """Return the events of a mail server's message that is no report: of what it says only that it came back."""
    return [_make_receipt("BOUNCED", find_contact_ids(source), call, detail={"report": "unstructured"})]


def _read_delivery(message: Message, named: list[UUID], call: WebhookRequest) -> Iterator[Event]:
    """Yield what became of a message at each of its recipients, of whom ours have one."""
    for block in _blocks(message, "message/delivery-status"):
        action = str(block.get("Action") or "").strip().casefold()
        if not action:
            continue  # the first block is about the message
        status = _STATUS.search(str(block.get("Status") or "")) or _STATUS.search(
            str(block.get("Diagnostic-Code") or "")
        )
        detail = {"action": action if action.isalpha() else "", "status": status[0] if status else ""}
        if action == "failed":
            is_gone = status is not None and status[1] == "5" and (status[2], status[3]) in _GONE
            yield _make_receipt("BOUNCED", named, call, detail=detail, permanent=is_gone)
        elif action in _ACTIONS:
            yield _make_receipt(_ACTIONS[action], named, call, detail=detail)
        else:
            yield webhooks.name_unused("delivery", action)


def _make_receipt(
    kind: str, named: list[UUID], call: WebhookRequest, *, detail: dict[str, str], permanent: bool | None = None
) -> Event:
    """Return the receipt of a message of ours; a report that names none leads to nothing."""
    if not named:
        return UnusedEvent("report_of_no_message")
    return ReceiptEvent(
        kind=kind,
        at=call.received_at,
        event_key=f"mail:{webhooks.hash_key(str(named[0]), kind, *detail.values(), call.received_at.isoformat())}",
        public_id=named[0],
        permanent=permanent,
        detail={name: text for name, text in detail.items() if text},
    )


def _blocks(message: Message, content_type: str) -> Iterator[Message]:
    """Yield the blocks of fields of a part of a report."""
    for part in message.walk():
        payload = part.get_payload()
        if part.get_content_type() == content_type and isinstance(payload, list):
            yield from (block for block in payload if isinstance(block, Message))


def _field(message: Message, content_type: str, name: str) -> str:
    """Return a field of a part of a report, '' where it is not there."""
    for part in message.walk():
        if part.get_content_type() != content_type:
            continue
        payload = part.get_payload()
        for block in payload if isinstance(payload, list) else [part]:
            if isinstance(block, Message) and block.get(name):
                return str(block[name])
        found = re.search(rf"^{name}:(.*)$", str(payload), re.IGNORECASE | re.MULTILINE)
        if found:
            return found[1]
    return ""
