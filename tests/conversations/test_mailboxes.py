"""What debtors answer to e-mails: read from the sender's mailbox, each message once, nothing lost on the way."""

from __future__ import annotations

from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import pytest
from django.test import Client

from recobra.consent.models import ConsentEntry
from recobra.consent.queries import is_silenced
from recobra.conversations import attachments, mailboxes
from recobra.conversations.models import Attachment, Conversation, ConversationMessage
from recobra.conversations.webhooks.receive import retry_calls, store_call
from recobra.messaging.channels.adapter import WebhookRequest
from recobra.messaging.channels.email import imap
from recobra.messaging.channels.email.own_words import split_text
from recobra.messaging.channels.email.received import header_of, parse_mail, parse_sender, text_of
from recobra.messaging.models import Contact, Provider, ReplyMailbox, WebhookCall
from recobra.messaging.providers import queries
from recobra.messaging.providers.operations import ProviderRefused, save_provider
from recobra.messaging.tokens import statement_url
from recobra.portfolio.models import ContactPoint
from tests.people import acting
from tests.providers.imap_server import ImapServer

pytestmark = pytest.mark.django_db
ROSA = "rosa@correo.example"
QUOTED = "El lun, 23 nov 2026 a las 10:00, Cobranzas (<cobranzas@sur.example>) escribió:\n> Debe S/ 123.45.\n> Responda BAJA.\n"
# What mail servers of three kinds answer when a mailbox is not there.
REPORT = """From: MAILER-DAEMON@mx.correo.example (Mail Delivery System)
To: cobranzas@sur.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Message-ID: <b1@mx.correo.example>
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.correo.example
Arrival-Date: Mon, 23 Nov 2026 15:00:00 +0000

Final-Recipient: rfc822; {address}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} said so

--B
Content-Type: text/rfc822-headers

From: cobranzas@sur.example
Message-ID: <{public_id}@sur.example>
X-Recobra-Contact: {public_id}

--B--
"""


@pytest.fixture
def server():
    mail = ImapServer()
    yield mail
    mail.close()


@pytest.fixture
def sender(world, server):
    return Provider.objects.create(
        code="correo",
        channel="email",
        kind="smtp",
        name="Correo",
        enabled=True,
        created_at=world.now,
        created_by="dario",
        settings={
            "url": "smtp://127.0.0.1:2525",
            "from": "Cobranzas <cobranzas@sur.example>",
            "reply_to": "cobranzas@sur.example",
            "imap_url": server.url,
        },
        secrets={"imap_password": server.password},
    )


@pytest.fixture
def contact(world):
    """A message that Rosa got by e-mail."""
    debtor = world.debtor(email=ROSA)
    world.owes(debtor)
    planned = world.planned(debtor)
    at = world.now - timedelta(hours=1)
    Contact.objects.filter(pk=planned.pk).update(status="SENT", handed_over_at=at, sent_at=at, address=ROSA)
    return Contact.objects.get(pk=planned.pk)


@pytest.fixture
def read(world, server, sender):
    """Put messages into the mailbox, let it be read, and return the last conversation."""

    def _read(*mails, after=1):
        at = world.now + timedelta(minutes=after)
        for mail in mails:
            server.receive(mail, at)
        mailboxes.read_mailboxes(actor=acting("provider", now=at))
        return Conversation.objects.order_by("pk").last()

    return _read


def mail_of(text, *, sender=ROSA, subject="Re: Su cuota", answers=None, number=1, html="", **headers):
    """Return an e-mail as programs write them."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"Rosa Quispe <{sender}>", "cobranzas@sur.example", subject
    mail["Message-ID"] = f"<m{number}@correo.example>"
    if answers is not None:
        mail["In-Reply-To"] = f"<{answers.public_id}@sur.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    return bytes(mail)


def test_an_answer_becomes_a_conversation_and_what_it_quotes_is_no_wish(read, contact, server):
    talk = read(mail_of(f"¿Cuánto debo?\n\n{QUOTED}", answers=contact))
    assert (talk.channel, talk.address, talk.debtor, talk.status, talk.mode_reason) == (
        "email",
        ROSA,
        contact.debtor,
        "OPEN",
        "email",
    )
    text = talk.messages.get().text
    assert text.startswith("¿Cuánto debo?\n\n―――")
    assert "> Responda BAJA." in text
    contact.refresh_from_db()
    assert contact.replied_at is not None
    assert not ConsentEntry.objects.exists()
    assert "EXAMINE" in server.commands  # people who read the mailbox too find it as it was
    assert "SELECT" not in server.commands


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        (f"BAJA\n\n{QUOTED}", "Re: Su cuota"),
        (f"{QUOTED}\nBAJA", "Re: Su cuota"),
        (
            "Estimados:\n\nBAJA\n\nSaludos,\nRosa Quispe\n\nAviso: este mensaje es confidencial y solo para quien va.",
            "x",
        ),
        ("", "BAJA"),
        ("Por favor dejen de escribirme\n-- \nRosa Quispe\nEnviado desde mi iPhone", "Re: Su cuota"),
    ],
    ids=["above", "below", "letter", "subject", "signature"],
)
def test_a_wish_by_e_mail_is_on_record(read, contact, text, subject):
    talk = read(mail_of(text, subject=subject))
    assert ConsentEntry.objects.get().act == "OPTED_OUT"
    assert is_silenced(kind="EMAIL", value=ROSA)
    assert (talk.status, talk.mode_reason) == ("CLOSED", "opted_out")


def test_html_alone_is_read_without_its_quote(read, contact):
    html = '<div>BAJA</div><div class="gmail_quote"><div>El lun, Cobranzas escribió:</div><blockquote>ALTA</blockquote></div>'
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Message-ID"] = ROSA, "Re: x", "<h1@correo.example>"
    mail.set_content(html, subtype="html")
    read(bytes(mail))
    assert is_silenced(kind="EMAIL", value=ROSA)


OURS = "Estimada Rosa:\nResponda BAJA para no recibir mensajes.\n\nBAJA"


@pytest.mark.parametrize(
    ("text", "own"),
    [
        (f"no puedo\n\nCobranzas <c@sur.example> escribió el lun, 23 nov 2026:\n\n{OURS}", "no puedo"),
        (f"no puedo\n\nEn lunes, 23 de noviembre de 2026, Cobranzas <c@sur.example> escribió:\n\n{OURS}", "no puedo"),
        (f"no puedo\n\n**De:** Cobranzas\n**Enviado:** lunes\n**Para:** Rosa\n\n{OURS}", "no puedo"),
        (f"El viernes\n\nEl lun, 23 nov 2026, Cobranzas escribió:\n\n{OURS}", "El viernes"),
        (f"De baja\nEl lun, 23 nov 2026, Cobranzas <\nc@sur.example> escribió:\n\n{OURS}", "De baja"),
        ("El señor García me escribió:\nque pague\nBAJA", "El señor García me escribió:\nque pague\nBAJA"),
        ("Enviado desde mi iPhone\n\nBAJA", "BAJA"),
    ],
    ids=["name first", "en", "bold", "as it begins", "right above", "of somebody", "below advertising"],
)
def test_own_words_stand_apart_from_what_is_quoted(text, own):
    assert split_text(text).own == own


def test_html_whose_head_does_not_end_is_read(read, contact):
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Message-ID"] = ROSA, "Re: x", "<h2@correo.example>"
    mail.set_content("<html><head><title>x</title><body><p>BAJA</p></body></html>", subtype="html")
    read(bytes(mail))
    assert is_silenced(kind="EMAIL", value=ROSA)


@pytest.mark.parametrize(
    ("subject", "headers"),
    [("Re: Su cuota", {"List_Id": "cobranzas.sur.example", "Precedence": "list"}), ("Ausencia de respuesta", {})],
    ids=["group", "subject"],
)
def test_what_a_person_writes_is_no_automatic_answer(read, contact, subject, headers):
    """The mailbox may be that of a group, which writes itself as a list into all that comes."""
    read(mail_of("BAJA", subject=subject, answers=contact, **headers))
    assert is_silenced(kind="EMAIL", value=ROSA)


def test_a_wish_from_another_address_holds_where_the_message_went(read, contact):
    talk = read(mail_of("BAJA", sender="rosa.trabajo@otra.example", answers=contact))
    assert is_silenced(kind="EMAIL", value=ROSA)
    assert is_silenced(kind="EMAIL", value="rosa.trabajo@otra.example")
    assert talk.messages.count() == 1


@pytest.mark.parametrize(
    ("subject", "headers"),
    [
        ("Respuesta automática: Su cuota", {}),
        ("Re: Su cuota", {"Auto_Submitted": "auto-replied"}),
        ("Re: Su cuota", {"Precedence": "bulk"}),
        ("Out of office", {}),
    ],
)
def test_an_automatic_answer_is_kept_and_neither_a_wish_nor_waited_for(read, contact, subject, headers):
    talk = read(mail_of("BAJA\n\nVuelvo el lunes.", subject=subject, answers=contact, **headers))
    assert (talk.status, talk.unread, talk.messages.get().intent) == ("CLOSED", 0, "automatic")
    assert not ConsentEntry.objects.exists()
    contact.refresh_from_db()
    assert contact.replied_at is None


@pytest.mark.parametrize(
    ("action", "status", "retired"),
    [
        ("failed", "5.1.1", True),
        ("failed", "5.2.2", False),
        ("failed", "4.4.7", False),
        ("delayed", "4.4.1", False),
        ("delivered", "2.0.0", False),
    ],
)
def test_a_report_of_a_mail_server_is_a_receipt_of_its_message(read, contact, action, status, retired):
    read(REPORT.format(address=ROSA, action=action, status=status, public_id=contact.public_id))
    contact.refresh_from_db()
    assert (contact.undelivered_at is not None) == (action == "failed")
    assert (contact.delivered_at is not None) == (action == "delivered")
    assert (ContactPoint.objects.get(value=ROSA).retired_at is not None) == retired
    assert not Conversation.objects.exists()
    call = WebhookCall.objects.get()
    assert (call.status, call.unused) == ("DONE", ["delivery:delayed"] if action == "delayed" else [])


def test_each_message_is_read_once_also_where_the_server_numbers_anew(read, contact, server, sender):
    read(mail_of("hola", number=1), mail_of("¿me llaman?", number=2))
    assert ConversationMessage.objects.count() == 2
    read(after=2)
    server.uid_validity = 8
    server.messages = [(uid + 100, at, content) for uid, at, content in server.messages]
    read(mail_of("adiós", number=3), after=3)
    assert list(ConversationMessage.objects.order_by("pk").values_list("provider_reference", flat=True)) == [
        f"<m{number}@correo.example>" for number in (1, 2, 3)
    ]
    assert WebhookCall.objects.count() == 3
    state = ReplyMailbox.objects.get()
    assert (state.uid_validity, state.last_uid, state.failed_since) == (8, 103, None)


def test_another_mailbox_is_read_from_its_beginning_also_where_it_numbers_alike(read, contact, server, sender, world):
    read(mail_of("hola", number=1), mail_of("¿me llaman?", number=2))
    other = ImapServer(uid_validity=server.uid_validity)
    other.receive(mail_of("BAJA", number=3), world.now)
    save_provider(
        code=sender.code,
        kind="smtp",
        name="Correo",
        settings=sender.settings | {"imap_url": other.url},
        secrets={"imap_password": other.password},
        rate_per_second=None,
        price_micros=0,
        price_currency="USD",
        country="",
        rank=1,
        enabled=True,
        actor=acting("admin", now=world.now),
    )
    read(after=2)
    other.close()
    assert is_silenced(kind="EMAIL", value=ROSA)


def test_a_line_that_breaks_loses_nothing(read, contact, server):
    server.break_after = 2
    read(*(mail_of(f"mensaje {number}", number=number) for number in range(1, 5)))
    assert ReplyMailbox.objects.get().failed_since is not None
    assert ConversationMessage.objects.count() == 2  # what was stored is worked
    server.break_after = None
    read(after=2)
    assert ConversationMessage.objects.count() == 4
    assert ReplyMailbox.objects.get().failed_since is None


def test_a_message_that_the_server_withholds_keeps_the_others_for_an_hour_and_people_are_told(read, contact, server):
    server.withheld = {1}
    read(mail_of("hola", number=1), mail_of("BAJA", number=2))
    read(after=59)
    assert not WebhookCall.objects.exists()  # it may be handed over yet
    read(after=61)
    told = Conversation.objects.get()
    assert (told.status, told.debtor, told.mode, told.unread) == ("OPEN", None, "PERSON", 1)
    assert "1" in told.messages.get().text
    assert "Correo" in told.messages.get().text
    read(after=62)
    assert is_silenced(kind="EMAIL", value=ROSA)
    assert (ReplyMailbox.objects.get().last_uid, ReplyMailbox.objects.get().failed_since) == (2, None)


def test_a_message_that_was_stored_and_not_worked_is_worked_later(read, contact, sender, world):
    """Who reads a mailbox stores each message first: one that dies then has lost nothing."""
    call = WebhookRequest(method="MAIL", url="", headers={}, body=mail_of("BAJA"), received_at=world.now)
    store_call(sender, call)
    assert retry_calls(actor=acting("provider", now=world.now)) == 1
    assert is_silenced(kind="EMAIL", value=ROSA)
    read(mail_of("BAJA"))  # the mailbox is read again from where it was
    assert ConversationMessage.objects.count() == WebhookCall.objects.count() == 1


def test_a_file_that_comes_with_an_answer_is_kept(read, contact):
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["Message-ID"] = ROSA, "Re: x", "<f1@correo.example>"
    mail.set_content("Adjunto mi voucher")
    mail.add_attachment(b"%PDF-1.4\n%%EOF\n", maintype="application", subtype="pdf", filename="voucher.pdf")
    read(bytes(mail))
    now = Conversation.objects.get().last_at
    assert attachments.fetch_waiting(actor=acting("bot", now=now)) == 1
    kept = Attachment.objects.get()
    assert (kept.name, kept.media_type, kept.status) == ("voucher.pdf", "application/pdf", "KEPT")


def test_the_statement_names_the_address_that_is_read_and_no_other(read, contact, world):
    page = Client().get("/d/estado/" + statement_url(contact.pk).rpartition("/")[2])
    assert "cobranzas@" not in page.text
    read()
    assert queries.find_reply_address() == "cobranzas@sur.example"


def test_a_mailbox_that_cannot_be_read_says_why_and_its_settings_are_checked(read, server, sender, world):
    server.password = "otra"
    read()
    state = ReplyMailbox.objects.get()
    assert state.failed_since is not None
    assert "usuario" in mailboxes.describe_mailbox(sender) or "user" in mailboxes.describe_mailbox(sender)
    with pytest.raises(imap.MailboxFailed):
        imap.parse_mailbox({"imap_url": "https://x@y"}, "")
    with pytest.raises(ProviderRefused) as refused:
        save_provider(
            code="otro",
            kind="smtp",
            name="Otro",
            settings={"url": "smtp://127.0.0.1:2525", "reply_to": "cobros@sur.example"},
            secrets={},
            rate_per_second=None,
            price_micros=0,
            price_currency="USD",
            country="",
            rank=1,
            enabled=False,
            actor=acting("admin", now=world.now),
        )
    assert set(refused.value.errors) == {"imap_url"}


def test_a_server_without_plain_is_signed_in_to_by_login(read, server, sender, contact):
    server.has_plain, server.password = False, 'c"ontra\\'
    sender.secrets = {"imap_password": server.password}
    sender.save(update_fields=["secrets"])
    read(mail_of("hola"))
    assert ConversationMessage.objects.count() == 1


@pytest.mark.parametrize("charset", [b"u\xff", b"\x00", b"no-such-charset", b"utf-8"])
def test_a_name_in_a_charset_that_is_none_hides_no_sender(charset):
    mail = parse_mail(b"From: =?" + charset + b"?q?Rosa?= <rosa@correo.example>\n\nBAJA")
    assert parse_sender(mail) == ROSA


@pytest.mark.parametrize("charset", ["punycode", "IDNA"])
def test_the_charsets_of_domain_names_are_not_those_of_a_text(charset):
    # Read in them, this would be something else after more than a second.
    words = "Basta-kva" + "a" * 1_000
    source = f"Subject: =?{charset}?q?{words}?=\nContent-Type: text/plain; charset={charset}\n\n{words}"
    mail = parse_mail(source.encode())
    assert (text_of(mail), header_of(mail, "Subject")) == (words, words)


def test_an_e_mail_that_nests_without_end_is_seen_all_the_same(read, contact):
    opening = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(1_500))
    talk = read(f"From: {ROSA}\nSubject: Mi reclamo\nMessage-ID: <n1@correo.example>\n{opening}BAJA\n")
    assert (talk.unread, talk.messages.get().text) == (1, "Mi reclamo")


def test_the_date_of_a_message_is_when_it_came(read, contact, world):
    talk = read(mail_of("hola", Date=format_datetime(world.now - timedelta(days=900))))
    assert talk.messages.get().at == world.now + timedelta(minutes=1)
