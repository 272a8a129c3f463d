from django.db import models


class SendingStop(models.Model):
    """A time in which nothing leaves: a backup was restored, and a person has not let messages go again yet.

    `state_of` is the instant of which the restored state is, None where that is not known; `cancelled` counts the
    messages and letters that were taken back when it ended. Personal data: none. Never dies.
    """

    began_at = models.DateTimeField()
    began_by = models.TextField()
    state_of = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.TextField(default="")
    cancelled = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-began_at", "-id"]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M}"
