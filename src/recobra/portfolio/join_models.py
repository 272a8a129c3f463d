"""Debtors that look like one: what is proposed to a person, and what was joined and can be parted again."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .models import Creditor, Debtor


class DebtorPair(models.Model):
    """Two debtors of a creditor that look like one, the lower id first, and what a person decided. Personal data: none.

    `signs` are the codes of why. A pair that somebody found to be two people is never proposed again.
    """

    class Sign(models.TextChoices):
        SAME_DOCUMENT = "same_document", _("the same document")
        ALIKE_DOCUMENT = "alike_document", _("documents that differ by one figure")
        SAME_NAME = "same_name", _("the same name")
        SIMILAR_NAME = "similar_name", _("names with the same words")
        SAME_CONTACT = "same_contact", _("the same telephone or e-mail")
        SAME_PLACE = "same_place", _("the same region, and no valid document to tell them apart")

    class Weight(models.IntegerChoices):
        STRONG = 3, _("Nearly sure: the document says so")
        MEDIUM = 2, _("Likely: two signs agree")
        WEAK = 1, _("Possible: look closely")

    class Decision(models.TextChoices):
        NONE = "", _("Nobody has decided")
        JOINED = "JOINED", _("The same person")
        APART = "APART", _("Different people")

    creditor = models.ForeignKey(Creditor, models.PROTECT, related_name="debtor_pairs", db_index=False)
    first = models.ForeignKey(Debtor, models.PROTECT, related_name="pairs_as_first", db_index=False)
    second = models.ForeignKey(Debtor, models.PROTECT, related_name="pairs_as_second")
    signs = ArrayField(models.CharField(max_length=16))
    weight = models.SmallIntegerField(choices=Weight)
    found_at = models.DateTimeField()
    decision = models.CharField(max_length=6, choices=Decision, default="", db_default="", blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.TextField(default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="debtor_pair_once"),
            models.CheckConstraint(condition=Q(first__lt=F("second")), name="debtor_pair_in_order"),
        ]
        indexes = [
            models.Index(fields=["creditor", "-weight", "id"], condition=Q(decision=""), name="debtor_pair_open")
        ]

    def __str__(self) -> str:
        return f"{self.first_id} {self.second_id}"

    def sign_labels(self) -> list[str]:
        """Return why they look like one, in words."""
        return [str(self.Sign(code).label) for code in self.signs]


class DebtorSurvey(models.Model):
    """When a creditor's debtors were last compared. Personal data: none.

    `left_out` counts by sign the values that so many debtors share that they show nothing, such as the number of a call
    centre; no pair is made of them.
    """

    creditor = models.OneToOneField(Creditor, models.PROTECT, primary_key=True, related_name="debtor_survey")
    surveyed_at = models.DateTimeField()
    left_out = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.creditor_id}"


class DebtorJoin(models.Model):
    """A person said that two debtors are one: everything of `joined` went to `kept`. Personal data: none.

    The row of `joined` stays with its key, so that files that name it reach `kept`. `kept_home` and `joined_home` are
    the portfolios in which each was known first: a key made of an account's number counts in that one alone.
    """

    class Reason(models.TextChoices):
        DOCUMENT = "DOCUMENT", _("The document is the same, or one was mistyped")
        DEBTOR = "DEBTOR", _("The debtor said so")
        CREDITOR = "CREDITOR", _("The creditor confirmed it")
        OTHER = "OTHER", _("I have compared both, and it is the same person")

    class PartReason(models.TextChoices):
        MISTAKE = "MISTAKE", _("It was a mistake: they are two people")
        DEBTOR = "DEBTOR", _("The debtor said so")
        CREDITOR = "CREDITOR", _("The creditor confirmed it")

    kept = models.ForeignKey(Debtor, models.PROTECT, related_name="joins")
    joined = models.ForeignKey(Debtor, models.PROTECT, related_name="joins_away", db_index=False)
    reason = models.CharField(max_length=8, choices=Reason)
    joined_at = models.DateTimeField()
    joined_by = models.TextField()
    kept_home = models.BigIntegerField(null=True)
    joined_home = models.BigIntegerField(null=True)
    part_reason = models.CharField(max_length=8, choices=PartReason, default="", db_default="", blank=True)
    parted_at = models.DateTimeField(null=True)
    parted_by = models.TextField(default="", db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["joined"], condition=Q(parted_at__isnull=True), name="debtor_joined_into_one"
            ),
            models.CheckConstraint(condition=~Q(kept=F("joined")), name="debtor_not_joined_to_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.joined_id} → {self.kept_id}"


class JoinedRow(models.Model):
    """A row that goes back to its debtor when a join is undone. Personal data: none.

    `before` are columns that the join changed beside the debtor, as they were. Loads add what files name by the key of
    the one who was joined.
    """

    join = models.ForeignKey(DebtorJoin, models.PROTECT, related_name="rows", db_index=False)
    model = models.TextField()
    row_id = models.BigIntegerField()
    before = models.JSONField(default=dict, db_default=models.Value({}, models.JSONField()))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["join", "model", "row_id"], name="joined_row_once")]
        # Of a debtor who was joined with another before, each load asks through which joins his rows go.
        indexes = [models.Index(fields=["row_id"], condition=Q(model="portfolio.Debtor"), name="joined_debtor")]

    def __str__(self) -> str:
        return f"{self.model} {self.row_id}"
