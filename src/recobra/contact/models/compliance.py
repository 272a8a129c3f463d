from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recobra.portfolio.models import Account, Debtor, Portfolio

from .outbox import Contact


class HouseRule(models.Model):
    """A company rule that tightens the law, per portfolio or for all; a version that judged is never edited.

    `document` is what `recobra_core.law.read_house` reads. Personal data: none.
    """

    code = models.SlugField()
    version = models.PositiveIntegerField()
    portfolio = models.ForeignKey(Portfolio, models.PROTECT, null=True, related_name="house_rules")
    document = models.JSONField()
    created_at = models.DateTimeField()
    created_by = models.TextField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["code", "-version"]
        constraints = [models.UniqueConstraint(fields=["code", "version"], name="house_rule_version_once")]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"


class LegalDecision(models.Model):
    """The approved decision to go to law over an account, without which no legal notice leaves. Personal data: none."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="legal_decisions")
    proposed_by = models.TextField()
    approved_by = models.TextField()
    approved_at = models.DateTimeField()
    grounds = models.TextField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(revoked_at__isnull=True), name="legal_decision_one_in_force"
            ),
            models.CheckConstraint(
                condition=~Q(proposed_by=models.F("approved_by")), name="legal_decision_by_two_people"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}"


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
