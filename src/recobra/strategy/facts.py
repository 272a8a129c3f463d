"""Kinds of facts about strategies, the daily cycle, changes of stage and campaigns."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from recobra.journal.facts import Fact, fact


@fact("stage.changed", _("Stage changed"))
class StageChanged(Fact):
    """An account passed from one stage to another, `dpd` days past due, None where that is not known."""

    from_stage: Annotated[str | None, Field(alias="from")]
    to_stage: Annotated[str, Field(alias="to")]
    dpd: int | None


@fact("cycle.run", _("Daily cycle run"))
class CycleFinished(Fact):
    """The cycle of a day has run to its end."""

    run_id: int
    as_of: date


@fact("cycle.taken_back", _("Plan of a day taken back"))
class DayTakenBack(Fact):
    """The plan of a day was undone: so many contacts, tasks and holds, and states of accounts."""

    as_of: date
    contacts: int
    tasks: int
    holds: int
    states: int
    campaigns: int


@fact("group.saved", _("Saved group written"))
class GroupSaved(Fact):
    """A version of a saved group is in force in the place of the one before."""

    code: str
    version: int


@fact("group.retired", _("Saved group taken out of use"))
class GroupRetired(Fact):
    """A saved group can no longer be chosen."""

    code: str
    version: int


@fact("strategy.draft_saved", _("Strategy draft saved"))
class StrategyDraftSaved(Fact):
    """A strategy has another draft."""

    code: str
    number: int
    version_id: int


@fact("strategy.published", _("Strategy published"))
class StrategyPublished(Fact):
    """A version of a strategy is in force."""

    code: str
    number: int
    version_id: int


@fact("strategy.retired", _("Strategy retired"))
class StrategyRetired(Fact):
    """A version of a strategy was taken out of force, and none took its place."""

    code: str
    number: int
    version_id: int


@fact("strategy.assigned", _("Strategy assigned to a portfolio"))
class StrategyAssigned(Fact):
    """A portfolio follows the strategy of this code from the next cycle on."""

    code: str


@fact("campaign.launched", _("Campaign launched or resumed"))
class CampaignLaunched(Fact):
    """A campaign began with its members, None where it was resumed."""

    campaign: str
    members: int | None = None
    resumed: bool = False


@fact("campaign.paused", _("Campaign paused"))
class CampaignPaused(Fact):
    """A campaign stands still; so many of its contacts were taken back."""

    campaign: str
    cancelled: int


@fact("campaign.ended", _("Campaign ended"))
class CampaignEnded(Fact):
    """A campaign is over; the reason is a word of `operations.campaigns_day`, or «by_hand»."""

    campaign: str
    reason: str
