"""Reasons for which a contact was blocked or ended: the sentences of the gate and the outbox, translated."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext, gettext_noop

from recobra.messaging import reasons
from recobra_core.law import SENTENCES

# The core knows no gettext: its sentences are repeated here for the catalogue, and a test compares them.
GATE: Final = frozenset(
    {
        gettext_noop("The law bars this channel for collection."),
        gettext_noop("The debtor asked not to be contacted by this channel."),
        gettext_noop("It is not known whether the debtor asked not to be contacted."),
        gettext_noop("The debtor denied this channel, or the law wants an authorisation that is missing."),
        gettext_noop("The debtor or the account is on hold."),
        gettext_noop("It is not known whether the debtor is on hold."),
        gettext_noop("The telephone, address or e-mail is not valid."),
        gettext_noop("It is not known whether the telephone, address or e-mail is valid."),
        gettext_noop("Debtor or creditor are missing, so earlier contacts cannot be counted."),
        gettext_noop("There are no contact rules for this country."),
        gettext_noop("The state or region is not known."),
        gettext_noop("The channel is not known."),
        gettext_noop("The day of the contact is not known."),
        gettext_noop("The hour of the contact is not known."),
        gettext_noop("The time zone is not known."),
        gettext_noop("No rule is known for that day."),
        gettext_noop("There is no holiday calendar for that year."),
        gettext_noop("The opening hours of that day were not computed."),
        gettext_noop("No contact on this day of the week."),
        gettext_noop("No contact on a holiday."),
        gettext_noop("No hour is open in every zone where the debtor may live."),
        gettext_noop("Outside the hours of contact."),
        gettext_noop("The limit of contacts in a day is reached."),
        gettext_noop("The limit of contacts in a week is reached."),
        gettext_noop("Too few days since the last contact."),
        gettext_noop("Another channel was used this week already."),
        gettext_noop("Too few days since the last conversation."),
        gettext_noop("This person owes nothing and guarantees nothing: no contact with third parties."),
        gettext_noop("In the stage of the debt this is not done."),
        gettext_noop("It is not known in which stage the debt is, and in one of them this is not done."),
        gettext_noop("It is not known whose telephone, address or e-mail it is."),
        gettext_noop("No contact at the debtor's work."),
        gettext_noop("The telephone, address or e-mail belongs to another person."),
        gettext_noop("What was stated about the telephone, address or e-mail is not known."),
        gettext_noop("The purpose of the contact is not known."),
        gettext_noop("The debt is past its limitation, and the law bars its collection."),
        gettext_noop("It is not known since when the debt is due, so it may be past its limitation."),
        gettext_noop("The debtor has not agreed to receive offers."),
        gettext_noop("The law stops collection for this reason."),
        gettext_noop("The company makes no visits."),
        gettext_noop("The company does not use this channel."),
        gettext_noop("The company contacts nobody on this day."),
        gettext_noop("Outside the company's hours of contact."),
        gettext_noop("The debt is older than the company collects."),
        gettext_noop("The limit of contacts in a month is reached."),
        gettext_noop("The company's rules for this contact were not given."),
    }
)


def explain(key: str) -> str:
    """Return the sentence of a reason; an unknown reason as it is."""
    if key in reasons.SENTENCES:
        return str(reasons.SENTENCES[key])
    if key in SENTENCES:
        return gettext(SENTENCES[key])
    return key
