"""Kinds of facts about contacts, what became of them, templates, providers and letters."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from recobra.journal.facts import Fact, fact


@fact("contact.sent", _("Message sent"))
class ContactSent(Fact):
    """A contact left, or turned out to have left."""

    channel: str
    step: str
    reason: str


@fact("contact.failed", _("Message failed"))
class ContactFailed(Fact):
    """A contact could not be sent."""

    channel: str
    step: str
    reason: str


@fact("contact.blocked", _("Contact blocked"))
class ContactBlocked(Fact):
    """The gate forbade a contact; `is_planned`: when the day was planned, so that it never was on its way."""

    channel: str
    step: str
    reason: str
    is_planned: bool = False


@fact("contact.cancelled", _("Planned contact cancelled"))
class ContactCancelled(Fact):
    """A contact was taken back before it left."""

    channel: str
    step: str
    reason: str


@fact("contact.uncertain", _("It is not known whether the message arrived"))
class ContactUncertain(Fact):
    """A contact may have left or not."""

    channel: str
    step: str
    reason: str


@fact("contact.delivered", _("Message delivered"))
class ContactDelivered(Fact):
    """The first receipt says that a contact arrived."""

    channel: str


@fact("contact.read", _("Message read"))
class ContactRead(Fact):
    """The first receipt says that a contact was read."""

    channel: str


@fact("contact.clicked", _("Link of the message followed"))
class ContactClicked(Fact):
    """The first receipt says that a link of a contact was followed."""

    channel: str


@fact("contact.undelivered", _("Message not delivered"))
class ContactUndelivered(Fact):
    """The first receipt says that a contact did not arrive."""

    channel: str


@fact("contact.complained", _("The debtor complained to the provider"))
class ContactComplained(Fact):
    """The first receipt says that its debtor complained of a contact."""

    channel: str


@fact("contact.refused_by_debtor", _("The debtor refused further messages at the provider"))
class ContactRefusedByDebtor(Fact):
    """A debtor complained to the provider, or asked it for silence, at an instant.

    `public_id` is that of the contact.
    """

    public_id: str
    receipt_kind: Annotated[str, Field(alias="kind")]
    at: datetime


@fact("template.saved", _("Template saved"))
class TemplateSaved(Fact):
    """A version of a template was written."""

    template_id: int
    code: str
    channel: str
    version: int


@fact("template.submitted", _("Template put forward for approval"))
class TemplateSubmitted(Fact):
    """A draft waits for its approval."""

    template_id: int
    code: str
    channel: str
    version: int


@fact("template.approved", _("Template approved"))
class TemplateApproved(Fact):
    """A version is in force."""

    template_id: int
    code: str
    channel: str
    version: int


@fact("template.rejected", _("Template sent back"))
class TemplateRejected(Fact):
    """A version was not approved."""

    template_id: int
    code: str
    channel: str
    version: int


@fact("template.weighed", _("Weight of a template's variant set"))
class TemplateWeighed(Fact):
    """A variant is drawn more or less often than before."""

    template_id: int
    code: str
    channel: str
    version: int
    weight: int


@fact("template.retired", _("Template retired"))
class TemplateRetired(Fact):
    """A version is no longer sent."""

    template_id: int
    code: str
    channel: str
    version: int


@fact("template.registered", _("Template put up for the provider's approval"))
class TemplateRegistered(Fact):
    """A template has a name at a provider, which has a code; `status` is the provider's."""

    template_id: int
    name: str
    status: str
    provider: str = ""


@fact("template.decided_by_provider", _("The provider decided about a template"))
class TemplateDecidedByProvider(Fact):
    """A provider gave a template another status; `reason` is its own word."""

    name: str
    language: str
    status: str
    provider: str = ""
    reason: str = ""


@fact("template.rated_by_provider", _("The provider rated a template"))
class TemplateRatedByProvider(Fact):
    """A provider rates a template otherwise: GREEN, YELLOW, RED or UNKNOWN."""

    name: str
    language: str
    quality: str
    provider: str = ""


@fact("provider.stopped", _("A provider lets us send nothing"))
class ProviderStopped(Fact):
    """A provider restricted or closed our account; `reason` is its own word."""

    provider: str
    reason: str


@fact("provider.warned", _("A provider warned us"))
class ProviderWarned(Fact):
    """A provider says that our account is in danger; `reason` is its own word."""

    provider: str
    reason: str


@fact("provider.restored", _("A provider lets us send again"))
class ProviderRestored(Fact):
    """Messages may leave by a provider again; `reason` is its own word, '' where a person said so."""

    provider: str
    reason: str


@fact("provider.saved", _("Provider saved"))
class ProviderSaved(Fact):
    """The settings of a provider are others; `changed` are names of fields."""

    provider_id: int
    provider: str
    provider_kind: Annotated[str, Field(alias="kind")]
    enabled: bool
    changed: list[str]


@fact("provider.tested", _("Provider tested"))
class ProviderTested(Fact):
    """A provider answered to a test of its settings."""

    provider_id: int
    provider: str
    provider_kind: Annotated[str, Field(alias="kind")]
    ok: bool


@fact("letter.printed", _("Letter printed"))
class LetterPrinted(Fact):
    """A letter is part of a batch of print."""

    batch_id: int


@fact("letter.tracked", _("The courier's file was read"))
class LettersTracked(Fact):
    """A courier's file said what became of letters; figures of its rows."""

    delivered: int
    returned: int
    errors: int


@fact("sending.stopped", _("Sending stopped"))
class SendingStopped(Fact):
    """A backup of the state at `state_of` was restored: nothing leaves until a person says so."""

    state_of: datetime | None


@fact("sending.resumed", _("Sending resumed"))
class SendingResumed(Fact):
    """A person let messages leave again; `cancelled` counts those that were taken back."""

    cancelled: int
