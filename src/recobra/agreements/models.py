from __future__ import annotations

from datetime import date, timedelta

from django.db import models
from django.db.models import F, Q

from recobra.messaging.models import Contact
from recobra.portfolio.models import Account, Channel, Debtor, Portfolio


class Promise(models.Model):
    """A debtor's word to pay an amount by a day: of the whole debt, or of the accounts in `shares`.

    Never edited. Whether it was kept is computed from the payments (`agreements.queries`). `registered_on` is the
    debtor's own day; `contact` is the message, call or visit in which it was made, where there is one. Personal data:
    through its debtor. Dies with its debtor.
    """

    portfolio = models.ForeignKey(Portfolio, models.PROTECT, related_name="promises", db_index=False)
    debtor = models.ForeignKey(Debtor, models.PROTECT, related_name="promises")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    promised_on = models.DateField()
    grace_days = models.PositiveSmallIntegerField()
    channel = models.CharField(max_length=8, choices=Channel)
    contact = models.ForeignKey(Contact, models.PROTECT, null=True, related_name="promises", db_index=False)
    registered_on = models.DateField()
    registered_at = models.DateTimeField()
    registered_by = models.TextField()
    registered_by_id = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-registered_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="promise_amount_positive"),
            models.CheckConstraint(condition=Q(promised_on__gte=F("registered_on")), name="promise_of_no_past_day"),
        ]
        indexes = [models.Index(fields=["portfolio", "registered_at"], name="promise_by_time")]

    def __str__(self) -> str:
        return f"{self.debtor_id} {self.promised_on}"

    @property
    def until(self) -> date:
        """The last day on which money counts, grace included."""
        return self.promised_on + timedelta(days=self.grace_days)


class PromiseShare(models.Model):
    """What was promised on one account. The shares of a promise add up to it. Personal data: none of its own."""

    promise = models.ForeignKey(Promise, models.PROTECT, related_name="shares", db_index=False)
    account = models.ForeignKey(Account, models.PROTECT, related_name="promise_shares")
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["promise", "account"], name="promise_share_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="promise_share_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.promise_id} {self.account_id}"
