from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from recobra.portfolio.models import Portfolio


class Mapping(models.Model):
    """The meaning of one source's columns; kept per source, never edited, only superseded.

    Personal data: none.
    """

    portfolio = models.ForeignKey(Portfolio, models.PROTECT, related_name="mappings")
    name = models.TextField()
    version = models.PositiveIntegerField()
    document = models.JSONField()
    created_at = models.DateTimeField()
    created_by = models.TextField()

    class Meta:
        ordering = ["portfolio", "name", "-version"]
        constraints = [models.UniqueConstraint(fields=["portfolio", "name", "version"], name="mapping_version_once")]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"


class Load(models.Model):
    """One file taken in, with its figures and what became of it. Personal data: none (rows live elsewhere)."""

    class Status(models.TextChoices):
        RUNNING = "RUNNING", _("In progress")
        DONE = "DONE", _("Loaded")
        HELD = "HELD", _("Waiting for confirmation")
        REFUSED = "REFUSED", _("Refused")
        FAILED = "FAILED", _("Failed")
        DISCARDED = "DISCARDED", _("Discarded")

    portfolio = models.ForeignKey(Portfolio, models.PROTECT, related_name="loads")
    mapping = models.ForeignKey(Mapping, models.PROTECT, null=True, related_name="loads")
    file_name = models.TextField()
    file_sha256 = models.CharField(max_length=64)
    stored_as = models.TextField(default="")
    as_of = models.DateField()
    status = models.CharField(max_length=9, choices=Status)
    reason = models.TextField(default="")
    figures = models.JSONField(default=dict)
    diagnosis = models.JSONField(default=dict)
    progress = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    actor = models.TextField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["portfolio", "-as_of"], name="load_latest")]
        constraints = [
            models.UniqueConstraint(
                fields=["portfolio"], condition=Q(status="RUNNING"), name="load_one_running_per_portfolio"
            )
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.status})"


class LoadWarning(models.Model):
    """One kind of warning of a load, or of what was set aside, with all the lines it is about. Personal data: none.

    `column` is the name in the file, empty where the warning is about none. Goes with the load's rejected rows.
    """

    load = models.ForeignKey(Load, models.PROTECT, related_name="warnings")
    code = models.CharField(max_length=20)
    column = models.TextField(default="")
    lines = ArrayField(models.BigIntegerField())

    class Meta:
        ordering = ["code", "column"]

    def __str__(self) -> str:
        return f"{self.load_id}:{self.code}"


class RejectedRow(models.Model):
    """A row that was not accepted, kept as it came, with everything found wrong in it.

    Personal data: the row as delivered. Dies when mended and loaded, or when the period of loaded files is over.
    """

    load = models.ForeignKey(Load, models.PROTECT, related_name="rejected")
    line = models.BigIntegerField()
    row = models.JSONField()
    errors = models.JSONField()

    class Meta:
        ordering = ["line", "id"]

    def __str__(self) -> str:
        return f"{self.load_id}:{self.line}"
