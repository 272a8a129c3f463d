from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import ClassVar

from django.contrib.postgres.functions import RandomUUID
from django.db import connection, models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from recobra.kit.encrypted_field import EncryptedBinaryField, EncryptedTextField, EncryptedValue, UnreadableText
from recobra.kit.keys import read_key_ring
from recobra.messaging.models.providers import Provider
from recobra.portfolio.models import Account, Channel, ContactPoint, Debtor, Portfolio


class Template(models.Model):
    """The words of a message, versioned; a version that was sent is never edited. Personal data: none.

    In force is the newest approved version of each variant that is not retired. `country`, `tone` and `stage` are ''
    where it fits any. The words are encrypted, since a place of payment may stand in them. `parameters` and `buttons`
    are what WhatsApp's own templates and menus need; what its providers say of a version is in TemplateRegistration,
    and who approved it in `recobra.approvals`.
    """

    class Status(models.TextChoices):
        DRAFT = "DRAFT", _("Draft")
        SUBMITTED = "SUBMITTED", _("Waiting for approval")
        APPROVED = "APPROVED", _("Approved")
        REJECTED = "REJECTED", _("Sent back")

    class Tone(models.TextChoices):
        ANY = "", _("Any tone")
        EMPATHETIC = "EMPATHETIC", _("Empathetic")
        NEUTRAL = "NEUTRAL", _("Neutral")
        FIRM = "FIRM", _("Firm")

    VERSION_KEY: ClassVar = ("code", "channel", "language", "country", "tone", "variant")
    """The fields that all versions of a template share."""

    code = models.TextField()
    version = models.PositiveIntegerField()
    variant = models.CharField(max_length=8, default="", db_default="", blank=True)
    weight = models.PositiveSmallIntegerField(default=1, db_default=1)
    country = models.CharField(max_length=2, default="", db_default="", blank=True)
    tone = models.CharField(max_length=10, choices=Tone, default="", db_default="", blank=True)
    stage = models.CharField(max_length=14, default="", db_default="", blank=True)
    status = models.CharField(max_length=9, choices=Status, default=Status.DRAFT, db_default="APPROVED")
    legal = models.BooleanField(default=False, db_default=False)
    buttons = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    parameters = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    findings = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    channel = models.CharField(max_length=8, choices=Channel)
    language = models.CharField(max_length=8, default="es")
    name = models.TextField()
    subject = EncryptedTextField(row="code", was_plain=True)
    text = EncryptedTextField(row="code", was_plain=True)
    html = EncryptedTextField(row="code", was_plain=True)
    created_at = models.DateTimeField()
    created_by = models.TextField()
    created_by_id = models.BigIntegerField(null=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["code", "-version"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "channel", "language", "country", "tone", "variant", "version"],
                name="template_version_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"

    def has_readable_words(self) -> bool:
        """Tell if the keys of this installation open its words."""
        return not any(isinstance(part, UnreadableText) for part in (self.subject, self.text, self.html))


class ContactQuerySet(models.QuerySet["Contact"]):
    """Contacts, narrowed."""

    def undeliverable(self) -> ContactQuerySet:
        """Return those that did not arrive at a number or address that is out of use since: another way is needed."""
        return self.filter(_is_undeliverable())

    def planned_by_cycle(self, day: date, planned_at: Sequence[datetime]) -> ContactQuerySet:
        """Return the contacts of a day's plan; those of campaigns as far as runs of the cycle at instants planned them.

        What a person wrote, answers, and what followed a message that did not arrive, are no part of the plan.
        """
        of_day = self.filter(planned_for=day, fallback_of__isnull=True)
        of_day = of_day.exclude(purpose__in=[Contact.Purpose.REPLY, Contact.Purpose.MANUAL])
        return of_day.filter(Q(campaign_id__isnull=True) | Q(planned_at__in=list(planned_at)))

    def occupying(self, day: date) -> ContactQuerySet:
        """Return the contacts of a day that leave no room for another of the same debtor: sent, due or blocked.

        Answers do not count, nor does what is undeliverable.
        """
        of_day = self.filter(planned_for=day).exclude(status=Contact.Status.CANCELLED)
        return of_day.exclude(purpose=Contact.Purpose.REPLY).filter(~_is_undeliverable())


def _is_undeliverable() -> Q:
    """Return the condition of `ContactQuerySet.undeliverable`, which is never unknown."""
    points = ContactPoint.objects.filter(pk=OuterRef("point_id"))
    out_of_use = points.filter(Q(retired_at__isnull=False) | Q(unusable_for__contains=[OuterRef("channel")]))
    return (Q(status=Contact.Status.FAILED) | Q(undelivered_at__isnull=False)) & Q(Exists(out_of_use))


class Contact(models.Model):
    """One attempt to reach a debtor: the outbox is this table. See ADR 0006 for its life.

    `price_micros` is what it cost, in millionths of the major unit of `price_currency`; None while nobody knows. Words
    and answer are encrypted: they hold the debtor's links and where to pay. `is_doubled`: the debtor was joined
    with another one, and both had a message of that day and channel: the second, or one that had not left. `tone`:
    the one that was asked for.

    Personal data: address and content as sent. Dies with the legal term of records of the country.
    """

    class Status(models.TextChoices):
        DUE = "DUE", _("Planned")
        LEASED = "LEASED", _("Being sent")
        SENT = "SENT", _("Sent")
        FAILED = "FAILED", _("Failed")
        BLOCKED = "BLOCKED", _("Blocked")
        CANCELLED = "CANCELLED", _("Cancelled")
        UNCERTAIN = "UNCERTAIN", _("Uncertain")

    class Purpose(models.TextChoices):
        CLAIM = "CLAIM", _("Claim")
        NOTICE = "NOTICE", _("Notice")
        OFFER = "OFFER", _("Offer")
        MANUAL = "MANUAL", _("Written by a person")
        REPLY = "REPLY", _("Answer to the debtor")

    public_id = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID(), unique=True)
    # No foreign key has an index of its own: each would cost every write of the outbox. Meta has those that are used.
    debtor = models.ForeignKey(Debtor, models.PROTECT, related_name="contacts", db_index=False)
    portfolio = models.ForeignKey(Portfolio, models.PROTECT, related_name="contacts", db_index=False)
    point = models.ForeignKey(ContactPoint, models.PROTECT, null=True, related_name="contacts", db_index=False)
    channel = models.CharField(max_length=8, choices=Channel)
    template_code = models.TextField()
    template = models.ForeignKey(Template, models.PROTECT, null=True, related_name="contacts", db_index=False)
    strategy_version_id = models.BigIntegerField(null=True)
    step_key = models.TextField(default="")
    status = models.CharField(max_length=9, choices=Status)
    planned_for = models.DateField()
    planned_at = models.DateTimeField()
    due_at = models.DateTimeField()
    closes_at = models.DateTimeField(null=True)
    zones = models.TextField()
    reason = models.TextField(default="")
    rule = models.TextField(default="")
    article = models.TextField(default="")
    judged_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True)
    handed_over_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    local_date = models.DateField(null=True)
    message_id = models.TextField(default="")
    address = models.TextField(default="")
    subject = EncryptedTextField(row="public_id", was_plain=True, default="")
    body = EncryptedTextField(row="public_id", was_plain=True, default="")
    html = EncryptedTextField(row="public_id", was_plain=True, default="", db_default="")
    buttons = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    answer = EncryptedTextField(row="public_id", was_plain=True, default="")
    purpose = models.CharField(max_length=6, choices=Purpose, default=Purpose.CLAIM, db_default="CLAIM")
    priority = models.SmallIntegerField(default=5, db_default=5)
    author = models.TextField(default="", db_default="")
    author_id = models.BigIntegerField(null=True)
    variant = models.CharField(max_length=8, default="", db_default="", blank=True)
    tone = models.CharField(max_length=10, default="", db_default="", blank=True)
    campaign_id = models.BigIntegerField(null=True)
    conversation_id = models.BigIntegerField(null=True)
    replies_to_at = models.DateTimeField(null=True)
    fallback_of = models.ForeignKey("self", models.PROTECT, null=True, related_name="fallbacks", db_index=False)
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, related_name="contacts", db_index=False)
    provider_reference = models.TextField(default="", db_default="")
    price_micros = models.BigIntegerField(null=True)
    price_currency = models.CharField(max_length=3, default="", db_default="", blank=True)
    verdict = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))
    reached = models.BooleanField(null=True)
    delivered_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)
    replied_at = models.DateTimeField(null=True)
    undelivered_at = models.DateTimeField(null=True)
    complained_at = models.DateTimeField(null=True)
    is_doubled = models.BooleanField(default=False, db_default=False)

    objects = ContactQuerySet.as_manager()

    class Meta:
        constraints = [
            # Two cycles, or a cycle and a campaign, cannot both plan a message of the same day.
            models.UniqueConstraint(
                fields=["debtor", "channel", "planned_for"],
                condition=Q(status__in=["DUE", "LEASED", "SENT", "UNCERTAIN"], is_doubled=False) & ~Q(purpose="REPLY"),
                name="contact_one_per_debtor_channel_day",
            ),
            # The history that the gate counts goes by this mark.
            models.CheckConstraint(
                condition=~Q(status__in=["SENT", "UNCERTAIN"]) | Q(handed_over_at__isnull=False),
                name="contact_sent_was_handed_over",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["BLOCKED", "CANCELLED", "FAILED", "UNCERTAIN"]) | ~Q(reason=""),
                name="contact_end_has_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["priority", "due_at", "id"], condition=Q(status="DUE"), name="contact_due"),
            models.Index(
                fields=["provider_reference"], condition=~Q(provider_reference=""), name="contact_by_reference"
            ),
            models.Index(fields=["campaign_id"], condition=Q(campaign_id__isnull=False), name="contact_of_campaign"),
            models.Index(
                fields=["conversation_id"], condition=Q(conversation_id__isnull=False), name="contact_of_conversation"
            ),
            models.Index(fields=["leased_until"], condition=Q(status="LEASED"), name="contact_leased"),
            models.Index(fields=["debtor", "planned_for"], name="contact_of_debtor"),
            models.Index(fields=["planned_for", "portfolio"], name="contact_of_day"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)

    @classmethod
    def seal_column(cls, name: str, public_ids: Sequence[str], values: Sequence[str]) -> list[str]:
        """Return the values of an encrypted column as SQL stores them, each for the contact with its `public_id`."""
        field = cls._meta.get_field(name)
        assert isinstance(field, EncryptedTextField), "the column is encrypted"
        key = read_key_ring().current
        return [field.seal(value, row=row, key=key) for value, row in zip(values, public_ids, strict=True)]

    @classmethod
    def open_text(cls, name: str, public_id: uuid.UUID, stored: str) -> str:
        """Return in plain what SQL read of an encrypted column of a contact. Raises Undecryptable."""
        field = cls._meta.get_field(name)
        assert isinstance(field, EncryptedTextField), "the column is encrypted"
        held = field.from_db_value(stored, None, connection)
        return str(field.open(held, row=public_id) if isinstance(held, EncryptedValue) else held)


class ContactItem(models.Model):
    """An account that a contact spoke about, with the amount it named. Personal data: none."""

    contact = models.ForeignKey(Contact, models.PROTECT, related_name="items", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="contact_items", db_index=False)
    overdue_minor = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["contact", "account"], name="contact_item_once")]

    def __str__(self) -> str:
        return f"{self.contact_id}/{self.account_id}"


class MailboxMessage(models.Model):
    """A message that the built-in mailbox received in demonstration mode. Personal data: the message. Dies at will."""

    channel = models.CharField(max_length=8, default="email", db_default="email")
    received_at = models.DateTimeField()
    contact_public_id = models.TextField(default="")
    sender = models.TextField()
    recipients = models.TextField()
    subject = models.TextField()
    raw = EncryptedBinaryField(row="contact_public_id", was_plain=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["contact_public_id"], name="mailbox_by_contact")]

    def __str__(self) -> str:
        return self.subject
