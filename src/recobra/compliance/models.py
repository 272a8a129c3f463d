from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recobra.messaging.models.outbox import Contact
from recobra.portfolio.models import Debtor, Portfolio


class Incident(models.Model):
    """An attempted or actual breach of the rules of contact, and what was done about it.

    `breach` is its kind (`recobra_core.law.BREACHES`), '' where no law is at stake.
    `potential_fine` says what the law threatens for that kind, at most `fine_most` in `fine_unit`, by `fine_source`.

    Personal data: through its debtor; `description` names nobody. Dies with the legal term of records.
    """

    class Kind(models.TextChoices):
        ATTEMPT = "ATTEMPT", _("Attempted, stopped by the gate")
        BREACH = "BREACH", _("Breach")
        COMPLAINT = "COMPLAINT", _("Complaint")

    class Breach(models.TextChoices):
        HOURS = "hours", _("Hours and days")
        FREQUENCY = "frequency", _("How often")
        CHANNEL = "channel", _("A channel that is not allowed")
        THIRD_PARTY = "third_party", _("Third parties or the workplace")
        WISH = "wish", _("An opt-out or a refusal")
        STOPPED = "stopped", _("Collection that the law stops")
        OFFER = "offer", _("Advertising")
        CONTENT = "content", _("What was said, or the treatment")
        OTHER = "other", _("Other breach")

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
    breach = models.TextField(choices=Breach, default="")
    potential_fine = models.TextField(default="")
    fine_most = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    fine_unit = models.TextField(default="")
    fine_source = models.TextField(default="")
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
    """The journal's seal of a day, on one way out of the house. Personal data: none. Never dies, as the seals.

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


class RetentionPeriod(models.Model):
    """How many days the company keeps a class of data, from a day on: a later row follows, none is edited.

    `country` '' is everywhere. Personal data: none. Never dies: what was erased was decided by it.
    """

    data_class = models.TextField()
    country = models.CharField(max_length=2, default="", blank=True)
    days = models.PositiveIntegerField()
    holds_from = models.DateField()
    reason = models.TextField()
    created_at = models.DateTimeField()
    created_by = models.TextField()
    created_by_id = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-holds_from", "-id"]
        constraints = [models.CheckConstraint(condition=Q(days__gt=0), name="retention_period_positive")]

    def __str__(self) -> str:
        return f"{self.data_class} {self.country} {self.days}"


class BreachCost(models.Model):
    """What the company says that a breach may cost it in a country, from a day on: a later row follows, none is edited.

    Counts where the law names no amount for that kind of breach. `amount_minor` is in `currency`.
    Personal data: none. Never dies: incidents were valued by it.
    """

    country = models.CharField(max_length=2)
    breach = models.TextField(choices=Incident.Breach)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    holds_from = models.DateField()
    reason = models.TextField()
    created_at = models.DateTimeField()
    created_by = models.TextField()
    created_by_id = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-holds_from", "-id"]
        constraints = [models.CheckConstraint(condition=Q(amount_minor__gt=0), name="breach_cost_positive")]

    def __str__(self) -> str:
        return f"{self.country} {self.breach} {self.amount_minor} {self.currency}"


class Closing(models.Model):
    """A debtor of whom nothing is owed, and the day since when: the periods of retention begin there.

    Written by the nightly look, and taken back where a debt comes. `blocked_by` are the codes of what stood against an
    erasure that was due. Personal data: none of its own. Dies with the anonymisation.
    """

    debtor = models.OneToOneField(Debtor, models.PROTECT, primary_key=True, related_name="closing")
    closed_on = models.DateField()
    blocked_by = ArrayField(models.TextField(), default=list)

    class Meta:
        indexes = [models.Index(fields=["closed_on", "debtor"], name="closing_by_day")]

    def __str__(self) -> str:
        return f"{self.debtor_id} {self.closed_on}"


class ErasedClass(models.Model):
    """A class of one debtor's data that was erased, and when for the last time; what came since is not erased yet.

    Personal data: none. Never dies: it is the proof.
    """

    debtor = models.ForeignKey(Debtor, models.PROTECT, related_name="erased_classes", db_index=False)
    data_class = models.TextField()
    erased_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["debtor", "data_class"], name="class_erased_once")]

    def __str__(self) -> str:
        return f"{self.debtor_id} {self.data_class}"


class PersonRequest(models.Model):
    """What a person asked about his or her own data, and the answer.

    `note` is how it was asked; `outcome` says of each class whether it went or why it stays. Personal data: through its
    debtor; `note`, which goes with the identity. The rest never dies: it is the proof of the answer.
    """

    class Kind(models.TextChoices):
        ACCESS = "ACCESS", _("A copy of the data")
        ERASURE = "ERASURE", _("Erasure of the data")

    debtor = models.ForeignKey(Debtor, models.PROTECT, related_name="requests")
    kind = models.CharField(max_length=7, choices=Kind)
    asked_on = models.DateField()
    note = models.TextField(default="", blank=True)
    recorded_at = models.DateTimeField()
    recorded_by = models.TextField()
    recorded_by_id = models.BigIntegerField(null=True)
    outcome = models.JSONField(default=list)
    digest = models.CharField(max_length=64, default="", blank=True)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.TextField(default="", blank=True)

    class Meta:
        ordering = ["-recorded_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["debtor", "kind"], condition=Q(answered_at__isnull=True), name="person_request_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
