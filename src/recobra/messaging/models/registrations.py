from __future__ import annotations

from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from recobra.messaging.models.outbox import Template
from recobra.messaging.models.providers import Provider


class TemplateRegistrationQuerySet(models.QuerySet["TemplateRegistration"]):
    """Registrations, narrowed."""

    def sendable(self) -> TemplateRegistrationQuerySet:
        """Return those with which the provider lets conversations begin, at providers that are switched on."""
        return self.filter(status__in=TemplateRegistration.SENDABLE, provider__enabled=True)

    def in_use(self) -> TemplateRegistrationQuerySet:
        """Return those of versions that no later one has replaced, at providers that are switched on."""
        key = {name: OuterRef(f"template__{name}") for name in Template.VERSION_KEY}
        approved = Template.objects.filter(status=Template.Status.APPROVED, retired_at__isnull=True)
        later = approved.filter(version__gt=OuterRef("template__version"), **key)
        return self.filter(~Exists(later), template__retired_at__isnull=True, provider__enabled=True)


class TemplateRegistration(models.Model):
    """A version of a template at a provider that approves templates before they may begin a conversation (WhatsApp).

    `name` is its name there; `status`, `category`, `reason` and `quality` are the provider's own words, and `status`
    is '' from the moment it is handed in until the answer. `detail` is what the provider advises in its own sentence.
    `asked_at` is when the status was last learnt. Personal data: none.
    """

    SENDABLE = ("APPROVED", "FLAGGED")
    REFUSED = ("REJECTED", "PAUSED", "DISABLED", "LIMIT_EXCEEDED")

    class Category(models.TextChoices):
        UTILITY = "UTILITY", _("Utility: about something owed or done")
        MARKETING = "MARKETING", _("Marketing: an offer")

    template = models.ForeignKey(Template, models.PROTECT, related_name="registrations")
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="registrations")
    name = models.TextField()
    status = models.TextField(default="", db_default="")
    category = models.TextField(default="", db_default="")
    reason = models.TextField(default="", db_default="")
    detail = models.TextField(default="", db_default="")
    quality = models.TextField(default="", db_default="")
    reference = models.TextField(default="", db_default="")
    asked_at = models.DateTimeField()

    objects = TemplateRegistrationQuerySet.as_manager()

    class Meta:
        ordering = ["provider__rank", "provider__code", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["template", "provider"], name="template_registered_once"),
        ]
        indexes = [models.Index(fields=["name"], name="registration_by_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.provider_id})"
