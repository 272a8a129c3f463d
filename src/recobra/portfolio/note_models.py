"""Notes: what staff wrote about a debtor, or about one of the contact points."""

from __future__ import annotations

from django.db import models

from recobra.kit.encrypted_field import EncryptedTextField

from .models import Debtor


class DebtorNote(models.Model):
    """A note of staff about a debtor. Personal data: the words, encrypted; they go with the notes about the case.

    One that `is_reason` explains a change of what is known of the debtor, `about_point` that of a contact point.
    """

    debtor = models.ForeignKey(Debtor, models.PROTECT, related_name="notes", db_index=False)
    about_point = models.BigIntegerField(null=True)
    is_reason = models.BooleanField(default=False)
    text = EncryptedTextField(row="written_at", default="")
    author = models.TextField()
    author_id = models.BigIntegerField(null=True)
    written_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["debtor", "-id"], name="note_of_debtor")]

    def __str__(self) -> str:
        return f"{self.pk}"
