"""The message as it travels, and the server it travels by."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
import uuid
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default as policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from recobra.messaging.channels import ADAPTERS, Message, OutcomeKind
from recobra.messaging.channels.adapter import Config
from recobra.messaging.channels.email.connection import Connection
from recobra.messaging.channels.email.message import AddressUnsuitable, build_message
from recobra.messaging.channels.email.server import Server, ServerUnsuitable, parse_demo_server, parse_server
from recobra.messaging.mailbox import _find_free_port
from recobra.messaging.tokens import read_unsubscribe_token

PUBLIC_ID = uuid.UUID("0197a000-0000-7000-8000-000000000001")
FROM = "Cobranzas Ñandú <cobranzas@sur.example>"


def letter(**changes):
    fields = {
        "public_id": PUBLIC_ID,
        "address": "rosa@correo.example",
        "subject": "Recordatorio: año y cuota",
        "text": "Sí, señora.\n.\nUn punto solo arriba.\n",
        "html": "<p>Sí, señora.</p>",
        "date": datetime(2026, 11, 23, 15, 0, tzinfo=UTC),
    }
    return Message(**{**fields, **changes})


def read(content):
    return message_from_bytes(content, policy=policy)


def test_headers_let_programs_and_people_know_what_this_is(settings):
    got = read(build_message(letter(), mail_from=FROM))
    assert got["From"].addresses[0].display_name == "Cobranzas Ñandú"
    assert got["To"] == "rosa@correo.example"
    assert got["Subject"] == "Recordatorio: año y cuota"
    assert got["Message-ID"] == f"<{PUBLIC_ID}@sur.example>"
    assert got["X-Recobra-Contact"] == str(PUBLIC_ID)
    assert got["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert got["Auto-Submitted"] == "auto-generated"
    assert got["Date"].datetime == datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
    url = got["List-Unsubscribe"].strip("<>")
    assert url.startswith(f"{settings.PUBLIC_URL}/d/baja/")
    assert read_unsubscribe_token(url.rpartition("/")[2]) == PUBLIC_ID
    assert got.get_body(("plain",)).get_content().splitlines() == ["Sí, señora.", ".", "Un punto solo arriba."]
    assert got.get_body(("html",)).get_content().strip() == "<p>Sí, señora.</p>"
    assert build_message(letter(), mail_from=FROM).isascii()


@pytest.mark.parametrize(
    "smuggled", ["\r\nBcc: todos@correo.example", "\nX-Otro: 1", "\u2028Bcc: x@y.example", "\x00a"]
)
def test_a_subject_cannot_become_another_header(smuggled):
    got = read(build_message(letter(subject=f"Hola{smuggled}"), mail_from=FROM))
    assert got["Bcc"] is None
    assert got["X-Otro"] is None
    assert got["Subject"].startswith("Hola ")


@pytest.mark.parametrize(
    "address",
    [
        "rosa@correo.example\r\nBcc: x@y.example",
        "rosa@correo.example, x@y.example",
        "rosa",
        "@correo.example",
        "",
        "rosa@",
        "<rosa@correo.example>",
        "rosa quispe@correo.example",
    ],
)
def test_an_address_cannot_become_another_header_or_recipient(address):
    with pytest.raises(AddressUnsuitable):
        build_message(letter(address=address), mail_from=FROM)


def test_a_domain_with_accents_is_written_as_the_network_wants_it():
    assert (
        read(build_message(letter(address="rosa@ñandú.example"), mail_from=FROM))["To"] == "rosa@xn--and-6ma2c.example"
    )


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", Server(host="mail.example", port=25)),
        ("smtp://ana:c%40ve@mail.example", Server(host="mail.example", port=587, user="ana", password="c@ve")),
        ("smtps://mail.example", Server(host="mail.example", port=465, implicit_tls=True)),
        ("smtp://mail.example:2525?tls=required", Server(host="mail.example", port=2525, tls_required=True)),
    ],
)
def test_the_servers_address_is_read(url, server):
    assert parse_server(url) == server


@pytest.mark.parametrize(
    "url", ["", "mail.example", "http://mail.example", "smtp://", "smtp://h:99999", "smtp://h?tls=no"]
)
def test_an_address_that_is_no_server_is_refused(url):
    with pytest.raises(ServerUnsuitable, match="RECOBRA_SMTP_URL"):
        parse_server(url)


@pytest.mark.parametrize("url", ["smtp://mail.example:25", "smtp://10.0.0.1", "smtp://127.0.0.1.example"])
def test_in_demonstration_mode_nothing_leaves_the_machine(settings, url):
    with pytest.raises(ServerUnsuitable, match="nothing leaves the machine"):
        parse_demo_server(url)
    config = Config(provider_id=None, code="smtp", settings={"url": url})

    async def opened():
        async with ADAPTERS["smtp"].open_sender(config):
            pass

    with pytest.raises(ServerUnsuitable):
        asyncio.run(opened())


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:25", "smtp://localhost:25", "smtp://[::1]:25"])
def test_in_demonstration_mode_this_machine_may_be_named(url):
    assert parse_demo_server(url).is_loopback


class Keeper:
    def __init__(self):
        self.kept, self.sessions = [], []

    async def handle_DATA(self, _server, session, envelope):  # noqa: N802 - aiosmtpd's name
        self.kept.append(envelope)
        self.sessions.append((session.peer, session.ssl is not None, session.authenticated))
        return "250 kept"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-keyout",
            str(key),
            "-out",
            str(cert),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@pytest.fixture
def smtp_server():
    started = []

    def start(**options):
        keeper = Keeper()
        controller = Controller(keeper, hostname="127.0.0.1", port=_find_free_port(), **options)
        controller.start()
        started.append(controller)
        return keeper, controller.port

    yield start
    for controller in started:
        controller.stop()


WHO = {"sender": "cobranzas@sur.example", "recipient": "rosa@correo.example"}


def deliver(url, times=1):
    async def all_of_them():
        connection = Connection(parse_server(url), timeout=5)
        try:
            return [await connection.deliver(build_message(letter(), mail_from=FROM), **WHO) for _ in range(times)]
        finally:
            await connection.close()

    return asyncio.run(all_of_them())


def test_starttls_and_a_password_and_one_connection_for_many(smtp_server, certificate):
    def authenticator(server, session, envelope, mechanism, data):
        good = (data.login, data.password) == (b"ana", b"c@ve")
        return AuthResult(success=good, handled=False)

    options = {
        "tls_context": certificate,
        "authenticator": authenticator,
        "auth_required": True,
        "require_starttls": True,
    }
    keeper, port = smtp_server(**options)
    assert [o.kind for o in deliver(f"smtp://ana:c%40ve@127.0.0.1:{port}?tls=required", times=3)] == [
        OutcomeKind.SENT
    ] * 3
    assert len({peer for peer, _, _ in keeper.sessions}) == 1
    assert all(encrypted and known for _, encrypted, known in keeper.sessions)
    assert b"\r\n..\r\n" not in keeper.kept[0].content
    (wrong,) = deliver(f"smtp://ana:otra@127.0.0.1:{port}")
    assert (wrong.kind, wrong.unreachable) == (OutcomeKind.RETRY, True)
    assert "535" in wrong.answer


def test_tls_from_the_first_byte(smtp_server, certificate):
    keeper, port = smtp_server(ssl_context=certificate)
    assert [o.kind for o in deliver(f"smtps://127.0.0.1:{port}")] == [OutcomeKind.SENT]
    assert len(keeper.kept) == 1


def test_where_tls_is_required_nothing_is_said_without_it(smtp_server):
    keeper, port = smtp_server()
    (outcome,) = deliver(f"smtp://127.0.0.1:{port}?tls=required")
    assert (outcome.kind, outcome.unreachable) == (OutcomeKind.RETRY, True)
    assert "offers no TLS" in outcome.answer
    assert not keeper.kept


def test_a_password_is_never_told_in_the_clear(smtp_server, monkeypatch):
    keeper, port = smtp_server()
    monkeypatch.setattr(Server, "is_loopback", False)
    (outcome,) = deliver(f"smtp://ana:c%40ve@127.0.0.1:{port}")
    assert (outcome.kind, outcome.unreachable) == (OutcomeKind.RETRY, True)
    assert "offers no TLS" in outcome.answer
    assert not keeper.kept


def test_a_connection_the_server_left_is_made_again(smtp_server):
    keeper, port = smtp_server()

    async def twice():
        connection = Connection(parse_server(f"smtp://127.0.0.1:{port}"), timeout=5)
        first = await connection.deliver(build_message(letter(), mail_from=FROM), **WHO)
        connection._protocol._transport.get_extra_info("socket").shutdown(2)
        second = await connection.deliver(build_message(letter(), mail_from=FROM), **WHO)
        await connection.close()
        return first.kind, second.kind

    assert asyncio.run(twice()) == (OutcomeKind.SENT, OutcomeKind.SENT)
    assert len(keeper.kept) == 2


def test_a_handing_over_that_was_broken_off_leaves_nothing_behind_for_the_next_one():
    kept, left = [], []

    async def server(reader, writer):
        writer.write(b"220 hola\r\n")
        to = ""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while line := await reader.readline():
                word = line[:4].upper()
                if word == b"MAIL" and not slow_once.is_set():
                    slow_once.set()
                    await asyncio.sleep(0.3)
                elif word == b"RCPT":
                    to = line.decode().partition("<")[2].partition(">")[0]
                elif word == b"DATA":
                    writer.write(b"354 venga\r\n")
                    kept.append((to, await reader.readuntil(b"\r\n.\r\n")))
                writer.write(b"250-hola\r\n250 PIPELINING\r\n" if word == b"EHLO" else b"250 bien\r\n")
        writer.close()
        left.append(writer)
        if len(left) == 2:
            all_left.set()

    async def play():
        listening = await asyncio.start_server(server, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        connection = Connection(parse_server(f"smtp://127.0.0.1:{port}"), timeout=5)
        first = asyncio.create_task(connection.deliver(build_message(letter(), mail_from=FROM), **WHO))
        await slow_once.wait()
        first.cancel()
        await asyncio.wait([first])
        juan = {**WHO, "recipient": "juan@correo.example"}
        message = build_message(letter(address=juan["recipient"], text="Para Juan."), mail_from=FROM)
        second = await connection.deliver(message, **juan)
        await connection.close()
        listening.close()
        await asyncio.wait_for(all_left.wait(), 5)
        return second

    slow_once, all_left = asyncio.Event(), asyncio.Event()
    assert asyncio.run(play()).kind is OutcomeKind.SENT
    assert [(to, b"Para Juan." in content) for to, content in kept] == [("juan@correo.example", True)]


def test_words_in_the_clear_after_the_consent_to_tls_are_not_believed():
    async def server(reader, writer):
        writer.write(b"220 hola\r\n")
        await reader.readline()
        writer.write(b"250-hola\r\n250 STARTTLS\r\n")
        await reader.readline()
        writer.write(b"220 ya\r\n250 SMTPUTF8 AUTH PLAIN\r\n")
        await reader.read()
        writer.close()
        left.set()

    async def play():
        listening = await asyncio.start_server(server, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        outcome = await Connection(parse_server(f"smtp://127.0.0.1:{port}"), timeout=5).deliver(b"x", **WHO)
        await left.wait()
        listening.close()
        return outcome

    left = asyncio.Event()
    outcome = asyncio.run(play())
    assert (outcome.kind, outcome.unreachable) == (OutcomeKind.RETRY, True)
    assert "in the clear" in outcome.answer


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("ñ" * 300, "á" * 500),
        ("a" * 300, "=" * 200 + " \t\n" + ".x\n" * 3),
        ("Corto", "From quien sea\n--=_frontera\n\r\nÚltima sin salto"),
        ("", "\u2028separador"),
    ],
)
def test_any_words_arrive_as_they_were_written(subject, text):
    content = build_message(letter(subject=subject, text=text), mail_from=FROM)
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    got = read(content)
    assert not got.defects
    assert got["Subject"] == subject
    assert got.get_body(("plain",)).get_content().split() == text.split()
