"""SMTP server of RECOBRA_SMTP_URL or of a provider's settings."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from email.utils import parseaddr
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings

from recobra.messaging.channels.adapter import Unsuitable


class ServerUnsuitable(Unsuitable):
    """RECOBRA_SMTP_URL cannot be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """An SMTP server. `implicit_tls`: TLS from the first byte; `tls_required`: no message goes without STARTTLS."""

    host: str
    port: int
    user: str = ""
    password: str = ""
    implicit_tls: bool = False
    tls_required: bool = False

    def __repr__(self) -> str:
        return f"Server({self.host}:{self.port})"

    @property
    def is_loopback(self) -> bool:
        """Return whether the server is on this machine."""
        return _is_loopback(self.host)


def _is_loopback(host: str) -> bool:
    """Return whether a host name or IP address is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def parse_server(url: str) -> Server:
    """Read smtp://user:password@host:port or smtps://…, with `?tls=required`. Raises ServerUnsuitable."""
    try:
        parts = urlsplit(url)
    except ValueError:  # such as smtp://[
        parts = urlsplit("")
    if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
        raise ServerUnsuitable("RECOBRA_SMTP_URL must look like smtp://user:password@host:port or smtps://host:port.")
    try:
        port = parts.port
    except ValueError as error:
        raise ServerUnsuitable("RECOBRA_SMTP_URL: the port must be a number up to 65535.") from error
    options = dict(parse_qsl(parts.query))
    if options.pop("tls", "required") != "required" or options:
        raise ServerUnsuitable("RECOBRA_SMTP_URL knows one option: ?tls=required.")
    implicit_tls = parts.scheme == "smtps"
    if not port:
        port = _default_port(implicit_tls=implicit_tls, has_user=bool(parts.username))
    return Server(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        implicit_tls=implicit_tls,
        tls_required=bool(parts.query),
    )


def _default_port(*, implicit_tls: bool, has_user: bool) -> int:
    """Return the port of smtps, of submission by a user who signs in (RFC 6409), or of SMTP between servers."""
    if implicit_tls:
        return 465
    return 587 if has_user else 25


def parse_demo_server(url: str) -> Server:
    """Read the address in demonstration mode, where nothing may leave this machine. Raises ServerUnsuitable."""
    server = parse_server(url)
    if not server.is_loopback:
        raise ServerUnsuitable(
            f"In demonstration mode nothing leaves the machine, but RECOBRA_SMTP_URL names {server.host}. "
            "Give a loopback address (127.0.0.1), or none for the built-in mailbox."
        )
    return server


def add_password(server: Server, password: str) -> Server:
    """Return a server with the password, which is stored apart from the address; '' leaves its own."""
    return replace(server, password=password) if password else server


def refuse_local_names(server: Server | None = None) -> None:
    """Refuse to send while the sender or the links name this machine, which debtors cannot reach.

    `server` is where to, by default that of RECOBRA_SMTP_URL. Raises ServerUnsuitable.
    """
    if server is None and settings.SMTP_URL:
        server = parse_server(settings.SMTP_URL)
    # A server on this machine stays allowed: it may be the company's relay, or a trial.
    if settings.DEMO or server is None or server.is_loopback:
        return
    _name, address = parseaddr(settings.MAIL_FROM)
    _user, _at, sender_host = address.rpartition("@")
    hosts = {
        "RECOBRA_MAIL_FROM": sender_host,
        "RECOBRA_PUBLIC_URL": urlsplit(settings.PUBLIC_URL).hostname or "localhost",
    }
    local_names = [name for name, host in hosts.items() if _is_loopback(host)]
    if local_names:
        raise ServerUnsuitable(
            f"Nothing is sent while {' and '.join(local_names)} names this machine: debtors cannot use it."
        )
