"""The message as it travels.

Its bytes are put together here rather than by `email.message`, which would take most of a dispatcher's time to parse
and fold again headers that are the same in every message; the tests read them back with it.
"""

from __future__ import annotations

import binascii
from datetime import datetime
from email.headerregistry import Address
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from uuid import UUID

from recobra.messaging.channels.base import Message
from recobra.messaging.tokens import unsubscribe_url

_WIDTH = 76
_OCTETS_A_WORD = 39  # with its frame, and behind the longest of our header names, a word of so many fits the line


class AddressUnsuitable(ValueError):
    """An e-mail address that cannot be written into a message."""


@lru_cache(maxsize=64)
def sender_address(mail_from: str) -> Address:
    """Read `Name <user@domain>`. Raises AddressUnsuitable."""
    name, address = parseaddr(mail_from)
    return _address(address, _one_line(name))


def recipient(address: str) -> str:
    """Return an address as SMTP takes it, its domain in ASCII. Raises AddressUnsuitable."""
    return _address(address).addr_spec


def message_id(public_id: UUID, mail_from: str) -> str:
    """Return the Message-ID of a contact, the same on every try."""
    return f"<{public_id}@{sender_address(mail_from).domain}>"


def compose(message: Message, *, mail_from: str) -> bytes:
    """Return the whole message. Raises AddressUnsuitable.

    Headers take one line each: what a template or a file smuggles in as a line break is a space.
    """
    boundary = f"=_{message.public_id.hex}"
    headers = (
        ("From", _sender(mail_from)),
        ("To", recipient(message.address)),
        ("Subject", _encoded("Subject", _one_line(message.subject))),
        ("Date", _date(message.date)),
        ("Message-ID", message_id(message.public_id, mail_from)),
        ("X-Recobra-Contact", str(message.public_id)),
        ("List-Unsubscribe", f"<{unsubscribe_url(message.public_id)}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Auto-Submitted", "auto-generated"),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    parts = [_part(boundary, "plain", message.text), _part(boundary, "html", message.html)]
    # An address outside ASCII travels as UTF-8 (RFC 6532), to a server that takes such addresses (SMTPUTF8).
    return b"".join([head.encode(), b"\r\n", *parts, f"--{boundary}--\r\n".encode()])


def _part(boundary: str, subtype: str, content: str) -> bytes:
    head = (
        f"--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    lines = "\n".join(content.splitlines()) + "\n"
    coded = binascii.b2a_qp(lines.encode(), istext=True)
    return head.encode() + coded.replace(b"\n", b"\r\n") + b"\r\n"


@lru_cache(maxsize=8)
def _date(at: datetime) -> str:
    return format_datetime(at)


@lru_cache(maxsize=64)
def _sender(mail_from: str) -> str:
    address = sender_address(mail_from)
    if not address.display_name:
        return address.addr_spec
    if address.display_name.isascii():
        return str(address)
    return f"{_encoded('From', address.display_name)} <{address.addr_spec}>"


def _encoded(name: str, text: str) -> str:
    """Return a header's text as encoded words of one line each where it needs them (RFC 2047)."""
    if text.isascii() and len(name) + len(text) < _WIDTH:
        return text
    words, part = [], b""
    for letter in text:
        octets = letter.encode()
        if len(part) + len(octets) > _OCTETS_A_WORD:
            words.append(part)
            part = b""
        part += octets
    words.append(part)
    return "\r\n ".join(f"=?utf-8?b?{binascii.b2a_base64(word, newline=False).decode()}?=" for word in words)


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _address(text: str, name: str = "") -> Address:
    user, at, domain = text.rpartition("@")
    readable = all(c.isprintable() and c not in ' <>,;:"()[]\\' for c in text)
    if not (user and at and domain and readable):
        raise AddressUnsuitable("The e-mail address is not one that can be written to.")
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode()
        return Address(display_name=name, username=user, domain=ascii_domain)
    except (ValueError, IndexError) as error:
        raise AddressUnsuitable("The e-mail address is not one that can be written to.") from error
