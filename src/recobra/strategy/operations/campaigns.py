"""Public writes of campaigns: draft, launch with fixed members, pause, resume, end. Each is a fact of the journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
from django.db import IntegrityError, transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from recobra.journal.operations import record
from recobra.kit import tables
from recobra.portfolio.models import Portfolio
from recobra.strategy import schedule
from recobra.strategy.models import Campaign

from .campaigns_day import (
    PAUSED,
    Status,
    finish_campaign,
    plan_campaign,
    plan_running_campaigns,
    withdraw_contacts,
)
from .campaigns_group import check_rule, survey_group
from .campaigns_preflight import MAX_DAYS, Preflight, preflight, spec_of

__all__ = [
    "CampaignDraft",
    "CampaignRefused",
    "Preflight",
    "end",
    "launch",
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


@dataclass(frozen=True, kw_only=True)
class CampaignDraft:
    """Fields of a campaign that a person writes. Budget in minor units of its currency, None without one."""

    code: str
    name: str
    portfolio_id: int
    rule: str
    template_code: str
    channels: tuple[str, ...]
    starts_on: date
    ends_on: date
    budget_minor: int | None = None
    budget_currency: str = ""
    control_bps: int = 1000


@transaction.atomic
def save_draft(
    *, draft: CampaignDraft, campaign_id: int | None = None, actor: str, actor_id: int | None, now: datetime
) -> Campaign:
    """Save a draft, new or changed. Raises CampaignRefused."""
    problems = _find_problems(draft)
    campaign = Campaign() if campaign_id is None else Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign_id is not None and campaign.status != Status.DRAFT:
        problems.append(_("A campaign that was launched is not changed any more."))
    if Campaign.objects.filter(code=draft.code).exclude(pk=campaign_id or 0).exists():
        problems.append(_("There is a campaign with this code already."))
    if problems:
        raise CampaignRefused(problems)
    for name in CampaignDraft.__dataclass_fields__:
        setattr(campaign, name, getattr(draft, name))
    campaign.channels = list(draft.channels)
    if campaign_id is None:
        campaign.created_at = now
        campaign.created_by = actor
        campaign.created_by_id = actor_id
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
    if rule_problem := check_rule(draft.rule, language=get_language() or "es"):
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


def launch(*, campaign_id: int, actor: str, actor_id: int | None, now: datetime) -> Preflight:
    """Fix the members and their arms, and plan today's messages; return the pre-flight. Raises CampaignRefused."""
    campaign = Campaign.objects.select_related("portfolio").get(pk=campaign_id)
    as_of = schedule.today(now)
    if campaign.status != Status.DRAFT:
        raise CampaignRefused([_("The campaign was launched already.")])
    result = preflight(campaign=campaign, as_of=as_of)
    if result.problems:
        raise CampaignRefused(result.problems)
    _fix_members(campaign_id, as_of=as_of, actor=actor, actor_id=actor_id, now=now)
    plan_campaign(campaign_id=campaign_id, as_of=as_of, now=now, actor=actor)
    return result


@transaction.atomic
def _fix_members(campaign_id: int, *, as_of: date, actor: str, actor_id: int | None, now: datetime) -> None:
    """Draw who of the group, as it is on a day, is treated and who is control, for the whole campaign."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign.status != Status.DRAFT:
        raise CampaignRefused([_("The campaign was launched already.")])
    with survey_group(spec_of(campaign), as_of=as_of) as group:
        members = group.members
    count = members.num_rows
    rows = pa.table(
        {
            "campaign_id": pa.array([campaign_id] * count, pa.int64()),
            "debtor_id": members["debtor_id"],
            "arm": pc.if_else(members["control"], "CONTROL", "TREATED"),
            "overdue_minor": members["overdue_minor"],
            "reason": pa.array([""] * count),
            "joined_at": pa.array([now] * count, pa.timestamp("us", tz="UTC")),
        }
    )
    tables.copy_in("strategy_campaignmember", rows)
    campaign.status = Status.RUNNING
    campaign.launched_at = now
    campaign.launched_by = actor
    campaign.save(update_fields=["status", "launched_at", "launched_by"])
    _record_fact(campaign, "campaign.launched", actor=actor, actor_id=actor_id, now=now, members=count)


@transaction.atomic
def pause(*, campaign_id: int, actor: str, actor_id: int | None, now: datetime) -> int:
    """Pause a campaign and cancel its contacts that have not been handed over; return how many."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign.status != Status.RUNNING:
        raise CampaignRefused([_("Only a running campaign can be paused.")])
    campaign.status = Status.PAUSED
    campaign.save(update_fields=["status"])
    cancelled = withdraw_contacts(campaign_id, reason=PAUSED, actor=actor, now=now)
    _record_fact(campaign, "campaign.paused", actor=actor, actor_id=actor_id, now=now, cancelled=cancelled)
    return cancelled


def resume(*, campaign_id: int, actor: str, actor_id: int | None, now: datetime) -> int:
    """Resume a paused campaign and plan today's messages again; return how many."""
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        if campaign.status != Status.PAUSED:
            raise CampaignRefused([_("Only a paused campaign can be resumed.")])
        campaign.status = Status.RUNNING
        campaign.save(update_fields=["status"])
        _record_fact(campaign, "campaign.launched", actor=actor, actor_id=actor_id, now=now, resumed=True)
    return plan_campaign(campaign_id=campaign_id, as_of=schedule.today(now), now=now, actor=actor)


def end(*, campaign_id: int, actor: str, actor_id: int | None, now: datetime) -> None:
    """End a campaign by hand. Raises CampaignRefused where it is neither running nor paused."""
    if not finish_campaign(campaign_id=campaign_id, reason=BY_HAND, actor=actor, actor_id=actor_id, now=now):
        raise CampaignRefused([_("Only a campaign that is on its way can be ended.")])


def _record_fact(
    campaign: Campaign, kind: str, *, actor: str, actor_id: int | None, now: datetime, **payload: object
) -> None:
    """Record a fact about a campaign; `payload` is added to its code."""
    record(
        kind,
        at=now,
        actor=actor,
        actor_id=actor_id,
        portfolio_id=campaign.portfolio_id,
        payload={"campaign": campaign.code, **payload},
    )
