from django.db import models
from django.utils.translation import gettext_lazy as _

from recobra.kit.encrypted_field import EncryptedJSONField


class Provider(models.Model):
    """A configured way out for a channel: its adapter, settings, price and speed.

    `kind` names the folder in `channels/`; `secrets` are encrypted with the data keys, and so is `proposed`: settings
    and secrets that wait for a second person.
    `price_micros` is what one message costs, in millionths of the major unit of `price_currency`. `stopped_at` is since
    when the provider lets us send nothing by our account, `warned_at` when it last said that this is near; the reasons
    are its own words, and so are `number_quality` and `number_tier`: how people take its number, and to how many of
    them it may write first in 24 hours, as learnt at `number_asked_at`. Personal data: none.
    """

    code = models.SlugField(unique=True)
    channel = models.CharField(max_length=8)
    kind = models.TextField()
    name = models.TextField()
    settings = models.JSONField(default=dict)
    secrets = EncryptedJSONField(row="code", default=dict)
    proposed = EncryptedJSONField(row="code", default=dict)
    enabled = models.BooleanField(default=False)
    rank = models.PositiveSmallIntegerField(default=100)
    rate_per_second = models.FloatField(null=True)
    price_micros = models.BigIntegerField(default=0)
    price_currency = models.CharField(max_length=3, default="USD")
    country = models.CharField(max_length=2, default="")
    created_at = models.DateTimeField()
    created_by = models.TextField()
    stopped_at = models.DateTimeField(null=True)
    stopped_reason = models.TextField(default="", db_default="")
    warned_at = models.DateTimeField(null=True)
    warned_reason = models.TextField(default="", db_default="")
    number_quality = models.TextField(default="", db_default="")
    number_tier = models.TextField(default="", db_default="")
    number_asked_at = models.DateTimeField(null=True)
    tested_at = models.DateTimeField(null=True)
    tested_well = models.BooleanField(null=True)
    tested_answer = models.TextField(default="")

    class Meta:
        ordering = ["channel", "rank", "code"]
        verbose_name = _("provider")

    def __str__(self) -> str:
        return self.code


class ProviderState(models.Model):
    """The allowance and the circuit of a provider, shared by every dispatcher. Personal data: none.

    A token is one message; the circuit is open (nothing is sent) until `open_until`.
    """

    provider = models.OneToOneField(Provider, models.CASCADE, primary_key=True, related_name="state")
    tokens = models.FloatField(default=0)
    refilled_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True)
    trying = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.provider_id}"
