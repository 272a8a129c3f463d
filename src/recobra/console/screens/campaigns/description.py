"""Labels of campaigns: reasons against a message, reasons for the end, findings and measures."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from recobra.console import reasons

REASONS: Final[dict[str, str | Promise]] = {
    "": _("Its turn has not come yet."),
    "no_point": _("There is no telephone, e-mail or address for the channels of the campaign."),
    "channel_not_open": _("The channel is not installed."),
    "no_template": _("There is no approved template for the channel."),
    "point_not_valid": _("The telephone, e-mail or address is not valid."),
    "opted_out": _("Asked not to be contacted."),
    "unknown": _("It is not known since when something is due."),
    "held": _("The debtor or the account is on hold."),
    "payment": _("Has paid a short while ago."),
    "promise": _("Has promised to pay."),
    "dispute": _("Has a dispute that is open."),
    "reply": _("Has answered a short while ago."),
    "planned_already": _("Another message goes to him or her that day."),
    "rate": _("There was no room at the rate of the provider."),
    "budget": _("The budget does not reach."),
    "budget_unkept": _("The budget cannot be kept at the prices of now: nothing goes."),
}
END_REASONS: Final[dict[str, str | Promise]] = {
    "dates": _("Its last day is over."),
    "budget": _("What is left of the budget pays for no further message."),
    "done": _("Everybody who could be written to was."),
    "by_hand": _("A person ended it."),
}
FINDINGS: Final[dict[str, tuple[str | Promise, str]]] = {
    "better": (_("More than without the message"), "good"),
    "worse": (_("Less than without the message"), "bad"),
    "no_difference": (_("No difference worth the name"), "quiet"),
    "not_enough": (_("Not enough yet to say"), "warn"),
}
MEASURES: Final[dict[str, str | Promise]] = {
    "sent": _("Message sent"),
    "delivered": _("Delivered"),
    "read": _("Read"),
    "clicked": _("Opened a link"),
    "replied": _("Answered"),
    "promised": _("Promised to pay"),
    "paid": _("Paid"),
}


def explain(reason: str) -> str:
    """Return the reason for which a debtor gets no message, in words."""
    return str(REASONS[reason]) if reason in REASONS else reasons.explain(reason)
