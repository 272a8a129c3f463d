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
        constraints = [
            models.UniqueConstraint(
                fields=["ended_at"],
                condition=models.Q(ended_at__isnull=True),
                nulls_distinct=False,
                name="sending_stop_one_in_force",
            )
        ]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M}"
