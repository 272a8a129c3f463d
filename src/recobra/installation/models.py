"""The installation's tables: its backups, and how far the encryption of its texts is."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class BackupRun(models.Model):
    """One backup that was begun. Personal data: none; the files hold all of it, encrypted.

    `missing` counts files that the database named and that were not there. Never dies.
    """

    class Status(models.TextChoices):
        RUNNING = "RUNNING", _("In progress")
        DONE = "DONE", _("Done")
        FAILED = "FAILED", _("Failed")

    status = models.CharField(max_length=7, choices=Status, default=Status.RUNNING)
    started_at = models.DateTimeField()
    started_by = models.TextField()
    is_scheduled = models.BooleanField(default=False)
    finished_at = models.DateTimeField(null=True)
    path = models.TextField(default="")
    size = models.BigIntegerField(default=0)
    files_count = models.PositiveIntegerField(default=0)
    rows_count = models.BigIntegerField(default=0)
    missing_count = models.PositiveIntegerField(default=0)
    error = models.TextField(default="")

    class Meta:
        ordering = ["-started_at", "-id"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} {self.status}"


class EncryptionPass(models.Model):
    """How far a table is encrypted with a data key: up to the row `last_pk`. Personal data: none. Never dies."""

    table = models.TextField(primary_key=True)
    key_id = models.TextField(default="")
    last_pk = models.TextField(default="")
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.table} {self.last_pk}"
