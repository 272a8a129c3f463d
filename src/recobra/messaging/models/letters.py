from django.db import models
from django.utils.translation import gettext_lazy as _

from recobra.kit.encrypted_field import EncryptedJSONField
from recobra.messaging.models.outbox import Contact


class LetterBatch(models.Model):
    """Letters printed and given to a courier together. Personal data: the files it points to."""

    created_at = models.DateTimeField()
    created_by = models.TextField()
    courier = models.TextField(default="")
    letters_count = models.PositiveIntegerField(default=0)
    path = models.TextField(default="")
    handed_over_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.pk}"


class Letter(models.Model):
    """A contact on paper, with what became of it at the courier's. Personal data: the address."""

    class Status(models.TextChoices):
        WAITING = "WAITING", _("To be printed")
        PRINTED = "PRINTED", _("Printed")
        DELIVERED = "DELIVERED", _("Delivered")
        RETURNED = "RETURNED", _("Returned")

    contact = models.OneToOneField(Contact, models.PROTECT, related_name="letter")
    batch = models.ForeignKey(LetterBatch, models.PROTECT, null=True, related_name="letters")
    status = models.CharField(max_length=9, choices=Status, default=Status.WAITING)
    reference = models.TextField(unique=True)
    content = EncryptedJSONField(row="reference", was_plain=True, default=dict)
    tracking = models.TextField(default="")
    courier_answer = models.TextField(default="")
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.reference
