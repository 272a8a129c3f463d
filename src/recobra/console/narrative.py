"""Facts of the journal as sentences: what happened, said to a person."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# kind -> icon, tone, sentence
FACTS: Final[dict[str, tuple[str, str, str | Promise]]] = {
    "payment.recorded": ("cash", "good", _("Payment received")),
    "payment.reversed": ("arrow-back-up", "bad", _("Payment reversed")),
    "hold.placed": ("player-pause", "warn", _("Hold placed")),
    "hold.lifted": ("player-play", "calm", _("Hold lifted")),
    "stage.changed": ("topology-star-3", "calm", _("Stage changed")),
    "contact.sent": ("send", "good", _("Message sent")),
    "contact.failed": ("circle-x", "bad", _("Message failed")),
    "contact.blocked": ("ban", "warn", _("Contact blocked")),
    "contact.cancelled": ("circle-x", "quiet", _("Planned contact cancelled")),
    "contact.uncertain": ("help-circle", "bad", _("It is not known whether the message arrived")),
    "optout.received": ("ban", "warn", _("The debtor asked for no more messages")),
    "contact.delivered": ("circle-check", "good", _("Message delivered")),
    "contact.read": ("circle-check", "good", _("Message read")),
    "contact.clicked": ("circle-check", "good", _("Link of the message followed")),
    "contact.undelivered": ("circle-x", "bad", _("Message not delivered")),
    "contact.complained": ("alert-triangle", "bad", _("The debtor complained to the provider")),
    "optout.resumed": ("send", "calm", _("The debtor asked for messages again")),
    "wrong_person.received": ("ban", "warn", _("The number or address is somebody else's")),
    "consent.granted": ("circle-check", "good", _("Channel authorised")),
    "consent.withdrawn": ("ban", "warn", _("Authorisation of a channel withdrawn")),
    "template.decided_by_provider": ("mail", "quiet", _("The provider decided about a template")),
    "template.registered": ("mail", "quiet", _("Template put up for the provider's approval")),
    "provider.saved": ("send", "quiet", _("Provider saved")),
    "house_rule.saved": ("adjustments-horizontal", "calm", _("Company rule put in force")),
    "house_rule.retired": ("adjustments-horizontal", "quiet", _("Company rule taken out of force")),
    "provider.tested": ("send", "quiet", _("Provider tested")),
    "webhook.failed": ("alert-triangle", "bad", _("A provider's call could not be worked")),
    "webhook.forged": ("alert-triangle", "bad", _("A forged call was refused")),
    "task.created": ("checklist", "calm", _("Task created")),
    "task.closed": ("circle-check", "good", _("Task closed")),
    "account.closed": ("circle-check", "good", _("Account closed")),
    "load.done": ("upload", "quiet", _("File loaded")),
    "load.held": ("upload", "warn", _("File waiting for confirmation")),
    "load.refused": ("upload", "bad", _("File refused")),
    "load.discarded": ("upload", "quiet", _("File discarded")),
    "payments.file_loaded": ("cash", "quiet", _("Payment file loaded")),
    "creditor.opened": ("building", "calm", _("Creditor opened")),
    "creditor.saved": ("building", "calm", _("Details of a creditor changed")),
    "statement.opened": ("eye", "good", _("The debtor saw the detail of what is owed")),
    "identity.refused": ("lock", "warn", _("Wrong answer to who the debtor is, in a chat or call")),
    "statement.refused": ("lock", "warn", _("Wrong answer at the page of the debtor's detail")),
    "portfolio.opened": ("users", "calm", _("Portfolio opened")),
    "mapping.saved": ("adjustments-horizontal", "quiet", _("Column mapping saved")),
    "cycle.run": ("refresh", "quiet", _("Daily cycle run")),
    "strategy.draft_saved": ("topology-star-3", "quiet", _("Strategy draft saved")),
    "strategy.published": ("topology-star-3", "calm", _("Strategy published")),
    "strategy.retired": ("topology-star-3", "quiet", _("Strategy retired")),
    "strategy.assigned": ("topology-star-3", "calm", _("Strategy assigned to a portfolio")),
    "user.signed_in": ("user", "quiet", _("Signed in")),
    "user.created": ("user", "calm", _("User created")),
    "user.password_set": ("user", "calm", _("Password changed")),
    "user.scope_set": ("lock", "calm", _("Portfolios of a user set")),
    "template.saved": ("mail", "quiet", _("Template saved")),
    "template.submitted": ("mail", "calm", _("Template put forward for approval")),
    "template.approved": ("circle-check", "calm", _("Template approved")),
    "template.rejected": ("mail", "warn", _("Template sent back")),
    "template.weighed": ("mail", "quiet", _("Weight of a template's variant set")),
    "template.retired": ("mail", "quiet", _("Template retired")),
    "export.made": ("download", "warn", _("List exported")),
    "campaign.launched": ("send", "calm", _("Campaign launched or resumed")),
    "campaign.paused": ("player-pause", "warn", _("Campaign paused")),
    "campaign.ended": ("circle-check", "quiet", _("Campaign ended")),
    "letter.printed": ("mail", "calm", _("Letter printed")),
    "letter.tracked": ("mail", "quiet", _("The courier's file was read")),
    "visit.assigned": ("user", "quiet", _("Visits given to a person")),
    "visit.noted": ("user", "calm", _("Result of a visit noted")),
    "incident.recorded": ("alert-triangle", "bad", _("Incident entered in the register")),
    "incident.closed": ("circle-check", "good", _("Incident closed")),
    "evidence.exported": ("download", "warn", _("Evidence of contacts handed out")),
    "conversation.received": ("inbox", "calm", _("The debtor wrote to us")),
    "conversation.assigned": ("user", "quiet", _("Conversation assigned")),
    "conversation.closed": ("circle-check", "quiet", _("Conversation closed")),
    "promise.registered": ("calendar-event", "good", _("Payment promised")),
    "dispute.opened": ("alert-triangle", "warn", _("The debtor objected")),
    "payment.reported": ("cash", "calm", _("The debtor says that it is paid")),
    "person.asked": ("user", "calm", _("Conversation handed to a person")),
    "alarm.raised": ("alert-triangle", "warn", _("Alarm raised")),
}
ACTORS: Final[dict[str, str | Promise]] = {
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


def say(kind: str) -> str:
    """Return what a kind of fact means; an unknown kind as it is."""
    return str(FACTS[kind][2]) if kind in FACTS else kind


def icon(kind: str) -> str:
    """Return the icon of a kind of fact."""
    return FACTS[kind][0] if kind in FACTS else "notes"


def tone(kind: str) -> str:
    """Return the tone of a kind of fact."""
    return FACTS[kind][1] if kind in FACTS else "quiet"


def actor(name: str) -> str:
    """Return who did it, in words where it was a machine."""
    return str(ACTORS.get(name, name))
