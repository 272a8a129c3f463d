"""Public writes of campaigns: draft, launch with fixed members, pause, resume, end. Each is a fact of the journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from hashlib import sha256

import pyarrow as pa
import pyarrow.compute as pc
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.kit import tables
from recobra.kit.typeset.signature import canonical_json
from recobra.messaging import reasons
from recobra.portfolio.models import Portfolio
from recobra.portfolio.scope import check_portfolio
from recobra.strategy import schedule
from recobra.strategy.facts import CampaignLaunched, CampaignPaused
from recobra.strategy.models import Campaign

from .campaigns_day import (
    Status,
    finish_campaign,
    plan_campaign,
    plan_running_campaigns,
    withdraw_contacts,
)
from .campaigns_group import check_rule
from .campaigns_preflight import MAX_DAYS, Preflight, preflight

__all__ = [
    "CampaignChanged",
    "CampaignDraft",
    "CampaignRefused",
    "Preflight",
    "end",
    "launch",
    "mark_of",
    "pause",
    "plan_campaign",
    "plan_running_campaigns",
    "preflight",
    "resume",
    "save_draft",
]
BY_HAND = "by_hand"  # stored as the reason why a campaign ended
CHANNELS = ("email", "sms", "whatsapp", "ivr", "letter")
MAX_CONTROL_BPS = 9000


class CampaignRefused(Exception):
    """The campaign cannot be saved or does not allow this now; `problems` are shown as they are."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


class CampaignChanged(CampaignRefused):
    """Somebody else has changed the draft since it was looked at."""


@dataclass(frozen=True, kw_only=True)
class CampaignDraft:
    """Fields of a campaign that a person writes. Budget in minor units of its currency, None without one."""

    code: str
    name: str
    portfolio_id: int
    rule: str
    from_group: str = ""
    template_code: str
    channels: tuple[str, ...]
    starts_on: date
    ends_on: date
    budget_minor: int | None = None
    budget_currency: str = ""
    control_bps: int = 1000


def mark_of(campaign: Campaign) -> str:
    """Return a mark that is another one whenever the draft of a campaign was changed."""
    fields = {name: str(getattr(campaign, name)) for name in CampaignDraft.__dataclass_fields__}
    return sha256(canonical_json(fields)).hexdigest()


@requires(Right.RUN_CAMPAIGNS)
@transaction.atomic
def save_draft(
    *, draft: CampaignDraft, campaign_id: int | None = None, seen: str | None = None, actor: Actor
) -> Campaign:
    """Save a draft, new or changed. Raises CampaignRefused.

    `seen` is the draft's `mark_of` when the change was begun. Raises CampaignChanged where it is another one by now.
    """
    problems = _find_problems(draft)
    campaign = Campaign() if campaign_id is None else Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign_id is not None:
        check_portfolio(actor, campaign.portfolio_id)
    if campaign_id is not None and campaign.status != Status.DRAFT:
        problems.append(_("A campaign that was launched is not changed any more."))
    elif campaign_id is not None and seen is not None and seen != mark_of(campaign):
        text = _("This draft was changed while you were writing. Save again to put yours in its place.")
        raise CampaignChanged([text])
    if Campaign.objects.filter(code=draft.code).exclude(pk=campaign_id or 0).exists():
        problems.append(_("There is a campaign with this code already."))
    if problems:
        raise CampaignRefused(problems)
    check_portfolio(actor, draft.portfolio_id)
    for name in CampaignDraft.__dataclass_fields__:
        setattr(campaign, name, getattr(draft, name))
    campaign.channels = list(draft.channels)
    if campaign_id is None:
        campaign.created_at = actor.now
        campaign.created_by = actor.name
        campaign.created_by_id = actor.user_id
    try:
        with transaction.atomic():
            campaign.save()
    except IntegrityError as error:  # somebody else saved the same code meanwhile
        raise CampaignRefused([_("There is a campaign with this code already.")]) from error
    return campaign


def _find_problems(draft: CampaignDraft) -> list[str]:
    """Return what is wrong with the fields of a draft, as sentences for the person who wrote it."""
    problems = []
    if not draft.name.strip():
        problems.append(_("The campaign needs a name."))
    if not Portfolio.objects.filter(pk=draft.portfolio_id).exists():
        problems.append(_("Choose a portfolio."))
    if rule_problem := check_rule(draft.rule):
        problems.append(rule_problem)
    if not draft.channels or set(draft.channels) - set(CHANNELS):
        problems.append(_("Choose at least one channel."))
    if not draft.template_code:
        problems.append(_("Choose a template."))
    if draft.ends_on < draft.starts_on:
        problems.append(_("The last day lies before the first."))
    elif (draft.ends_on - draft.starts_on).days >= MAX_DAYS:
        problems.append(_("A campaign lasts %(days)d days at most.") % {"days": MAX_DAYS})
    if not 0 <= draft.control_bps <= MAX_CONTROL_BPS:
        problems.append(_("The control group is at most 90 %."))
    if draft.budget_minor is not None and (draft.budget_minor <= 0 or not draft.budget_currency):
        problems.append(_("A budget is more than nothing and has a currency."))
    return problems


@requires(Right.RUN_CAMPAIGNS)
def launch(*, campaign_id: int, seen: str | None = None, actor: Actor) -> Preflight:
    """Fix the members and their arms, and plan today's messages; return the pre-flight. Raises CampaignRefused.

    `seen` is the draft's `mark_of` at the pre-flight that was looked at: nobody launches what was changed since.
    """
    as_of = schedule.today(actor.now)
    with transaction.atomic():
        # Locked from the start: the members are those of the pre-flight, so nobody may change the draft after it.
        campaign = Campaign.objects.select_for_update(of=("self",)).select_related("portfolio").get(pk=campaign_id)
        check_portfolio(actor, campaign.portfolio_id)
        if campaign.status != Status.DRAFT:
            raise CampaignRefused([_("The campaign was launched already.")])
        if seen is not None and seen != mark_of(campaign):
            text = _("This draft was changed meanwhile. Look at its pre-flight again before you launch it.")
            raise CampaignChanged([text])
        result = preflight(campaign=campaign, as_of=as_of)
        if result.problems:
            raise CampaignRefused(result.problems)
        _fix_members(campaign, result.members, actor=actor)
    plan_campaign(campaign_id=campaign_id, as_of=as_of, actor=actor)
    return result


def _fix_members(campaign: Campaign, members: pa.Table, *, actor: Actor) -> None:
    """Draw who of the group of a pre-flight is treated and who is control, for the whole campaign."""
    count = members.num_rows
    rows = pa.table(
        {
            "campaign_id": pa.array([campaign.pk] * count, pa.int64()),
            "debtor_id": members["debtor_id"],
            "arm": pc.if_else(members["control"], "CONTROL", "TREATED"),
            "overdue_minor": members["overdue_minor"],
            "reason": pa.array([""] * count),
            "joined_at": pa.array([actor.now] * count, pa.timestamp("us", tz="UTC")),
        }
    )
    tables.copy_in("strategy_campaignmember", rows)
    campaign.status = Status.RUNNING
    campaign.launched_at = actor.now
    campaign.launched_by = actor.name
    campaign.save(update_fields=["status", "launched_at", "launched_by"])
    launched = CampaignLaunched(campaign=campaign.code, members=count)
    record_fact(launched, actor=actor, portfolio_id=campaign.portfolio_id)


@requires(Right.RUN_CAMPAIGNS)
@transaction.atomic
def pause(*, campaign_id: int, actor: Actor) -> int:
    """Pause a campaign and cancel its contacts that have not been handed over; return how many."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    check_portfolio(actor, campaign.portfolio_id)
    if campaign.status != Status.RUNNING:
        raise CampaignRefused([_("Only a running campaign can be paused.")])
    campaign.status = Status.PAUSED
    campaign.save(update_fields=["status"])
    cancelled = withdraw_contacts(campaign_id, reason=reasons.CAMPAIGN_PAUSED, actor=actor)
    paused = CampaignPaused(campaign=campaign.code, cancelled=cancelled)
    record_fact(paused, actor=actor, portfolio_id=campaign.portfolio_id)
    return cancelled


@requires(Right.RUN_CAMPAIGNS)
def resume(*, campaign_id: int, actor: Actor) -> int:
    """Resume a paused campaign and plan today's messages again; return how many."""
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        check_portfolio(actor, campaign.portfolio_id)
        if campaign.status != Status.PAUSED:
            raise CampaignRefused([_("Only a paused campaign can be resumed.")])
        campaign.status = Status.RUNNING
        campaign.save(update_fields=["status"])
        resumed = CampaignLaunched(campaign=campaign.code, resumed=True)
        record_fact(resumed, actor=actor, portfolio_id=campaign.portfolio_id)
    return plan_campaign(campaign_id=campaign_id, as_of=schedule.today(actor.now), actor=actor)


@requires(Right.RUN_CAMPAIGNS)
def end(*, campaign_id: int, actor: Actor) -> None:
    """End a campaign by hand. Raises CampaignRefused where it is neither running nor paused."""
    check_portfolio(actor, Campaign.objects.get(pk=campaign_id).portfolio_id)
    if not finish_campaign(campaign_id=campaign_id, reason=BY_HAND, actor=actor):
        raise CampaignRefused([_("Only a campaign that is on its way can be ended.")])
