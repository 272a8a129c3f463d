"""Messages of a campaign on a day: to the treated who got none yet, within the law, the rate and the budget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, Q

from recobra.access.actors import Actor, Service, service_actor
from recobra.access.permissions import consequence
from recobra.journal.operations import record_fact
from recobra.journal.sql import debtors_with_facts_since, latest_entry_id
from recobra.kit import tables
from recobra.messaging import operations as messaging
from recobra.messaging import reasons as contact_reasons
from recobra.messaging.models import Contact
from recobra.strategy.deciding_facts import DECIDING_FACTS
from recobra.strategy.facts import CampaignEnded
from recobra.strategy.freshness import is_fresh
from recobra.strategy.models import Campaign, CampaignMember

from .campaigns_group import STEP, GroupSurvey, MessagePrice, message_prices, survey_group
from .campaigns_preflight import (
    NO_WAY,
    WAITS_TURN,
    budget_left,
    budget_problems,
    is_exhausted,
    select_affordable,
    sort_by_debt,
    spec_of,
)
from .commit import block_decisions
from .outbox_rows import INSTANT, build_outbox_rows, in_utc

Status = Campaign.Status
# Stored as the reason why a campaign ended.
BY_DATE = "dates"
BY_BUDGET = "budget"
ALL_WRITTEN = "done"
# Stored as the reason why a member waits.
WAITS_BUDGET = "budget"
WAITS_ROOM = "rate"
WAITS_PRICES = "budget_unkept"

_UNSENT = (Contact.Status.DUE, Contact.Status.LEASED)
_LINK_CONTACTS = """
    UPDATE strategy_campaignmember member SET contact_id = planned.contact_id, reason = ''
    FROM unnest(%s::bigint[], %s::bigint[]) AS planned(debtor_id, contact_id)
    WHERE member.campaign_id = %s AND member.debtor_id = planned.debtor_id"""
_WRITE_REASONS = """
    UPDATE strategy_campaignmember member SET reason = waiting.reason
    FROM unnest(%s::bigint[], %s::text[]) AS waiting(debtor_id, reason)
    WHERE member.campaign_id = %s AND member.debtor_id = waiting.debtor_id AND member.reason <> waiting.reason"""


@consequence
def plan_running_campaigns(*, as_of: date, actor: Actor) -> int:
    """Plan the day of every running campaign and end those that are over; return how many contacts were planned.

    Planning a day again plans only for debtors who have no message yet.
    """
    running = Campaign.objects.filter(status=Status.RUNNING).order_by("launched_at", "pk")
    return sum(plan_campaign(campaign_id=pk, as_of=as_of, actor=actor) for pk in running.values_list("pk", flat=True))


@consequence
def plan_campaign(*, campaign_id: int, as_of: date, actor: Actor) -> int:
    """Plan one campaign's messages of a day; return how many."""
    campaign = Campaign.objects.select_related("portfolio").get(pk=campaign_id)
    if campaign.status != Status.RUNNING or as_of < campaign.starts_on:
        return 0
    if as_of > campaign.ends_on:
        finish_campaign(campaign_id=campaign_id, reason=BY_DATE, actor=actor)
        return 0
    pending = pending_debtors(campaign_id)
    if not pending:
        # Everybody has been written to; it is over once nothing waits to be handed over.
        if not Contact.objects.filter(campaign_id=campaign_id, status__in=_UNSENT).exists():
            finish_campaign(campaign_id=campaign_id, reason=ALL_WRITTEN, actor=actor)
        return 0
    if not is_fresh(campaign.portfolio_id, day=as_of):
        return 0
    # Before the group is read: a fact that is recorded meanwhile must look newer.
    snapshot_entry_id = latest_entry_id()
    with survey_group(spec_of(campaign), as_of=as_of, debtor_ids=pending) as group:
        candidates = group.candidates
        if candidates.num_rows:
            candidates = candidates.filter(pc.is_in(candidates["debtor_id"], pa.array(pending, pa.int64())))
        judged = sort_by_debt(group.judge(candidates, day=as_of), members=group.members)
        return _commit_messages(campaign, group, judged, pending, snapshot_entry_id=snapshot_entry_id, actor=actor)


def pending_debtors(campaign_id: int) -> list[int]:
    """Return the treated debtors who have not been written to, by id."""
    treated = CampaignMember.objects.filter(campaign=campaign_id, arm=CampaignMember.Arm.TREATED)
    # A contact that was cancelled or blocked is planned again, and one that a point out of use could not receive.
    contacts = Contact.objects.filter(pk=OuterRef("contact_id"))
    ended = contacts.filter(status__in=[Contact.Status.BLOCKED, Contact.Status.CANCELLED])
    pending = treated.filter(Q(contact_id__isnull=True) | Exists(ended) | Exists(contacts.undeliverable()))
    return list(pending.order_by("debtor_id").values_list("debtor_id", flat=True))


def spent_by_currency(campaign: Campaign) -> dict[str, int]:
    """Return what the messages sent and planned cost at most, in micros by currency."""
    return _sum_costs(campaign, lambda price: price.micros)


def _least_spent_by_currency(campaign: Campaign) -> dict[str, int]:
    """Return what the messages sent and planned cost at least, in micros by currency."""
    return _sum_costs(campaign, lambda price: price.least)


def _sum_costs(campaign: Campaign, unit_cost: Callable[[MessagePrice], int | None]) -> dict[str, int]:
    """Add up the cost of the messages sent and planned, in micros by currency; an unknown cost counts as nothing."""
    prices = message_prices(campaign.channels, country=campaign.portfolio.country)
    contacts = Contact.objects.filter(campaign_id=campaign.pk)
    counted = contacts.filter(status__in=[*_UNSENT, Contact.Status.SENT, Contact.Status.UNCERTAIN])
    rows = counted.values_list("channel", "status", "price_micros", "price_currency").annotate(count=Count("pk"))
    total: defaultdict[str, int] = defaultdict(int)
    for channel, status, micros, currency, count in rows:
        is_waiting = status in _UNSENT
        price = MessagePrice(channel=channel, micros=micros, least=micros, currency=currency)
        # One that has not left, or has no price of its own, may leave by the dearest provider or by the cheapest.
        current_price = prices.get(channel)
        if (is_waiting or micros is None) and current_price is not None and current_price.micros is not None:
            price = current_price
        unit_micros = unit_cost(price)
        if unit_micros is not None:
            total[price.currency] += count * unit_micros
    return dict(total)


def current_budget_problems(campaign: Campaign) -> list[str]:
    """Return why the budget of an active campaign cannot be kept any more; while there is a reason, nothing is sent."""
    prices = message_prices(campaign.channels, country=campaign.portfolio.country)
    return budget_problems(campaign, prices=prices, spent=spent_by_currency(campaign))


def _remaining_budget(campaign: Campaign, spent: Mapping[str, int]) -> int | None:
    """Return what is left of the budget once some micros by currency are spent; None without a budget."""
    return budget_left(campaign, spent_micros=spent.get(campaign.budget_currency, 0))


@transaction.atomic
def _commit_messages(
    campaign: Campaign,
    group: GroupSurvey,
    judged: pa.Table,
    pending: list[int],
    *,
    snapshot_entry_id: int,
    actor: Actor,
) -> int:
    """Write the messages of a day, and for every other pending debtor why it waits; return how many messages.

    `judged` are the rows of `GroupSurvey.judge`, the largest debts first. Debtors about whom a deciding fact was
    recorded after `snapshot_entry_id` wait for another day.
    """
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    # A person may have paused the campaign while its group was read.
    if locked.status != Status.RUNNING:
        return 0
    # A fact of a transaction still open is seen below, once it has ended.
    block_decisions()
    newer_facts = debtors_with_facts_since(snapshot_entry_id, kinds=DECIDING_FACTS, debtor_ids=pending)
    contacted = Contact.objects.filter(tables.is_any_of("debtor_id", pending)).occupying(group.as_of)
    decided = {*newer_facts["debtor_id"].to_pylist(), *contacted.values_list("debtor_id", flat=True), *group.planned}
    still_pending = set(pending_debtors(campaign.pk))
    prices = message_prices(campaign.channels, country=campaign.portfolio.country)
    spent = spent_by_currency(campaign)
    # A budget whose prices have become unknown or foreign since the launch cannot be kept: nothing goes.
    is_budget_kept = not budget_problems(campaign, prices=prices, spent=spent)
    contact_ids: dict[int, int] = {}
    if is_budget_kept and judged.num_rows:
        free_ids = pa.array(sorted(still_pending - decided), pa.int64())
        allowed = judged.filter(pc.and_(judged["allowed"], pc.is_in(judged["debtor_id"], free_ids)))
        debtor_ids, _cost = select_affordable(allowed, prices=prices, left_micros=_remaining_budget(campaign, spent))
        chosen = allowed.filter(pc.is_in(allowed["debtor_id"], pa.array(debtor_ids, pa.int64())))
        contact_ids = _plan_contacts(campaign, group, chosen, actor.now)
    if is_budget_kept:
        left_micros = _remaining_budget(campaign, spent_by_currency(campaign))
        missing = {channel: _missing_resource(channel, prices, left_micros) for channel in campaign.channels}
    else:
        missing = dict.fromkeys(campaign.channels, WAITS_PRICES)
    reasons = _waiting_reasons(group, judged, pending, decided, missing=missing)
    waiting = {pk: reason for pk, reason in reasons.items() if pk not in contact_ids}
    with connection.cursor() as cursor:
        cursor.execute(_LINK_CONTACTS, [list(contact_ids), list(contact_ids.values()), campaign.pk])
        cursor.execute(_WRITE_REASONS, [list(waiting), list(waiting.values()), campaign.pk])
    waiting_ids = [pk for pk in pending if pk in still_pending and pk not in contact_ids]
    channels = _channels_of_waiting(judged, waiting_ids, prices)
    if channels and is_budget_kept:
        # What is planned may yet leave by a cheaper provider, and pay for more.
        most_left_micros = _remaining_budget(campaign, _least_spent_by_currency(campaign))
        if is_exhausted(most_left_micros, channels=channels, prices=prices):
            _end_campaign(locked, reason=BY_BUDGET, actor=actor)
    return len(contact_ids)


def _plan_contacts(campaign: Campaign, group: GroupSurvey, chosen: pa.Table, now: datetime) -> dict[int, int]:
    """Put a contact for each of the chosen debtors into the outbox; return the ids of contacts by debtor."""
    if chosen.num_rows == 0:
        return {}
    created = messaging.plan_contacts(
        contacts=_outbox_rows(campaign, group, chosen, now), actor=service_actor(Service.CYCLE, now=now)
    )
    return dict(zip(created["debtor_id"].to_pylist(), created["contact_id"].to_pylist(), strict=True))


def _missing_resource(channel: str, prices: Mapping[str, MessagePrice], left_micros: int | None) -> str:
    """Return what was missing for a message that the law allowed: money, or hours of the day at the channel's rate."""
    if channel in prices and is_exhausted(left_micros, channels=[channel], prices=prices):
        return WAITS_BUDGET
    return WAITS_ROOM


def _channels_of_waiting(judged: pa.Table, debtor_ids: list[int], prices: Mapping[str, MessagePrice]) -> set[str]:
    """Return the channels by which debtors may yet be written to; all of them where somebody has none today."""
    channel_by_debtor: dict[int, str] = {}
    if judged.num_rows:
        channel_by_debtor = dict(zip(judged["debtor_id"].to_pylist(), judged["channel"].to_pylist(), strict=True))
    channels = set()
    for debtor_id in debtor_ids:
        channel = channel_by_debtor.get(debtor_id)
        if channel is None:
            return set(prices)
        channels.add(channel)
    return channels


def _waiting_reasons(
    group: GroupSurvey,
    judged: pa.Table,
    pending: list[int],
    decided: set[int],
    *,
    missing: Mapping[str, str],
) -> dict[int, str]:
    """Return why each of the pending debtors would not be written to today.

    `missing` says of each channel what was missing for a message that the law allowed. `decided` are the debtors who
    wait because something else has happened to them.
    """
    reasons = dict.fromkeys(pending, NO_WAY)
    for table in (group.silent, group.unreachable):
        for row in table.to_pylist():
            if row["debtor_id"] in reasons:
                reasons[row["debtor_id"]] = row["reason"]
    if judged.num_rows:
        for row in judged.select(["debtor_id", "channel", "allowed", "reason"]).to_pylist():
            reasons[row["debtor_id"]] = missing[row["channel"]] if row["allowed"] else row["reason"] or ""
    for debtor_id in decided:
        if debtor_id in reasons:
            reasons[debtor_id] = WAITS_TURN
    return reasons


def _outbox_rows(campaign: Campaign, group: GroupSurvey, chosen: pa.Table, now: datetime) -> pa.Table:
    """Return judged rows as the contacts that `messaging.plan_contacts` takes."""
    # Launched at noon, a window that opened in the morning is due now.
    opens_at = in_utc(chosen["due_at"])
    due_at = pc.if_else(pc.less(opens_at, pa.scalar(now, INSTANT)), pa.scalar(now, INSTANT), opens_at)
    constants = {
        "portfolio_id": campaign.portfolio_id,
        "template_code": campaign.template_code,
        "strategy_version_id": None,
        "step_key": STEP,
        "purpose": group.purpose,
        "campaign_id": campaign.pk,
    }
    return build_outbox_rows(chosen, as_of=group.as_of, now=now, due_at=due_at, constants=constants)


@consequence
@transaction.atomic
def finish_campaign(*, campaign_id: int, reason: str, actor: Actor) -> bool:
    """End a campaign and cancel what waits to be sent; return False where it had ended already."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign.status not in {Status.RUNNING, Status.PAUSED}:
        return False
    withdraw_contacts(campaign_id, reason=contact_reasons.CAMPAIGN_ENDED, actor=actor)
    _end_campaign(campaign, reason=reason, actor=actor)
    return True


def _end_campaign(campaign: Campaign, *, reason: str, actor: Actor) -> None:
    """End a campaign; messages that are planned already are still sent."""
    campaign.status = Status.ENDED
    campaign.reason = reason
    campaign.ended_at = actor.now
    campaign.save(update_fields=["status", "reason", "ended_at"])
    ended = CampaignEnded(campaign=campaign.code, reason=reason)
    record_fact(ended, actor=actor, portfolio_id=campaign.portfolio_id)


@consequence
def withdraw_contacts(campaign_id: int, *, reason: str, actor: Actor) -> int:
    """Cancel the contacts of a campaign that have not been handed over; return how many."""
    unsent = Contact.objects.filter(campaign_id=campaign_id, status__in=_UNSENT).values_list("pk", flat=True)
    return messaging.withdraw_contacts(contact_ids=list(unsent), reason=reason, actor=actor)
