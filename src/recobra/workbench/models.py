from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

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
