from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from recobra.kit.encrypted_field import EncryptedJSONField


class Approval(models.Model):
    """A change that a person wrote and another decides about; `kind` says which (`approvals.kinds`).

    `subject` is the id of what changes, `old` and `new` what the kind shows of it. `portfolio_code` is '' for what
    concerns the whole installation. `author` wrote the change and may not decide it, unless nobody else could:
    `alone` says that it was so. `old` and `new` are encrypted: they may name bank accounts.
    Personal data: what `old` and `new` of a kind hold. Dies with the legal term.
    """

    class Decision(models.TextChoices):
        WAITING = "WAITING", _("Waiting for approval")
        APPROVED = "APPROVED", _("Approved")
        REJECTED = "REJECTED", _("Sent back")
        WITHDRAWN = "WITHDRAWN", _("Withdrawn")

    kind = models.TextField()
    subject = models.TextField()
    portfolio_code = models.TextField(default="", blank=True)
    old = EncryptedJSONField(default=dict)
    new = EncryptedJSONField(default=dict)
    author = models.TextField()
    author_id = models.BigIntegerField(null=True)
    asked_at = models.DateTimeField()
    asked_by = models.TextField()
    asked_by_id = models.BigIntegerField(null=True)
    decision = models.CharField(max_length=9, choices=Decision, default=Decision.WAITING)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.TextField(default="")
    decided_by_id = models.BigIntegerField(null=True)
    reason = models.TextField(default="")
    alone = models.BooleanField(default=False)

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=Q(decision="WAITING"), name="approval_one_waiting"
            ),
            models.CheckConstraint(
                condition=Q(decision="WAITING", decided_at__isnull=True)
                | (~Q(decision="WAITING") & Q(decided_at__isnull=False)),
                name="approval_decided_or_waiting",
            ),
            models.CheckConstraint(
                condition=~(
                    Q(decision="APPROVED", alone=False) & (Q(author=F("decided_by")) | Q(author_id=F("decided_by_id")))
                ),
                name="approval_by_two_people",
            ),
        ]
        indexes = [models.Index(fields=["kind", "subject"], name="approval_of_subject")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    def is_by(self, name: str, user_id: int | None) -> bool:
        """Tell if a person is the author, by name or by account: a name may have been changed."""
        return self.author == name or (user_id is not None and self.author_id == user_id)

    def is_asked_by(self, name: str, user_id: int | None) -> bool:
        """Tell if a person put the change forward."""
        return self.asked_by == name or (user_id is not None and self.asked_by_id == user_id)


class SecondPersonRule(models.Model):
    """What the company decided of a kind of change: whether it needs a second person, and from which size on.

    A kind without a row follows its declaration. `least_size` is None for a kind that has no size. Personal data: none.
    """

    kind = models.TextField(unique=True)
    is_required = models.BooleanField()
    least_size = models.PositiveIntegerField(null=True)

    def __str__(self) -> str:
        return self.kind
