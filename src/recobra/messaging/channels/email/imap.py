"""Mailboxes read by IMAP (RFC 3501, RFC 9051): new messages are fetched and nothing in the mailbox is changed.

One mailbox belongs to each sender. People of the company may read it too: messages stay unread and where they are.
"""

from __future__ import annotations

import imaplib
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import unquote

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recobra.kit import email_address, outgoing_rule
from recobra.kit.sizes import MEGABYTE
from recobra.messaging.channels.adapter import Config, Setting, Unsuitable

SETTINGS: Final[tuple[Setting, ...]] = (
    Setting(
        name="reply_to",
        label=gettext_lazy("Address for answers"),
        required=False,
        help=gettext_lazy("What debtors answer goes there (Reply-To); empty: to the sender's own address."),
    ),
    Setting(
        name="imap_url",
        label=gettext_lazy("Where the answers are read (IMAP)"),
        kind="url",
        required=False,
        help=gettext_lazy(
            "imaps://user@host:port is the mailbox of that address: its answers become conversations, and messages "
            "that come back are told. imap:// begins TLS by STARTTLS. Empty: nobody reads them here."
        ),
    ),
    Setting(name="imap_password", label=gettext_lazy("Password of that mailbox"), kind="secret", required=False),
)
"""The settings that every provider of e-mail has for the mailbox of its sender."""
TIMEOUT_SECONDS: Final = 30.0
MAX_BYTES: Final = 12 * MEGABYTE
"""Of a longer message the beginning is read, which has its words."""
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DEFAULT_PORTS: Final = {"imap": 143, "imaps": 993}
_INTERNAL_DATE: Final = re.compile(rb'INTERNALDATE "([^"]+)"', re.IGNORECASE)
_BODY: Final = re.compile(rb"BODY\[\]", re.IGNORECASE)


class MailboxFailed(Unsuitable):
    """The mailbox cannot be read now; the text says why, and is no answer of the server's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapServer:
    """The mailbox of a sender: where it is, and who signs in there."""

    host: str
    port: int
    user: str
    password: str = field(repr=False, default="")
    implicit_tls: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedMail:
    """A message as it lies in the mailbox, up to MAX_BYTES, and when it came there."""

    uid: int
    received_at: datetime
    content: bytes


def parse_mailbox(settings: Mapping[str, str], password: str) -> ImapServer | None:
    """Return the mailbox that settings name, None where they name none. Raises MailboxFailed."""
    url = settings.get("imap_url", "")
    if not url:
        return None
    parts = outgoing_rule.split_url(url)
    user = unquote(parts.username or "")
    # A line break in it would begin a command of its own.
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or not user or not user.isprintable():
        raise MailboxFailed(_("Write it as imaps://user@host:port."))
    return ImapServer(
        host=parts.hostname,
        port=parts.port or _DEFAULT_PORTS[parts.scheme],
        user=user,
        password=password or unquote(parts.password or ""),
        implicit_tls=parts.scheme == "imaps",
    )


def find_problems(config: Config) -> dict[str, str]:
    """Return what is wrong with the settings of a sender's mailbox, by field."""
    problems = {}
    reply_to = config.settings.get("reply_to", "")
    if reply_to and not email_address.is_address(reply_to):
        problems["reply_to"] = _("An e-mail address is expected.")
    if (reply_to or config.secrets.get("imap_password")) and not config.settings.get("imap_url"):
        problems["imap_url"] = _("Nobody would read the answers: say where they are read.")
    try:
        server = parse_mailbox(config.settings, config.secrets.get("imap_password", ""))
        if server is not None:
            _judge(server)
    except MailboxFailed as failed:
        problems["imap_url"] = str(failed)
    return problems


def check_mailbox(config: Config) -> str:
    """Sign in to the mailbox of the settings; return a sentence about it, '' where they name none.

    Raises MailboxFailed.
    """
    server = parse_mailbox(config.settings, config.secrets.get("imap_password", ""))
    if server is None:
        return ""
    with open_mailbox(server):
        return str(_("The mailbox is read."))


def _judge(server: ImapServer) -> None:
    """Refuse a server that may not be called. Raises MailboxFailed."""
    if not outgoing_rule.may_call(server.host, server.port, ports=outgoing_rule.MAILBOX_PORTS):
        raise MailboxFailed(
            _("%(host)s may not be called from here: whoever runs the server can allow it.")
            % {"host": f"{server.host}:{server.port}"}
        )


def _connect(host: str, port: int, timeout: float | None) -> socket.socket:
    """Connect to the first address of a host that may be called and answers. Raises OSError."""
    failure = OSError("The address may not be called.")
    # Connected to is what was judged: looked up again, the name might lead elsewhere.
    for *_kind, socket_address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        address = str(socket_address[0])
        if not outgoing_rule.may_connect(address, host, port):
            continue
        try:
            return socket.create_connection((address, port), timeout)
        except OSError as error:
            failure = error
    raise failure


class _Imap(imaplib.IMAP4):
    """A connection to a judged address that reads no more than a message may have."""

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return _connect(self.host, self.port, timeout)

    def read(self, size: int) -> bytes:
        """Read the octets of a literal. Raises imaplib.IMAP4.abort for more than was asked for."""
        if size > MAX_BYTES:
            raise self.abort("longer than asked for")
        return super().read(size)


class _ImapTls(_Imap):
    """The same, in TLS from the first byte."""

    def __init__(self, host: str, port: int, timeout: float, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(host, port, timeout)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return self._context.wrap_socket(super()._create_socket(timeout), server_hostname=self.host)


class Mailbox:
    """The inbox of a sender, opened to be read only."""

    def __init__(self, connection: imaplib.IMAP4, uid_validity: int) -> None:
        self._connection = connection
        self.uid_validity = uid_validity
        """Changes where the server gives its numbers anew."""

    def list_uids(self, *, after: int, since: date | None) -> list[int]:
        """Return the numbers of messages in order: those after one, or those that came since a day."""
        if since is not None:
            month = _MONTHS[since.month - 1]
            found = self._ask("SEARCH", "SINCE", f"{since.day:02}-{month}-{since.year}")
        else:
            found = self._ask("SEARCH", "UID", f"{after + 1}:*")
        uids = sorted({int(word) for part in found if isinstance(part, bytes) for word in part.split()})
        # `*` is the last message, however small its number is.
        return [uid for uid in uids if uid > after]

    def fetch(self, uid: int, *, now: datetime) -> FetchedMail | None:
        """Return a message, None where it is gone meanwhile."""
        answer = self._ask("FETCH", str(uid), f"(UID INTERNALDATE BODY.PEEK[]<0.{MAX_BYTES}>)")
        content = None
        words = b""
        for part in answer:
            if isinstance(part, tuple):
                words += part[0]
                if _BODY.search(part[0]):
                    content = part[1]
            elif isinstance(part, bytes):
                words += part
        if content is None:
            return None
        return FetchedMail(uid=uid, received_at=_read_date(words, now), content=content)

    def _ask(self, command: str, *arguments: str) -> list[bytes | tuple[bytes, bytes] | None]:
        """Return the server's answer to a command about numbers. Raises MailboxFailed."""
        try:
            status, answer = self._connection.uid(command, *arguments)
        except (imaplib.IMAP4.error, OSError, ValueError) as error:
            raise MailboxFailed(_describe(error)) from error
        if status != "OK":
            raise MailboxFailed(_("The mail server refuses to show the messages."))
        return list(answer)


def _read_date(words: bytes, now: datetime) -> datetime:
    """Return when a message came to the mailbox, now where the server does not say so believably."""
    match = _INTERNAL_DATE.search(words)
    try:
        at = parsedate_to_datetime(match[1].decode("ascii").strip().replace("-", " ", 2)) if match else now
        return min(at.astimezone(UTC), now) if at.tzinfo is not None else now
    except (ValueError, TypeError, OverflowError):
        return now


@contextmanager
def open_mailbox(server: ImapServer) -> Iterator[Mailbox]:
    """Give the inbox of a sender while the block runs. Raises MailboxFailed."""
    _judge(server)
    try:
        connection = _sign_in(server)
    except (imaplib.IMAP4.error, OSError, ValueError) as error:
        raise MailboxFailed(_describe(error)) from error
    try:
        yield Mailbox(connection, _select(connection))
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            connection.logout()
        with suppress(OSError):
            connection.shutdown()


def _sign_in(server: ImapServer) -> imaplib.IMAP4:
    """Return a connection on which the user is signed in; a password never travels in plain text."""
    context = ssl.create_default_context()
    is_here = outgoing_rule.is_loopback(server.host)
    if is_here:
        # Nobody is in between, and a certificate for this machine hardly exists.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    connection: imaplib.IMAP4
    if server.implicit_tls:
        connection = _ImapTls(server.host, server.port, TIMEOUT_SECONDS, context)
    else:
        connection = _Imap(server.host, server.port, TIMEOUT_SECONDS)
    try:
        if not server.implicit_tls and not is_here:
            _begin_tls(connection, context)
        _authenticate(connection, server)
    except BaseException:
        with suppress(OSError):
            connection.shutdown()
        raise
    return connection


def _begin_tls(connection: imaplib.IMAP4, context: ssl.SSLContext) -> None:
    """Go on in TLS. Raises MailboxFailed where the server offers none, or somebody in between says so."""
    if "STARTTLS" not in connection.capabilities:
        raise MailboxFailed(_("The mail server offers no TLS, and the password does not travel without."))
    connection.starttls(context)


def _authenticate(connection: imaplib.IMAP4, server: ImapServer) -> None:
    """Sign in by SASL PLAIN, which takes any letters (RFC 4616), else by LOGIN."""
    if "AUTH=PLAIN" in connection.capabilities:
        secret = b"\0" + server.user.encode() + b"\0" + server.password.encode()
        connection.authenticate("PLAIN", lambda _challenge: secret)
        return
    quoted = server.user.replace("\\", "\\\\").replace('"', '\\"')
    connection.login(f'"{quoted}"', server.password)


def _select(connection: imaplib.IMAP4) -> int:
    """Open the inbox to be read and return its validity. Raises MailboxFailed."""
    try:
        status, _answer = connection.select("INBOX", readonly=True)
        _name, validity = connection.response("UIDVALIDITY")
        if status != "OK" or not validity or not isinstance(validity[0], bytes):
            raise MailboxFailed(_("The mail server does not open the inbox."))
        return int(validity[0])
    except (imaplib.IMAP4.error, OSError, ValueError) as error:
        raise MailboxFailed(_describe(error)) from error


def _describe(error: Exception) -> str:
    """Return why a mailbox could not be read, without the server's words: they may hold what was sent to it."""
    if isinstance(error, imaplib.IMAP4.error) and not isinstance(error, imaplib.IMAP4.abort):
        return _("The mail server refuses: look at the user and the password.")
    if isinstance(error, ssl.SSLError):
        return _("The mail server's certificate is not one to trust.")
    return _("The mail server is not reached.")
