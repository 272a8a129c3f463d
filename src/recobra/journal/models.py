import json

from django.db import models

from .facts import Fact, load


class Entry(models.Model):
    """One fact, once, for ever: audit trail, debtor's timeline and feed of outgoing webhooks.

    The table is partitioned by month and refuses UPDATE and DELETE; `digest` is written by a trigger (see the
    migration). Personal data: payload holds ids and amounts, never names, numbers or texts. Dies with the legal term.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    kind = models.TextField()
    actor_id = models.BigIntegerField(null=True)
    actor = models.TextField()
    portfolio_id = models.BigIntegerField(null=True)
    debtor_id = models.BigIntegerField(null=True)
    account_id = models.BigIntegerField(null=True)
    contact_id = models.BigIntegerField(null=True)
    version = models.TextField(default="")
    payload = models.JSONField(default=dict)
    digest = models.BinaryField(editable=False)

    class Meta:
        managed = False
        db_table = "journal_entry"
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"

    def fact(self) -> Fact:
        """Return what became true, as its type. Raises FactRefused for a payload that does not fit its kind."""
        return load(self.kind, json.dumps(self.payload))


class Seal(models.Model):
    """The hash that closes the rows since the seal before it and is chained to that one. Personal data: none.

    It covers the rows up to `last_id`. Seals from before `last_id` was kept cover a whole `day` and are not signed.
    The table refuses UPDATE, DELETE and TRUNCATE. `signature` is that of the key of the certificate `signer`.
    """

    number = models.BigIntegerField(primary_key=True)
    day = models.DateField()
    entries = models.BigIntegerField()
    last_id = models.BigIntegerField(null=True)
    leaves = models.BinaryField()
    digest = models.BinaryField()
    previous = models.BinaryField()
    sealed_at = models.DateTimeField()
    signature = models.BinaryField(default=b"")
    signer = models.TextField(default="")

    class Meta:
        ordering = ["number"]
        indexes = [models.Index(fields=["last_id"], name="seal_by_last_id")]

    def __str__(self) -> str:
        return f"{self.number}: {self.entries}"
