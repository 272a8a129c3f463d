from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recobra.portfolio.models import Account, Debtor, Portfolio


class Payment(models.Model):
    """Money received for a debtor. Its shares are ledger postings; what could not be applied stays visible.

    Personal data: none. Dies with its debtor.
    """

    class Source(models.TextChoices):
        SCREEN = "SCREEN", _("Recorded on screen")
        FILE = "FILE", _("Payment file")
        INFERRED = "INFERRED", _("Inferred from the load")

    portfolio = models.ForeignKey(Portfolio, models.PROTECT, related_name="payments", db_index=False)
    debtor = models.ForeignKey(Debtor, models.PROTECT, related_name="payments")
    account = models.ForeignKey(Account, models.PROTECT, null=True, related_name="payments", db_index=False)
    amount_minor = models.BigIntegerField()
    unapplied_minor = models.BigIntegerField(default=0)
    paid_date = models.DateField()
    received_at = models.DateTimeField()
    source = models.CharField(max_length=8, choices=Source)
    reference = models.TextField()
    load_id = models.BigIntegerField(null=True)
    actor = models.TextField()
    reversed_at = models.DateTimeField(null=True)
    reversed_by = models.TextField(default="")
    reversal_reason = models.TextField(default="")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_amount_positive"),
            models.CheckConstraint(condition=Q(unapplied_minor__gte=0), name="payment_unapplied_not_negative"),
            # One operation of a bank may pay many accounts, and a reversed payment may be recorded again.
            models.UniqueConstraint(
                fields=["portfolio", "reference", "debtor", "account", "amount_minor", "paid_date", "reversed_at"],
                nulls_distinct=False,
                name="payment_movement_once",
            ),
        ]
        indexes = [
            models.Index(fields=["portfolio", "paid_date"], name="payment_by_day"),
            # Money in hand is looked for before anybody is asked for money, and nearly no payment has any.
            models.Index(
                fields=["debtor"],
                condition=Q(unapplied_minor__gt=0, reversed_at__isnull=True),
                name="payment_in_hand",
            ),
        ]

    def __str__(self) -> str:
        return self.reference


class PaymentMapping(models.Model):
    """The meaning of the columns of one source's payment files; never edited, only superseded.

    Personal data: none.
    """

    portfolio = models.ForeignKey(Portfolio, models.PROTECT, related_name="payment_mappings")
    name = models.TextField()
    version = models.PositiveIntegerField()
    document = models.JSONField()
    created_at = models.DateTimeField()
    created_by = models.TextField()

    class Meta:
        ordering = ["portfolio", "name", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "name", "version"], name="payment_mapping_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"
