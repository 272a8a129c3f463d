from django.db import models

from recobra.kit.encrypted_field import EncryptedJSONField, EncryptedTextField

ONLY = "main"
"""The code of the one identity provider that an installation has."""


class IdentityProvider(models.Model):
    """The company's service by which people sign in: one row at most.

    `settings` are those of `provider_settings.ProviderSettings`. `proposed` are settings and secret that wait for a
    second person. Personal data: none. Never dies.
    """

    code = models.CharField(max_length=8, primary_key=True, default=ONLY)
    is_enabled = models.BooleanField(default=False)
    settings = models.JSONField(default=dict)
    client_secret = EncryptedTextField(default="", blank=True, row="code")
    proposed = EncryptedJSONField(default=dict, row="code")
    tested_at = models.DateTimeField(null=True)
    tested_well = models.BooleanField(default=False)
    tested_answer = models.TextField(default="", blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(code=ONLY), name="identity_provider_one")]

    def __str__(self) -> str:
        return self.code


class Identity(models.Model):
    """Whom the provider means by a subject: a user is found by issuer and subject, never by name or e-mail.

    Personal data: the id that the provider has for the person. Dies with the user's data.
    """

    user = models.ForeignKey("access.User", models.CASCADE, related_name="identities", db_index=False)
    issuer = models.TextField()
    subject = models.TextField()
    linked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="identity_once"),
            models.UniqueConstraint(fields=["user", "issuer"], name="identity_one_for_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} {self.issuer}"
