"""The e-mail channel: which server, how a message looks, whom to ask about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from uuid import UUID

from django.conf import settings

from recobra.contact import reasons
from recobra.contact.channels.base import Kind, Message, Outcome
from recobra.contact.mailbox import Mailbox
from recobra.contact.models import MailboxMessage

from .message import AddressUnsuitable, compose, message_id, recipient, sender_address
from .server import ServerUnsuitable, for_demonstration, parse
from .transport import Transport


class EmailSender:
    """Writes messages and hands them to one connection."""

    def __init__(self, transport: Transport, mail_from: str) -> None:
        self._transport, self._mail_from = transport, mail_from

    def send(self, message: Message) -> Outcome:
        """Hand a message over and say what became of it."""
        try:
            content = compose(message, mail_from=self._mail_from)
        except AddressUnsuitable as error:
            return Outcome(kind=Kind.FAILED, reason=reasons.REFUSED, answer=str(error))
        sender = sender_address(self._mail_from).addr_spec
        return self._transport.deliver(content, sender=sender, recipient=recipient(message.address))


class EmailChannel:
    """E-mail by SMTP; in demonstration mode by the built-in mailbox, unless another loopback server is named."""

    @contextmanager
    def opened(self) -> Iterator[EmailSender]:
        """Open a connection for a run of messages. Raises ServerUnsuitable."""
        with _server_url() as url:
            server = for_demonstration(url) if settings.DEMO else parse(url)
            with closing(Transport(server)) as transport:
                yield EmailSender(transport, settings.MAIL_FROM)

    def message_id(self, public_id: UUID) -> str:
        """Return the Message-ID, the same on every try."""
        return message_id(public_id, settings.MAIL_FROM)

    def was_received(self, public_id: UUID) -> bool | None:
        """Ask the built-in mailbox; another server has no one to ask."""
        if settings.SMTP_URL or not settings.DEMO:
            return None
        return MailboxMessage.objects.filter(contact_public_id=str(public_id)).exists()


@contextmanager
def _server_url() -> Iterator[str]:
    if settings.SMTP_URL:
        yield settings.SMTP_URL
    elif settings.DEMO:
        mailbox = Mailbox()
        try:
            yield mailbox.start()
        finally:
            mailbox.stop()
    else:
        raise ServerUnsuitable("No server to send e-mail by: set RECOBRA_SMTP_URL (smtp://user:password@host:port).")
