"""Labels of the journal's kinds of facts and of its automatic actors."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from .facts import declared_kinds

FACTS: Final[dict[str, Promise]] = {
    "contact.sent": _("Message sent"),
    "contact.failed": _("Message failed"),
    "contact.blocked": _("Contact blocked"),
    "contact.cancelled": _("Planned contact cancelled"),
    "contact.uncertain": _("It is not known whether the message arrived"),
    "optout.received": _("The debtor asked for no more messages"),
    "contact.delivered": _("Message delivered"),
    "contact.read": _("Message read"),
    "contact.clicked": _("Link of the message followed"),
    "contact.undelivered": _("Message not delivered"),
    "contact.complained": _("The debtor complained to the provider"),
    "contact.refused_by_debtor": _("The debtor refused further messages at the provider"),
    "optout.resumed": _("The debtor asked for messages again"),
    "wrong_person.received": _("The number or address is somebody else's"),
    "consent.granted": _("Channel authorised"),
    "consent.withdrawn": _("Authorisation of a channel withdrawn"),
    "template.decided_by_provider": _("The provider decided about a template"),
    "template.registered": _("Template put up for the provider's approval"),
    "provider.saved": _("Provider saved"),
    "provider.tested": _("Provider tested"),
    "account.closed": _("Account closed"),
    "template.saved": _("Template saved"),
    "template.submitted": _("Template put forward for approval"),
    "template.approved": _("Template approved"),
    "template.rejected": _("Template sent back"),
    "template.weighed": _("Weight of a template's variant set"),
    "template.retired": _("Template retired"),
    "letter.printed": _("Letter printed"),
    "letter.tracked": _("The courier's file was read"),
    "incident.recorded": _("Incident entered in the register"),
    "incident.closed": _("Incident closed"),
    "evidence.exported": _("Evidence of contacts handed out"),
}
ACTORS: Final[dict[str, Promise]] = {
    "cycle": _("the daily cycle"),
    "dispatch": _("the dispatcher"),
    "intake": _("the load"),
    "debtor": _("the debtor"),
    "provider": _("the provider"),
    "bot": _("the bot"),
    "system": _("the system"),
    "library": _("the product's library"),
    "demo": _("the demonstration"),
    "command": _("the command line"),
}


def fact_label(kind: str) -> str:
    """Return the label of a kind of fact; an unknown kind as it is."""
    declared = declared_kinds().get(kind)
    return str(declared.label if declared else FACTS.get(kind, kind))


def actor_label(name: str) -> str:
    """Return the label of an automatic actor; the name of a person as it is."""
    return str(ACTORS.get(name, name))
