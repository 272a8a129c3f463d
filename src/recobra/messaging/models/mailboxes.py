from django.db import models

from recobra.messaging.models.providers import Provider


class ReplyMailbox(models.Model):
    """How far the mailbox of a sender was read. Personal data: none; the messages are kept as calls of the provider.

    `last_uid` counts within `uid_validity`, which changes where the mail server gives its numbers anew. `failed_since`
    is set while it cannot be read, with the reason.
    """

    provider = models.OneToOneField(Provider, models.CASCADE, primary_key=True, related_name="mailbox")
    uid_validity = models.BigIntegerField(default=0)
    last_uid = models.BigIntegerField(default=0)
    read_at = models.DateTimeField(null=True)
    failed_since = models.DateTimeField(null=True)
    answer = models.TextField(default="")

    def __str__(self) -> str:
        return f"{self.provider_id}"
