"""The message as it travels."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr
from uuid import UUID

from recobra.contact.channels.base import Message
from recobra.contact.tokens import unsubscribe_url

_POLICY = SMTP.clone(max_line_length=76)


class AddressUnsuitable(ValueError):
    """An e-mail address that cannot be written into a message."""


def sender_address(mail_from: str) -> Address:
    """Read `Name <user@domain>`. Raises AddressUnsuitable."""
    name, address = parseaddr(mail_from)
    return _address(address, name)


def message_id(public_id: UUID, mail_from: str) -> str:
    """Return the Message-ID of a contact, the same on every try."""
    return f"<{public_id}@{sender_address(mail_from).domain}>"


def compose(message: Message, *, mail_from: str) -> EmailMessage:
    """Return the whole message. Raises AddressUnsuitable.

    Headers take one line each: what a template or a file smuggles in as a line break is a space.
    """
    composed = EmailMessage(policy=_POLICY)
    composed["From"] = sender_address(mail_from)
    composed["To"] = _address(message.address)
    composed["Subject"] = " ".join("".join(c if c.isprintable() else " " for c in message.subject).split())
    composed["Date"] = message.date
    composed["Message-ID"] = message_id(message.public_id, mail_from)
    composed["X-Recobra-Contact"] = str(message.public_id)
    composed["List-Unsubscribe"] = f"<{unsubscribe_url(message.public_id)}>"
    composed["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    composed["Auto-Submitted"] = "auto-generated"
    composed.set_content(message.text, cte="quoted-printable")
    composed.add_alternative(message.html, subtype="html", cte="quoted-printable")
    return composed


def _address(text: str, name: str = "") -> Address:
    user, at, domain = text.rpartition("@")
    readable = all(c.isprintable() and c not in ' <>,;:"()[]\\' for c in text)
    if not (user and at and domain and readable):
        raise AddressUnsuitable("The e-mail address is not one that can be written to.")
    try:
        domain.encode("ascii")
        ascii_domain = domain
    except UnicodeEncodeError:
        ascii_domain = domain.encode("idna").decode()
    try:
        return Address(display_name=name, username=user, domain=ascii_domain)
    except (ValueError, IndexError) as error:
        raise AddressUnsuitable("The e-mail address is not one that can be written to.") from error
