from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recobra.messaging.models import Contact
from recobra.portfolio.models import Account, Debtor, Portfolio


class Task(models.Model):
    """Work for a person: a call, a missing datum, a decision. Personal data: through its debtor."""

    class Status(models.TextChoices):
        OPEN = "OPEN", _("Open")
        DONE = "DONE", _("Done")
        CANCELLED = "CANCELLED", _("Cancelled")

    portfolio = models.ForeignKey(Portfolio, models.PROTECT, related_name="tasks", db_index=False)
    debtor = models.ForeignKey(Debtor, models.PROTECT, related_name="tasks", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="tasks", db_index=False)
    kind = models.TextField()
    title = models.TextField()
    status = models.CharField(max_length=9, choices=Status, default=Status.OPEN)
    due_date = models.DateField()
    created_at = models.DateTimeField()
    created_by = models.TextField()
    step_key = models.TextField(default="")
    queue = models.TextField(default="", db_default="")  # the key that the strategy's step names; rows come by COPY
    closed_at = models.DateTimeField(null=True)
    closed_by = models.TextField(default="")
    outcome = models.TextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["debtor", "kind"],
                condition=Q(status="OPEN", kind="unreachable"),
                name="task_one_open_unreachable",
            ),
        ]
        indexes = [
            models.Index(fields=["portfolio", "due_date"], condition=Q(status="OPEN"), name="task_open"),
            models.Index(fields=["debtor"], name="task_of_debtor"),
        ]

    def __str__(self) -> str:
        return self.title


class Visit(models.Model):
    """A contact at the door: on whose route, and what came of it. Personal data: address and note."""

    class Result(models.TextChoices):
        NONE = "", _("Not yet")
        MET = "MET", _("Spoke with the debtor")
        PROMISE = "PROMISE", _("Promised to pay")
        ABSENT = "ABSENT", _("Nobody was there")
        WRONG_ADDRESS = "WRONG_ADDRESS", _("Wrong address")
        REFUSED = "REFUSED", _("Refused to speak")

    contact = models.OneToOneField(Contact, models.PROTECT, related_name="visit")
    area = models.TextField(default="")
    position = models.PositiveIntegerField(default=0)
    route_date = models.DateField()
    assigned_to_id = models.BigIntegerField(null=True)
    result = models.CharField(max_length=13, choices=Result, default="", blank=True)
    note = models.TextField(default="")
    noted_at = models.DateTimeField(null=True)
    noted_by = models.TextField(default="")

    class Meta:
        ordering = ["route_date", "area", "position"]
        indexes = [models.Index(fields=["route_date", "assigned_to_id"], name="visit_of_route")]

    def __str__(self) -> str:
        return f"{self.route_date} {self.area}"
