from django.db import models
from django.utils.translation import gettext_lazy as _

from .outbox import Contact


class LetterBatch(models.Model):
    """Letters printed and given to a courier together. Personal data: the files it points to."""

    created_at = models.DateTimeField()
    created_by = models.TextField()
    courier = models.TextField(default="")
    letters_count = models.PositiveIntegerField(default=0)
    path = models.TextField(default="")
    handed_over_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.pk}"


class Letter(models.Model):
    """A contact on paper and how the courier brought it. Personal data: the address."""

    class Status(models.TextChoices):
        WAITING = "WAITING", _("To be printed")
        PRINTED = "PRINTED", _("Printed")
        DELIVERED = "DELIVERED", _("Delivered")
        RETURNED = "RETURNED", _("Returned")

    contact = models.OneToOneField(Contact, models.PROTECT, related_name="letter")
    batch = models.ForeignKey(LetterBatch, models.PROTECT, null=True, related_name="letters")
    status = models.CharField(max_length=9, choices=Status, default=Status.WAITING)
    reference = models.TextField(unique=True)
    content = models.JSONField(default=dict)
    tracking = models.TextField(default="")
    courier_answer = models.TextField(default="")
    changed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.reference


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
