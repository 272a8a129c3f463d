"""E-mails that came in: answers of people, automatic ones, and reports of mail servers."""

from __future__ import annotations

import email
import re
from collections import deque
from collections.abc import Iterator
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from typing import Final

from recobra.messaging.channels import webhooks
from recobra.messaging.channels.adapter import Config, Event, Form, InboundEvent, Media, UnusedEvent, WebhookRequest
from recobra.messaging.channels.email import own_words, reports

METHOD: Final = "MAIL"
"""Stands in the place of HTTP's method where an e-mail is stored among the calls of a provider."""
MEDIA_PREFIX: Final = "mail:"
_MAX_FILES: Final = 10
_MAX_PARTS: Final = 200
_TEXT_MAX: Final = 200_000
_QUOTED_MAX: Final = 4_000
# Not those of mailing lists: a mailbox may be that of a group, and all that people write to it bears them.
_AUTOMATIC_HEADERS: Final = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply")
_BULK: Final = frozenset({"bulk", "auto_reply", "auto-reply", "junk"})
_AUTOMATIC_SUBJECT: Final = re.compile(
    r"\W*(?:respuesta autom[aá]tica|automatic reply|auto[- ]?reply|autorespuesta|"
    r"fuera de (?:la )?oficina|out of (?:the )?office|resposta autom[aá]tica|"
    r"(?:autom[aá]tico|ausente|ausencia)\s*(?::|$))",
    re.IGNORECASE,
)
_DOMAIN_CHARSETS: Final = frozenset({"punycode", "idna"})
_REPLY: Final = re.compile(r"\s*(?:re|rv|fw|fwd|res|enc|aw|tr)\s?(?:\[\d+\])?\s?:", re.IGNORECASE)


def read_mail(call: WebhookRequest, config: Config) -> list[Event]:
    """Return the events of an e-mail that was stored as a call; never raises for what is in it."""
    source = call.body.decode("utf-8", "replace")
    message = parse_mail(call.body)
    report = reports.read_report(message, source, call)
    if report:
        return report
    sender = parse_sender(message)
    own_addresses = {
        parseaddr(config.settings.get(name, ""))[1].casefold() for name in ("from", "mail_from", "reply_to")
    }
    if sender.casefold() in own_addresses - {""} or header_of(message, "X-Recobra-Contact"):
        return [UnusedEvent("own_message")]
    if reports.is_of_server(sender):
        return reports.read_bounce(source, call)
    return [_read_message(message, sender, call)]


def parse_mail(content: bytes) -> Message:
    """Return an e-mail; of one whose parts lie in one another without end its headers alone."""
    try:
        message = email.message_from_bytes(content)
        # Also walked here, or whoever does later would not come back.
        deque(message.walk(), maxlen=0)
    except RecursionError:
        return BytesHeaderParser().parsebytes(content)
    return message


def _read_message(message: Message, sender: str, call: WebhookRequest) -> InboundEvent:
    """Return the message of a person, or of a program that answers for one."""
    words = read_words(message)
    subject = header_of(message, "Subject")
    # Only who got a message of ours can name it.
    answered = reports.find_contact_ids(f"{header_of(message, 'In-Reply-To')} {header_of(message, 'References')}")
    message_id = header_of(message, "Message-ID").strip()
    reference = message_id or webhooks.hash_key(call.body.decode("utf-8", "replace"))
    return InboundEvent(
        address=sender,
        text=words.own,
        quoted=words.quoted if not words.own else words.quoted[:_QUOTED_MAX],
        subject="" if _REPLY.match(subject) else subject,
        form=find_form(message, subject),
        # When it came to the mailbox: its own date is whatever the sender's clock says.
        at=call.received_at,
        event_key=f"mail:{reference}",
        provider_reference=reference,
        answers_id=answered[0] if answered else None,
        media=tuple(_read_media(message, webhooks.digest_call(call))),
    )


def parse_sender(message: Message) -> str:
    """Return the address of who wrote, whatever else stands in the header; '' where there is none."""
    header = header_of(message, "From") or header_of(message, "Sender")
    _name, address = parseaddr(header)
    return (address if "@" in address else header).strip()


def find_form(message: Message, subject: str) -> Form:
    """Return whether a program answers, or a person writes (RFC 3834)."""
    submitted = header_of(message, "Auto-Submitted").casefold().strip()
    is_automatic = (
        (submitted != "" and not submitted.startswith("no"))
        or any(header_of(message, name) for name in _AUTOMATIC_HEADERS)
        or header_of(message, "Precedence").casefold().strip() in _BULK
        or header_of(message, "Return-Path").strip() == "<>"
        or _AUTOMATIC_SUBJECT.match(subject) is not None
    )
    return "automatic" if is_automatic else "message"


def header_of(message: Message, name: str) -> str:
    """Return a header in plain text on one line, '' where it is not there."""
    value = message.get(name)
    if value is None:
        return ""
    try:
        pieces = [(piece, charset and _choose_charset(charset)) for piece, charset in decode_header(str(value))]
        text = str(make_header(pieces))
    except (LookupError, ValueError, MessageError):  # a charset that nobody knows, or an encoded word that is none
        text = str(value)
    return " ".join(text.split())


def _choose_charset(charset: str) -> str:
    """Return the charset that a text claims, UTF-8 in the place of those of domain names.

    No text is written in these, and to read one takes time by the square of its length.
    """
    return "utf-8" if charset.casefold() in _DOMAIN_CHARSETS else charset


def read_words(message: Message) -> own_words.Words:
    """Return the words of an e-mail: of its plain text, else of its HTML."""
    texts = [part for part in parts_of(message) if not is_file(part)]
    for content_type, split in (("text/plain", own_words.split_text), ("text/html", own_words.split_html)):
        contents = [text_of(part) for part in texts if part.get_content_type() == content_type]
        words = [split(content) for content in contents if content.strip()]
        if words:
            own = "\n\n".join(word.own for word in words if word.own)
            return own_words.Words(own, "\n\n".join(word.quoted for word in words if word.quoted))
    return own_words.Words("", "")


def parts_of(message: Message) -> Iterator[Message]:
    """Yield the parts of an e-mail that hold something, those of attached messages too, at most some hundreds."""
    for number, part in enumerate(message.walk()):
        if number >= _MAX_PARTS:
            return
        if not part.is_multipart():
            yield part


def is_file(part: Message) -> bool:
    """Tell if a part is a file, and no words of the message."""
    disposition = str(part.get("Content-Disposition") or "").casefold()
    return disposition.startswith("attachment") or part.get_content_maintype() != "text"


def text_of(part: Message) -> str:
    """Return the text of a part, in whatever charset it is or claims to be."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    # What somebody writes is shorter; the rest is a program's.
    payload = payload[:_TEXT_MAX]
    for charset in (_choose_charset(part.get_content_charset() or "utf-8"), "utf-8"):
        try:
            # A character may have been cut in two at the end.
            return payload.decode(charset, "strict" if len(payload) < _TEXT_MAX else "replace")
        except (LookupError, ValueError):
            continue
    return payload.decode("cp1252", "replace")


def _read_media(message: Message, digest: str) -> Iterator[Media]:
    """Yield the files of an e-mail; their ids say in which stored call they are, and where."""
    files = (part for part in parts_of(message) if is_file(part))
    for number, part in enumerate(files):
        if number >= _MAX_FILES:
            return
        name = part.get_filename() or ""
        yield Media(media_id=f"{MEDIA_PREFIX}{digest}:{number}", media_type=part.get_content_type(), name=name)


def read_file(body: bytes, number: int) -> bytes:
    """Return the content of a file of a stored e-mail, by its number among them. Raises IndexError."""
    files = [part for part in parts_of(parse_mail(body)) if is_file(part)]
    content = files[number].get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
