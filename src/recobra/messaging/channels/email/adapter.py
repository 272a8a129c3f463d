"""Adapter of e-mail by SMTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from recobra.kit import outgoing_rule
from recobra.messaging import reasons
from recobra.messaging.channels.adapter import Check, Config, Event, Setting, Unsuitable, WebhookRequest
from recobra.messaging.channels.base import Message, Outcome, OutcomeKind
from recobra.messaging.channels.email import imap, received
from recobra.messaging.channels.email.connection import Connection
from recobra.messaging.channels.email.message import (
    AddressUnsuitable,
    build_message,
    build_message_id,
    choose_return_path,
    encode_address,
)
from recobra.messaging.channels.email.server import (
    Server,
    ServerUnsuitable,
    add_password,
    parse_demo_server,
    parse_server,
    refuse_local_names,
)
from recobra.messaging.channels.email.smtp_dialogue import Disconnected
from recobra.messaging.channels.http import CHECK_SECONDS, describe_check_error
from recobra.messaging.channels.one_way import OneWay
from recobra.messaging.mailbox import Mailbox, has_received

CONNECTIONS = 8
"""Connections to one server at once, as many as most servers allow to a client."""


class EmailSender:
    """Sends messages over a few connections."""

    def __init__(self, server: Server, mail_from: str, connections: int = CONNECTIONS, *, reply_to: str = "") -> None:
        self._mail_from = mail_from
        self._reply_to = reply_to
        self._connections = [Connection(server) for _ in range(connections)]
        # Last in, first out: a few busy connections stay open, the others are never made.
        self._free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        for connection in self._connections:
            self._free.put_nowait(connection)

    async def send(self, message: Message) -> Outcome:
        """Send one message and return the outcome."""
        try:
            content = build_message(message, mail_from=self._mail_from, reply_to=self._reply_to)
        except AddressUnsuitable as error:
            return Outcome(kind=OutcomeKind.FAILED, reason=reasons.REFUSED, answer=str(error))
        sender = choose_return_path(self._mail_from, self._reply_to)
        connection = await self._free.get()
        try:
            return await connection.deliver(content, sender=sender, recipient=encode_address(message.address))
        finally:
            self._free.put_nowait(connection)

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(connection.close() for connection in self._connections))


class EmailAdapter(OneWay):
    """E-mail by SMTP; in demonstration mode by the built-in mailbox, unless another loopback server is named."""

    kind = "smtp"
    channel = "email"
    label = _("E-mail (SMTP)")
    settings: tuple[Setting, ...] = (
        Setting(
            name="url",
            label=_("Server"),
            kind="url",
            help=_("smtp://user@host:port, or smtps:// for TLS from the first byte; ?tls=required asks for STARTTLS."),
        ),
        Setting(name="password", label=_("Password"), kind="secret", required=False),
        Setting(name="from", label=_("Sender"), required=False, help=_("Name <address>; empty: that of the company.")),
        *imap.SETTINGS,
    )
    two_way = True

    def find_problems(self, config: Config) -> dict[str, str]:
        """Return what is wrong with the settings of the mailbox, by field; the server is asked when it is tested."""
        return imap.find_problems(config)

    @asynccontextmanager
    async def open_sender(self, config: Config) -> AsyncIterator[EmailSender]:
        """Open connections for a run of messages. Raises ServerUnsuitable."""
        with _open_server(config) as server:
            sender = EmailSender(
                server, config.settings.get("from") or settings.MAIL_FROM, reply_to=config.settings.get("reply_to", "")
            )
            try:
                yield sender
            finally:
                await sender.close()

    def message_id(self, public_id: UUID, config: Config) -> str:
        """Return the Message-ID, the same on every try."""
        return build_message_id(public_id, config.settings.get("from") or settings.MAIL_FROM)

    async def was_received(self, public_id: UUID, reference: str, config: Config) -> bool | None:
        """Return whether the message is in the built-in mailbox; None for another server, which cannot be asked."""
        del reference
        if config.settings.get("url") or not settings.DEMO:
            return None
        return await has_received(public_id)

    async def check_settings(self, config: Config) -> Check:
        """Connect and sign in."""
        try:
            with _open_server(config) as server:
                answer = await Connection(server, timeout=CHECK_SECONDS).check()
            mailbox = await asyncio.to_thread(imap.check_mailbox, config)
            return Check(ok=True, answer=f"{answer} · {mailbox}" if mailbox else answer)
        except (Unsuitable, Disconnected) as error:
            return Check(ok=False, answer=describe_check_error(error))

    def read_events(self, call: WebhookRequest, config: Config) -> Sequence[Event]:
        """Return the events of an e-mail that came in; the server itself makes no calls. Raises ForgedCall."""
        if call.method == received.METHOD:
            return received.read_mail(call, config)
        return super().read_events(call, config)


ADAPTER = EmailAdapter()


def find_server(config: Config) -> Server | None:
    """Return the mail server of the settings, None for the built-in mailbox of a demonstration.

    Raises ServerUnsuitable where there is neither, or where the server may not be used.
    """
    url = config.settings.get("url", "")
    if not url:
        if settings.DEMO:
            return None
        raise ServerUnsuitable("No server to send e-mail by: set RECOBRA_SMTP_URL (smtp://user:password@host:port).")
    server = parse_demo_server(url) if settings.DEMO else parse_server(url)
    refuse_local_names(server)
    if not outgoing_rule.may_call(server.host, server.port, ports=outgoing_rule.MAIL_PORTS):
        raise ServerUnsuitable(
            f"{server.host}:{server.port} may not be called from here: whoever runs the server can allow it."
        )
    return add_password(server, config.secrets.get("password", ""))


@contextmanager
def _open_server(config: Config) -> Iterator[Server]:
    """Give the mail server, or the built-in mailbox while the block runs. Raises ServerUnsuitable."""
    server = find_server(config)
    if server is not None:
        yield server
        return
    # The built-in mailbox listens on a port of its own for the time of the run.
    mailbox = Mailbox()
    try:
        yield parse_server(mailbox.start())
    finally:
        mailbox.stop()
