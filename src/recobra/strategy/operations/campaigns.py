"""Campaigns: draft, launched with fixed members, paused, resumed, ended. Who and when is a fact of the journal."""

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
BY_HAND = "by_hand"
CHANNELS = ("email", "sms", "whatsapp", "ivr", "letter")
MAX_CONTROL_BPS = 9000


class CampaignRefused(Exception):
    """The campaign cannot be saved or does not allow this now; `problems` are shown as they are."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


@dataclass(frozen=True, kw_only=True)
class CampaignDraft:
    """What a person writes of a campaign. Budget in minor units of its currency, None without one."""

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
    *, written: CampaignDraft, campaign_id: int | None = None, actor: str, actor_id: int | None, now: datetime
) -> Campaign:
    """Keep a draft, new or changed. Raises CampaignRefused."""
    problems = _find_problems(written)
    campaign = Campaign() if campaign_id is None else Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign_id is not None and campaign.status != Status.DRAFT:
        problems.append(_("A campaign that was launched is not changed any more."))
    if Campaign.objects.filter(code=written.code).exclude(pk=campaign_id or 0).exists():
        problems.append(_("There is a campaign with this code already."))
    if problems:
        raise CampaignRefused(problems)
    for name in CampaignDraft.__dataclass_fields__:
        setattr(campaign, name, getattr(written, name))
    campaign.channels = list(written.channels)
    if campaign_id is None:
        campaign.created_at, campaign.created_by, campaign.created_by_id = now, actor, actor_id
    try:
        with transaction.atomic():
            campaign.save()
    except IntegrityError as twice:
        raise CampaignRefused([_("There is a campaign with this code already.")]) from twice
    return campaign


def _find_problems(written: CampaignDraft) -> list[str]:
    problems = []
    if not written.name.strip():
        problems.append(_("The campaign needs a name."))
    if not Portfolio.objects.filter(pk=written.portfolio_id).exists():
        problems.append(_("Choose a portfolio."))
    if wrong := check_rule(written.rule, language=get_language() or "es"):
        problems.append(wrong)
    if not written.channels or set(written.channels) - set(CHANNELS):
        problems.append(_("Choose at least one channel."))
    if not written.template_code:
        problems.append(_("Choose a template."))
    if written.ends_on < written.starts_on:
        problems.append(_("The last day lies before the first."))
    elif (written.ends_on - written.starts_on).days >= MAX_DAYS:
        problems.append(_("A campaign lasts %(days)d days at most.") % {"days": MAX_DAYS})
    if not 0 <= written.control_bps <= MAX_CONTROL_BPS:
        problems.append(_("The control group is at most 90 %."))
    if written.budget_minor is not None and (written.budget_minor <= 0 or not written.budget_currency):
        problems.append(_("A budget is more than nothing and has a currency."))
    return problems


def launch(*, campaign_id: int, actor: str, actor_id: int | None, now: datetime) -> Preflight:
    """Fix the members and their arms, and plan today's messages. Raises CampaignRefused with what is wrong.

    Returns the pre-flight on which it was launched.
    """
    campaign = Campaign.objects.select_related("portfolio").get(pk=campaign_id)
    as_of = schedule.today(now)
    if campaign.status != Status.DRAFT:
        raise CampaignRefused([_("The campaign was launched already.")])
    found = preflight(campaign=campaign, as_of=as_of)
    if found.problems:
        raise CampaignRefused(found.problems)
    _fix_members(campaign_id, as_of=as_of, actor=actor, actor_id=actor_id, now=now)
    plan_campaign(campaign_id=campaign_id, as_of=as_of, now=now, actor=actor)
    return found


@transaction.atomic
def _fix_members(campaign_id: int, *, as_of: date, actor: str, actor_id: int | None, now: datetime) -> None:
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
    campaign.status, campaign.launched_at, campaign.launched_by = Status.RUNNING, now, actor
    campaign.save(update_fields=["status", "launched_at", "launched_by"])
    _record_fact(campaign, "campaign.launched", actor=actor, actor_id=actor_id, now=now, members=count)


@transaction.atomic
def pause(*, campaign_id: int, actor: str, actor_id: int | None, now: datetime) -> int:
    """Stop a campaign and take back what is planned and not handed over; return how many contacts that was."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign.status != Status.RUNNING:
        raise CampaignRefused([_("Only a running campaign can be paused.")])
    campaign.status = Status.PAUSED
    campaign.save(update_fields=["status"])
    taken = withdraw_contacts(campaign_id, reason=PAUSED, actor=actor, now=now)
    _record_fact(campaign, "campaign.paused", actor=actor, actor_id=actor_id, now=now, cancelled=taken)
    return taken


def resume(*, campaign_id: int, actor: str, actor_id: int | None, now: datetime) -> int:
    """Let a paused campaign go on and plan today's messages again; return how many."""
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
        if campaign.status != Status.PAUSED:
            raise CampaignRefused([_("Only a paused campaign can be resumed.")])
        campaign.status = Status.RUNNING
        campaign.save(update_fields=["status"])
        _record_fact(campaign, "campaign.launched", actor=actor, actor_id=actor_id, now=now, resumed=True)
    return plan_campaign(campaign_id=campaign_id, as_of=schedule.today(now), now=now, actor=actor)


def end(*, campaign_id: int, actor: str, actor_id: int | None, now: datetime) -> None:
    """End a campaign by hand. Raises CampaignRefused where it is not on its way."""
    if not finish_campaign(campaign_id=campaign_id, reason=BY_HAND, actor=actor, actor_id=actor_id, now=now):
        raise CampaignRefused([_("Only a campaign that is on its way can be ended.")])


def _record_fact(
    campaign: Campaign, kind: str, *, actor: str, actor_id: int | None, now: datetime, **payload: object
) -> None:
    record(
        kind,
        at=now,
        actor=actor,
        actor_id=actor_id,
        portfolio_id=campaign.portfolio_id,
        payload={"campaign": campaign.code, **payload},
    )
