import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recobra.portfolio.models import Account, ContactPoint, Debtor, Portfolio


class Channel(models.TextChoices):
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")
    WHATSAPP = "whatsapp", _("WhatsApp")
    CALL = "call", _("Call")
    IVR = "ivr", _("Automatic call")
    LETTER = "letter", _("Letter")
    VISIT = "visit", _("Visit")


class Template(models.Model):
    """The words of a message, versioned; a version that was sent is never edited. Personal data: none."""

    code = models.TextField()
    version = models.PositiveIntegerField()
    channel = models.CharField(max_length=8, choices=Channel)
    language = models.CharField(max_length=8, default="es")
    name = models.TextField()
    subject = models.TextField()
    text = models.TextField()
    html = models.TextField()
    created_at = models.DateTimeField()
    created_by = models.TextField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["code", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["code", "channel", "language", "version"], name="template_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"


class Contact(models.Model):
    """One attempt to reach a debtor: the outbox is this table. See ADR 0006 for its life.

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

    public_id = models.UUIDField(default=uuid.uuid4, unique=True)
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
    subject = models.TextField(default="")
    body = models.TextField(default="")
    answer = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["debtor", "channel", "planned_for"],
                condition=Q(status__in=["DUE", "LEASED", "SENT", "UNCERTAIN"]),
                name="contact_one_per_debtor_channel_day",
            ),
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
            models.Index(fields=["due_at", "id"], condition=Q(status="DUE"), name="contact_due"),
            models.Index(fields=["leased_until"], condition=Q(status="LEASED"), name="contact_leased"),
            models.Index(fields=["debtor", "planned_for"], name="contact_of_debtor"),
            models.Index(fields=["planned_for", "portfolio"], name="contact_of_day"),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


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
    """What the built-in mailbox received in demonstration mode. Personal data: the message. Dies at will."""

    received_at = models.DateTimeField()
    contact_public_id = models.TextField(default="")
    sender = models.TextField()
    recipients = models.TextField()
    subject = models.TextField()
    raw = models.BinaryField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["contact_public_id"], name="mailbox_by_contact")]

    def __str__(self) -> str:
        return self.subject
