from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recobra.kit.encrypted_field import EncryptedBinaryField, EncryptedTextField
from recobra.messaging.models.outbox import Contact
from recobra.messaging.models.providers import Provider


class Receipt(models.Model):
    """A provider's word on what became of a contact after it was handed over; each event once, in whatever order.

    Personal data: none; `detail` holds the provider's codes, never a text of the debtor's.
    """

    class Kind(models.TextChoices):
        ACCEPTED = "ACCEPTED", _("Accepted")
        DELIVERED = "DELIVERED", _("Delivered")
        READ = "READ", _("Read")
        CLICKED = "CLICKED", _("Clicked")
        ANSWERED = "ANSWERED", _("Answered")
        NOT_ANSWERED = "NOT_ANSWERED", _("Not answered")
        BOUNCED = "BOUNCED", _("Bounced")
        FAILED = "FAILED", _("Failed")
        COMPLAINED = "COMPLAINED", _("Complained")
        OPTED_OUT = "OPTED_OUT", _("Opted out")

    contact = models.ForeignKey(Contact, models.PROTECT, null=True, related_name="receipts")
    provider = models.ForeignKey(Provider, models.PROTECT, null=True, related_name="receipts", db_index=False)
    provider_reference = models.TextField(default="")
    kind = models.CharField(max_length=12, choices=Kind)
    at = models.DateTimeField()
    received_at = models.DateTimeField()
    event_key = models.TextField(unique=True)
    permanent = models.BooleanField(null=True)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["at", "id"]
        indexes = [
            models.Index(
                fields=["provider_reference"], condition=Q(contact__isnull=True), name="receipt_without_contact"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_key}"


class WebhookCall(models.Model):
    """A call of a provider's as it came in, kept until it is worked and for proof after. Personal data: the body.

    Identical bodies are one call. One that could not be worked stays, with the reason. `unused` names the parts that
    led to nothing. Dies when the period of providers' calls is over.
    """

    class Status(models.TextChoices):
        WAITING = "WAITING", _("Waiting")
        DONE = "DONE", _("Done")
        FAILED = "FAILED", _("Failed")

    provider = models.ForeignKey(Provider, models.PROTECT, related_name="calls", db_index=False)
    received_at = models.DateTimeField()
    digest = models.CharField(max_length=64)
    body = EncryptedBinaryField(row="digest", was_plain=True)
    content_type = models.TextField(default="")
    status = models.CharField(max_length=7, choices=Status, default=Status.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    unused = models.JSONField(default=list, db_default=models.Value([], models.JSONField()))
    error = EncryptedTextField(row="digest", was_plain=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["provider", "digest"], name="webhook_call_once")]
        indexes = [models.Index(fields=["received_at"], condition=~Q(status="DONE"), name="webhook_call_open")]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.digest[:12]}"
