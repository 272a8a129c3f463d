from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recobra.messaging.models.outbox import Contact
from recobra.portfolio.models import Debtor, Portfolio


class Incident(models.Model):
    """An attempted or actual breach of the rules of contact, and what was done about it.

    Personal data: through its debtor; `description` names nobody. Dies with the legal term of records.
    """

    class Kind(models.TextChoices):
        ATTEMPT = "ATTEMPT", _("Attempted, stopped by the gate")
        BREACH = "BREACH", _("Breach")
        COMPLAINT = "COMPLAINT", _("Complaint")

    kind = models.CharField(max_length=9, choices=Kind)
    country = models.CharField(max_length=2)
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    recorded_by = models.TextField()
    actor = models.TextField(default="")
    debtor = models.ForeignKey(Debtor, models.PROTECT, null=True, related_name="incidents")
    contact = models.ForeignKey(Contact, models.PROTECT, null=True, related_name="incidents")
    portfolio = models.ForeignKey(Portfolio, models.PROTECT, null=True, related_name="incidents")
    rule = models.TextField(default="")
    article = models.TextField(default="")
    description = models.TextField()
    potential_fine = models.TextField(default="")
    corrective_action = models.TextField(default="")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.TextField(default="")

    class Meta:
        ordering = ["-happened_at"]
        constraints = [
            models.UniqueConstraint(fields=["contact", "kind", "rule"], name="incident_once_per_contact"),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) | ~Q(corrective_action=""), name="incident_closed_with_action"
            ),
        ]
        indexes = [models.Index(fields=["country", "happened_at"], name="incident_by_country")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class SealDelivery(models.Model):
    """The journal's seal of a day, on one way out of the house. Personal data: none.

    `error` is why the last attempt failed, '' where it did not.
    """

    way = models.CharField(max_length=10)
    day = models.DateField()
    seal_number = models.BigIntegerField()
    begun_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    error = models.TextField(default="")

    class Meta:
        ordering = ["-day", "way"]
        constraints = [models.UniqueConstraint(fields=["way", "day"], name="seal_delivery_once_a_day")]

    def __str__(self) -> str:
        return f"{self.way} {self.day}"
