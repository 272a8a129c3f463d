from __future__ import annotations

from collections.abc import Sequence

from django.db import models
from django.utils.translation import gettext_lazy as _

from recobra.kit.encrypted_field import EncryptedTextField
from recobra.messaging.models.outbox import Contact
from recobra.portfolio.models import Channel, ContactPoint, Debtor


class ConsentEntry(models.Model):
    """An entry of the ledger of consent: what was said about a number or address, by whom, how and when.

    Entries are never changed; only an anonymisation puts a keyed digest in the place of the number, and takes out what
    was said. Personal data: the number or address. Kept after the debtor is gone, so that a silence outlives a new
    load.
    """

    class Act(models.TextChoices):
        GRANTED = "GRANTED", _("Authorised")
        WITHDRAWN = "WITHDRAWN", _("Authorisation withdrawn")
        OPTED_OUT = "OPTED_OUT", _("Asked for no more messages")
        NOT_ME = "NOT_ME", _("Is not the person")
        RESUMED = "RESUMED", _("Asked for messages again")

    class Source(models.TextChoices):
        LOAD = "LOAD", _("Load")
        LINK = "LINK", _("Link")
        KEYWORD = "KEYWORD", _("Keyword")
        BUTTON = "BUTTON", _("Button")
        KEYPAD = "KEYPAD", _("Telephone keypad")
        STAFF = "STAFF", _("Staff")
        PORTAL = "PORTAL", _("Portal")
        PROVIDER = "PROVIDER", _("Provider")

    at = models.DateTimeField()
    kind = models.CharField(max_length=7, choices=ContactPoint.Kind)
    value = models.TextField()
    channel = models.CharField(max_length=8, choices=Channel, default="", blank=True)
    act = models.CharField(max_length=9, choices=Act)
    source = models.CharField(max_length=8, choices=Source)
    text_shown = models.TextField(default="")
    said = EncryptedTextField(row="at", was_plain=True, default="")
    debtor = models.ForeignKey(Debtor, models.PROTECT, null=True, related_name="wishes")
    contact = models.ForeignKey(Contact, models.PROTECT, null=True, related_name="wishes", db_index=False)
    actor = models.TextField()
    actor_id = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["value", "kind", "channel"], name="consent_of_value")]

    def __str__(self) -> str:
        return f"{self.act} {self.pk}"


class SilenceQuerySet(models.QuerySet["Silence"]):
    """Silences, narrowed."""

    def at_address(self, *, kind: str, forms: Sequence[str]) -> SilenceQuerySet:
        """Return those of a number or address, given every form in which it may stand there (`list_known_forms`)."""
        return self.filter(kind=kind, value__in=forms)


class Silence(models.Model):
    """A number or address that nothing is sent to, derived from the ledger. Personal data: the number or address.

    It holds for every debtor at the address, now or after a later load. `value` is a keyed digest where everybody who
    had the number is anonymised.
    """

    kind = models.CharField(max_length=7, choices=ContactPoint.Kind)
    value = models.TextField()
    since = models.DateTimeField()
    entry = models.ForeignKey(ConsentEntry, models.PROTECT, related_name="silences", db_index=False)

    objects = SilenceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["value", "kind"], name="silence_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class AddressKey(models.Model):
    """The key of the digests of numbers and addresses: one row, which never changes. Personal data: none.

    It is not rotated, since the numbers that it would be needed for are gone; the key that encrypts it is.
    """

    id = models.SmallIntegerField(primary_key=True)
    key = EncryptedTextField(row="id")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="address_key_is_one")]

    def __str__(self) -> str:
        return f"{self.pk}"
