"""Reasons for the end of a contact, as keys that are stored and as sentences that people read.

The gate's own reasons are `recobra_core.law.SENTENCES`; these are the outbox's.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

PAYMENT: Final = "payment"
NOTHING_OWED: Final = "nothing_owed"
OPTED_OUT: Final = "opted_out"
CONSENT_WITHDRAWN: Final = "consent_withdrawn"
NO_CHANNEL: Final = "no_channel"
NO_TEMPLATE: Final = "no_template"
NOT_RENDERED: Final = "not_rendered"
REFUSED: Final = "refused"
UNREACHABLE: Final = "unreachable"
TOO_MANY_TRIES: Final = "too_many_tries"
LOST: Final = "lost"
DISPATCHER_DIED: Final = "dispatcher_died"
NOT_DELIVERED: Final = "not_delivered"
REPLANNED: Final = "replanned"
EXPIRED: Final = "expired"
REPLIED: Final = "replied"
TAKEN_OVER: Final = "taken_over"
HOLD: Final = "hold"
TAKEN_BACK: Final = "taken_back"
CAMPAIGN_PAUSED: Final = "campaign_paused"
CAMPAIGN_ENDED: Final = "campaign_ended"
RESTORED: Final = "restored"
JOINED: Final = "joined"
PREFERENCES: Final = "preferences"
POINT_RETIRED: Final = "point_retired"
PORTFOLIO_DISABLED: Final = "portfolio_disabled"

SENTENCES: Final = {
    PAYMENT: _("A payment was received."),
    NOTHING_OWED: _("Nothing that the message speaks of is owed any more."),
    OPTED_OUT: _("The debtor asked not to be contacted by this channel."),
    CONSENT_WITHDRAWN: _("The debtor no longer authorises this channel."),
    NO_CHANNEL: _("This channel is not installed."),
    NO_TEMPLATE: _("There is no template in force for this channel."),
    NOT_RENDERED: _("The template could not be filled in with the debtor's data."),
    REFUSED: _("The provider refused the message for good."),
    UNREACHABLE: _("The provider could not be reached."),
    TOO_MANY_TRIES: _("The provider put the message off too many times."),
    LOST: _("The connection was lost while the message was being handed over; it may have arrived."),
    DISPATCHER_DIED: _("The dispatcher stopped while it was handing the message over; it may have arrived."),
    EXPIRED: _("The plan was too old to be carried out: no cycle had looked at it for days."),
    REPLIED: _("The debtor wrote: the answer goes first."),
    TAKEN_OVER: _("A person took over the conversation before it was sent."),
    HOLD: _("The pursuit was paused before it was sent."),
    REPLANNED: _("A later day planned otherwise."),
    TAKEN_BACK: _("The plan of its day was taken back."),
    NOT_DELIVERED: _("It was found out that the message did not arrive."),
    CAMPAIGN_PAUSED: _("The campaign was paused."),
    CAMPAIGN_ENDED: _("The campaign ended before it was sent."),
    JOINED: _("The debtor was joined with another one, or parted from one: it is planned anew."),
    PREFERENCES: _("The debtor would rather be contacted otherwise: it is planned anew."),
    POINT_RETIRED: _("The number or address was corrected, taken out of use or found not to be the debtor's own."),
    PORTFOLIO_DISABLED: _("The portfolio was disabled: nobody is written to about it."),
    RESTORED: _("A backup was restored: it may have been sent already."),
}
