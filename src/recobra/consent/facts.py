"""Kinds of facts about what people wish for a number or address."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from recobra.journal.facts import Fact, fact


@fact("optout.received", _("The debtor asked for no more messages"))
class OptOutReceived(Fact):
    """A contact point is silent; `point_id` None where no debtor has the number yet."""

    point_id: int | None
    source: str


@fact("optout.resumed", _("The debtor asked for messages again"))
class OptOutResumed(Fact):
    """A contact point is silent no more."""

    point_id: int
    source: str


@fact("wrong_person.received", _("The number or address is somebody else's"))
class WrongPersonReceived(Fact):
    """A contact point is not its debtor's."""

    point_id: int
    source: str


@fact("consent.granted", _("Channel authorised"))
class ConsentGranted(Fact):
    """Messages by a channel were authorised for an address."""

    channel: str
    source: str


@fact("consent.withdrawn", _("Authorisation of a channel withdrawn"))
class ConsentWithdrawn(Fact):
    """Messages by a channel are no longer authorised for an address."""

    channel: str
    source: str


@fact("consent.file_loaded", _("File of consents loaded"))
class ConsentFileLoaded(Fact):
    """A list of consents was entered: rows, and what became of what they state about each number and channel."""

    rows: int
    rejected: int
    granted: int
    withdrawn: int
    known: int
    overtaken: int
