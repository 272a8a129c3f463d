"""What messages hold about people."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Final

from django.db.models import Max, TextField
from django.db.models.functions import Cast, Coalesce, TruncDate
from django.utils.translation import gettext_noop

from recobra.kit.personal_data import Block, Holding, Row, erase_by, list_rows
from recobra.kit.tables import is_any_of

from .channels.letter.operations import batch_folder
from .models import Contact, Letter, LetterBatch, MailboxMessage, Receipt, WebhookCall

_UNDER_WAY: Final = (Contact.Status.DUE, Contact.Status.LEASED, Contact.Status.UNCERTAIN)
_WENT_OUT: Final = (Contact.Status.SENT, Contact.Status.UNCERTAIN, Contact.Status.FAILED)
_ERASE_CONTACTS: Final = """
    UPDATE messaging_contact SET address = '', subject = '', body = '', html = '', buttons = '[]', answer = '',
        message_id = '', provider_reference = ''
    WHERE debtor_id = ANY(%(debtor_ids)s)
        AND (address, subject, body, html, answer, message_id, provider_reference) <> ('', '', '', '', '', '', '')"""
_ERASE_LETTERS: Final = """
    UPDATE messaging_letter letter SET content = '', tracking = '', courier_answer = ''
    FROM messaging_contact contact
    WHERE contact.id = letter.contact_id AND contact.debtor_id = ANY(%(debtor_ids)s)"""
_ERASE_RECEIPTS: Final = """
    UPDATE messaging_receipt receipt SET provider_reference = '', detail = '{}' FROM messaging_contact contact
    WHERE contact.id = receipt.contact_id AND contact.debtor_id = ANY(%(debtor_ids)s)"""


def _erase_mailbox(debtor_ids: Sequence[int], _at: datetime) -> int:
    """Delete what the mailbox of a demonstration received for some debtors."""
    contacts = Contact.objects.filter(is_any_of("debtor_id", debtor_ids))
    names = contacts.annotate(name=Cast("public_id", TextField())).values("name")
    return MailboxMessage.objects.filter(contact_public_id__in=names).delete()[0]


def _erase_print_files(until: datetime, _at: datetime) -> int:
    """Delete the files of batches that were printed before an instant; the letters stay, with what became of each."""
    printed = LetterBatch.objects.filter(created_at__lt=until).exclude(path="")
    batch_ids = list(printed.values_list("pk", flat=True))
    for batch_id in batch_ids:
        shutil.rmtree(batch_folder(batch_id), ignore_errors=True)
    return LetterBatch.objects.filter(pk__in=batch_ids).update(path="")


def _erase_calls(until: datetime, _at: datetime) -> int:
    """Delete calls that came before an instant, but for those that nobody has worked yet."""
    calls = WebhookCall.objects.filter(received_at__lt=until).exclude(status=WebhookCall.Status.WAITING)
    return calls.delete()[0]


def _find_under_way(debtor_ids: Sequence[int], _day: date) -> Collection[int]:
    contacts = Contact.objects.filter(is_any_of("debtor_id", debtor_ids), status__in=_UNDER_WAY)
    return set(contacts.values_list("debtor_id", flat=True))


def _last_contacts(debtor_ids: Sequence[int]) -> Mapping[int, date]:
    """Return the last day on which a message left or was answered; one that never left moves nothing."""
    contacts = Contact.objects.filter(is_any_of("debtor_id", debtor_ids), status__in=_WENT_OUT)
    moved = Coalesce(TruncDate("replied_at"), TruncDate("sent_at"), TruncDate("handed_over_at"), "planned_for")
    return dict(contacts.values_list("debtor_id").annotate(last=Max(moved)))


def _copy_contacts(debtor_id: int) -> Iterable[Row]:
    contacts = Contact.objects.filter(debtor_id=debtor_id).order_by("planned_at", "pk")
    return list_rows(
        contacts,
        "public_id",
        "channel",
        "purpose",
        "status",
        "planned_for",
        "sent_at",
        "address",
        "subject",
        "body",
        "reason",
        "rule",
        "article",
        "delivered_at",
        "read_at",
        "replied_at",
    )


def _copy_letters(debtor_id: int) -> Iterable[Row]:
    letters = Letter.objects.filter(contact__debtor_id=debtor_id).order_by("pk")
    return letters.values("reference", "status", "tracking", "courier_answer", "changed_at")


def _copy_receipts(debtor_id: int) -> Iterable[Row]:
    receipts = Receipt.objects.filter(contact__debtor_id=debtor_id).order_by("at", "pk")
    return receipts.values("contact__public_id", "kind", "at")


HOLDINGS = (
    Holding(
        model="messaging.Contact",
        data_class="messages",
        erase=erase_by(_ERASE_CONTACTS),
        copy=_copy_contacts,
        last_days=_last_contacts,
        blocks=(
            Block(
                code="message_under_way",
                text=gettext_noop("A message is planned, or nobody knows whether it arrived."),
                find=_find_under_way,
            ),
        ),
    ),
    Holding(model="messaging.Letter", data_class="messages", erase=erase_by(_ERASE_LETTERS), copy=_copy_letters),
    Holding(model="messaging.Receipt", data_class="messages", erase=erase_by(_ERASE_RECEIPTS), copy=_copy_receipts),
    Holding(model="messaging.MailboxMessage", data_class="messages", erase=_erase_mailbox),
    Holding(model="messaging.LetterBatch", data_class="print_files", erase_before=_erase_print_files),
    Holding(model="messaging.WebhookCall", data_class="provider_calls", erase_before=_erase_calls),
)
