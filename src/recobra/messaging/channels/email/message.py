"""Bytes of an e-mail message.

They are not made with `email.message`, which would take most of a dispatcher's time to parse and fold headers that are
the same in every message; the tests read them back with it.
"""

from __future__ import annotations

import binascii
from datetime import datetime
from email.headerregistry import Address
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from uuid import UUID

from recobra.kit import email_address
from recobra.messaging.channels.base import Message
from recobra.messaging.tokens import unsubscribe_url

_WIDTH = 76  # of a line with an encoded word, at most (RFC 2047)
_WORD_OCTETS = 39  # an encoded word of so many octets fits the line behind the longest of our header names
_FORBIDDEN_IN_ADDRESS = frozenset(' <>,;:"()[]\\')


class AddressUnsuitable(ValueError):
    """An e-mail address that cannot be written into a message."""


@lru_cache(maxsize=64)
def parse_sender(mail_from: str) -> Address:
    """Read `Name <user@domain>`. Raises AddressUnsuitable."""
    name, address = parseaddr(mail_from)
    return _parse_address(address, _one_line(name))


def encode_address(address: str) -> str:
    """Return an address as SMTP takes it, with its domain in ASCII. Raises AddressUnsuitable."""
    if not email_address.is_address(address):
        raise AddressUnsuitable("The e-mail address is not one that can be written to.")
    return _parse_address(address).addr_spec


def build_message_id(public_id: UUID, mail_from: str) -> str:
    """Return the Message-ID of a contact, the same on every try."""
    return f"<{public_id}@{parse_sender(mail_from).domain}>"


def choose_return_path(mail_from: str, reply_to: str) -> str:
    """Return the address to which a message comes back that does not arrive. Raises AddressUnsuitable.

    It is that of the mailbox that is read, where the sender's domain is its own: mail servers check whether they agree.
    """
    sender = parse_sender(mail_from)
    if not reply_to:
        return sender.addr_spec
    mailbox = _parse_address(reply_to)
    return mailbox.addr_spec if mailbox.domain.casefold() == sender.domain.casefold() else sender.addr_spec


def build_message(message: Message, *, mail_from: str, reply_to: str = "") -> bytes:
    """Return the whole message. Raises AddressUnsuitable."""
    boundary = f"=_{message.public_id.hex}"
    headers = (
        ("From", _format_sender(mail_from)),
        *([("Reply-To", encode_address(reply_to))] if reply_to else []),
        ("To", encode_address(message.address)),
        # On one line: a line break from a template or a file would begin a header of its own.
        ("Subject", _encode_header("Subject", _one_line(message.subject))),
        ("Date", _format_date(message.date)),
        ("Message-ID", build_message_id(message.public_id, mail_from)),
        ("X-Recobra-Contact", str(message.public_id)),
        ("List-Unsubscribe", f"<{unsubscribe_url(message.public_id)}>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ("Auto-Submitted", "auto-generated"),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    parts = [_build_part(boundary, "plain", message.text), _build_part(boundary, "html", message.html)]
    # An address outside ASCII travels as UTF-8 (RFC 6532), to a server that takes such addresses (SMTPUTF8).
    return b"".join([head.encode(), b"\r\n", *parts, f"--{boundary}--\r\n".encode()])


def _build_part(boundary: str, subtype: str, content: str) -> bytes:
    """Return one part of the message, in quoted-printable, with the boundary before it."""
    head = (
        f"--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    lines = "\n".join(content.splitlines()) + "\n"
    encoded = binascii.b2a_qp(lines.encode(), istext=True)
    return head.encode() + encoded.replace(b"\n", b"\r\n") + b"\r\n"


@lru_cache(maxsize=8)
def _format_date(at: datetime) -> str:
    return format_datetime(at)


@lru_cache(maxsize=64)
def _format_sender(mail_from: str) -> str:
    """Return the value of the From header for `Name <user@domain>`."""
    address = parse_sender(mail_from)
    if not address.display_name:
        return address.addr_spec
    if address.display_name.isascii():
        return str(address)
    return f"{_encode_header('From', address.display_name)} <{address.addr_spec}>"


def _encode_header(name: str, text: str) -> str:
    """Return the text of a header, as encoded words of one line each where it needs them (RFC 2047)."""
    if text.isascii() and len(name) + len(text) < _WIDTH:
        return text
    words = []
    word = b""
    for character in text:
        octets = character.encode()
        # A character is never split between two words.
        if len(word) + len(octets) > _WORD_OCTETS:
            words.append(word)
            word = b""
        word += octets
    words.append(word)
    encoded_words = []
    for word in words:
        base64_text = binascii.b2a_base64(word, newline=False).decode()
        encoded_words.append(f"=?utf-8?b?{base64_text}?=")
    return "\r\n ".join(encoded_words)


def _one_line(text: str) -> str:
    """Return text without control characters and line breaks, with single spaces."""
    if not text.isprintable():
        text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())


def _parse_address(text: str, name: str = "") -> Address:
    """Return an address with its domain in ASCII and a display name. Raises AddressUnsuitable."""
    user, at, domain = text.rpartition("@")
    is_writable = text.isprintable() and _FORBIDDEN_IN_ADDRESS.isdisjoint(text)
    if not (user and at and domain and is_writable):
        raise AddressUnsuitable("The e-mail address is not one that can be written to.")
    try:
        return Address(display_name=name, username=user, domain=email_address.encode_domain(domain))
    except (ValueError, IndexError) as error:
        raise AddressUnsuitable("The e-mail address is not one that can be written to.") from error
