"""Plain e-mails of the installation itself, which reach no debtor: a seal of the journal, an invitation."""

from __future__ import annotations

import asyncio
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr

from django.conf import settings
from django.utils.translation import gettext as _

from recobra.messaging.channels.base import OutcomeKind

from .connection import Connection
from .server import ServerUnsuitable, parse_demo_server, parse_server


class MailFailed(Exception):
    """The message was not taken by the mail server; the text says why, in a few words."""


def send_plain_mail(*, recipient: str, subject: str, text: str, now: datetime) -> None:
    """Send a text to one address by RECOBRA_SMTP_URL. Raises MailFailed."""
    if not settings.SMTP_URL:
        raise MailFailed(_("RECOBRA_SMTP_URL is not set."))
    parse = parse_demo_server if settings.DEMO else parse_server
    try:
        server = parse(settings.SMTP_URL)
    except ServerUnsuitable as error:
        raise MailFailed(str(error)) from error
    _name, sender = parseaddr(settings.MAIL_FROM)
    message = EmailMessage()
    message["From"] = settings.MAIL_FROM
    message["To"] = recipient
    message["Subject"] = subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2] or "localhost")
    message.set_content(text)
    outcome = asyncio.run(_deliver(Connection(server), message, sender=sender, recipient=recipient))
    if outcome is not OutcomeKind.SENT:
        raise MailFailed(_("The mail server did not take the message (%(outcome)s).") % {"outcome": outcome})


async def _deliver(connection: Connection, message: EmailMessage, *, sender: str, recipient: str) -> OutcomeKind:
    """Hand a message over and close the connection; return how it ended."""
    try:
        outcome = await connection.deliver(message.as_bytes(policy=SMTP), sender=sender, recipient=recipient)
        return outcome.kind
    finally:
        await connection.close()
