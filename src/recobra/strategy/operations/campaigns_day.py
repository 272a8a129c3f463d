"""Plan a campaign's messages of a day: of the treated who got none yet, within the law, the rate and the budget."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, datetime

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from recobra.journal.operations import record
from recobra.messaging import operations as messaging
from recobra.strategy.models import Campaign

from .campaigns_group import STEP, GroupSurvey, MessagePrice, is_fresh, message_prices, survey_group
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
from .commit import latest_entry_id

Status = Campaign.Status
PAUSED, ENDED = "campaign_paused", "campaign_ended"
BY_DATE, BY_BUDGET, ALL_WRITTEN = "dates", "budget", "done"
WAITS_BUDGET, WAITS_ROOM, WAITS_PRICES = "budget", "rate", "budget_unkept"

# What was taken back or refused is planned again; what a number or address that is out of use could not receive too.
_PENDING = """
    SELECT m.debtor_id FROM strategy_campaignmember m
    LEFT JOIN messaging_contact c ON c.id = m.contact_id
    LEFT JOIN portfolio_contactpoint p ON p.id = c.point_id
    WHERE m.campaign_id = %s AND m.arm = 'TREATED' AND (
        c.id IS NULL OR c.status IN ('BLOCKED', 'CANCELLED')
        OR ((c.status = 'FAILED' OR c.undelivered_at IS NOT NULL)
            AND (p.retired_at IS NOT NULL OR c.channel = ANY(p.unusable_for))))
    ORDER BY m.debtor_id"""

_SPENT = """
    SELECT channel, status IN ('DUE', 'LEASED'), price_micros, price_currency, count(*) FROM messaging_contact
    WHERE campaign_id = %s AND status IN ('DUE', 'LEASED', 'SENT', 'UNCERTAIN')
    GROUP BY 1, 2, 3, 4"""

# Who was decided for by a newer fact, or has a contact of the day, since the group was read.
_DECIDED_SINCE = """
    SELECT DISTINCT debtor_id FROM journal_entry WHERE id > %s AND debtor_id = ANY(%s) AND kind = ANY(%s)
    UNION SELECT debtor_id FROM messaging_contact
    WHERE debtor_id = ANY(%s) AND planned_for = %s AND status <> 'CANCELLED' AND purpose <> 'REPLY'"""
_DECIDING_FACTS = [
    "payment.recorded",
    "payment.reversed",
    "hold.placed",
    "hold.lifted",
    "optout.received",
    "wrong_person.received",
    "consent.withdrawn",
    "conversation.received",
]
_LINK_CONTACTS = """
    UPDATE strategy_campaignmember m SET contact_id = n.contact_id, reason = ''
    FROM unnest(%s::bigint[], %s::bigint[]) AS n(debtor_id, contact_id)
    WHERE m.campaign_id = %s AND m.debtor_id = n.debtor_id"""
_WRITE_REASONS = """
    UPDATE strategy_campaignmember m SET reason = n.reason
    FROM unnest(%s::bigint[], %s::text[]) AS n(debtor_id, reason)
    WHERE m.campaign_id = %s AND m.debtor_id = n.debtor_id AND m.reason <> n.reason"""


def plan_running_campaigns(*, as_of: date, now: datetime, actor: str) -> int:
    """Plan the day of every running campaign and end those that are over; return how many contacts were planned.

    Planning a day again plans only who has nothing yet. Debtors whom a strategy contacts today wait for another day.
    """
    running = Campaign.objects.filter(status=Status.RUNNING).order_by("launched_at", "pk")
    return sum(
        plan_campaign(campaign_id=pk, as_of=as_of, now=now, actor=actor) for pk in running.values_list("pk", flat=True)
    )


def plan_campaign(*, campaign_id: int, as_of: date, now: datetime, actor: str) -> int:
    """Plan one campaign's messages of a day; return how many."""
    campaign = Campaign.objects.select_related("portfolio").get(pk=campaign_id)
    if campaign.status != Status.RUNNING or as_of < campaign.starts_on:
        return 0
    if as_of > campaign.ends_on:
        finish_campaign(campaign_id=campaign_id, reason=BY_DATE, actor=actor, now=now)
        return 0
    pending = pending_debtors(campaign_id)
    if not pending:
        _finish_when_written(campaign_id, actor=actor, now=now)
        return 0
    if not is_fresh(campaign.portfolio_id, as_of):
        return 0
    mark = latest_entry_id()
    with survey_group(spec_of(campaign), as_of=as_of, debtor_ids=pending) as group:
        candidates = _pending_ways(group, pending)
        judged = sort_by_debt(group.judged(candidates, day=as_of), group.members)
        return _commit_messages(campaign, group, judged, pending, mark=mark, now=now, actor=actor)


def pending_debtors(campaign_id: int) -> list[int]:
    """Return the treated who have not been written to."""
    with connection.cursor() as cursor:
        cursor.execute(_PENDING, [campaign_id])
        return [pk for (pk,) in cursor.fetchall()]


def spent_by_currency(campaign: Campaign, *, least: bool = False) -> dict[str, int]:
    """Return what the messages sent and planned may cost, in micros by currency; with `least` what they cost at least.

    One that has not left, or has no price of its own, counts at the dearest provider's: it may leave by that one.
    """
    known = message_prices(campaign.channels, campaign.portfolio.country)
    with connection.cursor() as cursor:
        cursor.execute(_SPENT, [campaign.pk])
        rows = cursor.fetchall()
    total: defaultdict[str, int] = defaultdict(int)
    for channel, waits, micros, currency, count in rows:
        price = MessagePrice(channel=channel, micros=micros, least=micros, currency=currency)
        if (waits or micros is None) and (now := known.get(channel)) and now.micros is not None:
            price = now
        each = price.least if least else price.micros
        if each is not None:
            total[price.currency] += count * each
    return dict(total)


def current_budget_problems(campaign: Campaign) -> list[str]:
    """Return why the budget of a campaign on its way cannot be kept by now; as long as that is so, nothing goes."""
    return budget_problems(
        campaign, message_prices(campaign.channels, campaign.portfolio.country), spent_by_currency(campaign)
    )


def _remaining_budget(campaign: Campaign, *, least: bool = False) -> int | None:
    return budget_left(campaign, spent_by_currency(campaign, least=least).get(campaign.budget_currency, 0))


def _pending_ways(group: GroupSurvey, pending: list[int]) -> pa.Table:
    rows = group.candidates
    if rows.num_rows == 0:
        return rows
    return rows.filter(pc.is_in(rows["debtor_id"], pa.array(pending, pa.int64())))


@transaction.atomic
def _commit_messages(
    campaign: Campaign,
    group: GroupSurvey,
    judged: pa.Table,
    pending: list[int],
    *,
    mark: int,
    now: datetime,
    actor: str,
) -> int:
    """Write the messages, unless a person has paused the campaign meanwhile or a fact speaks against one of them."""
    locked = Campaign.objects.select_for_update().get(pk=campaign.pk)
    if locked.status != Status.RUNNING:
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('recobra.decisions'))")
        cursor.execute(_DECIDED_SINCE, [mark, pending, _DECIDING_FACTS, pending, group.as_of])
        moved = {pk for (pk,) in cursor.fetchall()} | group.planned
    still = set(pending_debtors(campaign.pk))
    free = pa.array([pk in still and pk not in moved for pk in judged["debtor_id"].to_pylist()], pa.bool_())
    allowed = judged.filter(pc.and_(judged["allowed"], free)) if judged.num_rows else judged
    known = message_prices(campaign.channels, campaign.portfolio.country)
    # A budget whose prices have become unknown or foreign since the launch cannot be kept: nothing goes.
    unkept = bool(budget_problems(campaign, known, spent_by_currency(campaign)))
    ids = [] if unkept else select_affordable(allowed, known, _remaining_budget(campaign))[0]
    written = _write(campaign, group, allowed, ids, now)
    left = _remaining_budget(campaign)
    reasons = _waiting_reasons(
        group, judged, pending, moved, lacks=lambda channel: _missing_resource(known, channel, left, unkept=unkept)
    )
    _remember(campaign.pk, written, reasons)
    waiting = _channels_of(judged, [pk for pk in pending if pk in still and pk not in written], known)
    # What is planned may yet leave by a cheaper provider, and pay for more.
    if waiting and not unkept and is_exhausted(_remaining_budget(campaign, least=True), waiting, known):
        _end_campaign(locked, reason=BY_BUDGET, actor=actor, actor_id=None, now=now)
    return len(written)


def _write(campaign: Campaign, group: GroupSurvey, allowed: pa.Table, ids: list[int], now: datetime) -> dict[int, int]:
    """Put the messages to some debtors into the outbox; return the contact of each."""
    if not ids:
        return {}
    chosen = allowed.filter(pc.is_in(allowed["debtor_id"], pa.array(ids, pa.int64())))
    made = messaging.plan(contacts=_outbox_rows(campaign, group, chosen, now), now=now)
    return dict(zip(made["debtor_id"].to_pylist(), made["contact_id"].to_pylist(), strict=True))


def _channels_of(judged: pa.Table, waiting: list[int], known: Mapping[str, MessagePrice]) -> set[str]:
    """Return the channels by which those who wait may yet be written to; any, for who has no way today."""
    rows = judged.select(["debtor_id", "channel"]).to_pylist() if judged.num_rows else []
    way = {row["debtor_id"]: row["channel"] for row in rows}
    found = {way.get(pk) for pk in waiting}
    return set(known) if None in found else {channel for channel in found if channel}


def _missing_resource(known: Mapping[str, MessagePrice], channel: str, left: int | None, *, unkept: bool) -> str:
    """Return what was missing for a message that the law allowed."""
    if unkept:
        return WAITS_PRICES
    return WAITS_BUDGET if channel in known and is_exhausted(left, [channel], known) else WAITS_ROOM


def _waiting_reasons(
    group: GroupSurvey, judged: pa.Table, pending: list[int], moved: set[int], *, lacks: Callable[[str], str]
) -> dict[int, str]:
    """Return why each of the pending would not be written to today."""
    why = dict.fromkeys(pending, NO_WAY)
    for table in (group.silent, group.unreachable):
        why |= {row["debtor_id"]: row["reason"] for row in table.to_pylist() if row["debtor_id"] in why}
    for row in judged.select(["debtor_id", "channel", "allowed", "reason"]).to_pylist() if judged.num_rows else ():
        why[row["debtor_id"]] = lacks(row["channel"]) if row["allowed"] else row["reason"] or ""
    return why | {pk: WAITS_TURN for pk in moved if pk in why}


def _remember(campaign_id: int, written: dict[int, int], reasons: dict[int, str]) -> None:
    waiting = {pk: reason for pk, reason in reasons.items() if pk not in written}
    with connection.cursor() as cursor:
        cursor.execute(_LINK_CONTACTS, [list(written), list(written.values()), campaign_id])
        cursor.execute(_WRITE_REASONS, [list(waiting), list(waiting.values()), campaign_id])


def _outbox_rows(campaign: Campaign, group: GroupSurvey, chosen: pa.Table, now: datetime) -> pa.Table:
    count, instant = chosen.num_rows, pa.timestamp("us", tz="UTC")

    def same(value: object, kind: pa.DataType) -> pa.Array:
        return pa.array([value] * count, kind)

    due_at = chosen["due_at"].cast(pa.timestamp("us")).cast(instant)
    return pa.table(
        {
            "debtor_id": chosen["debtor_id"],
            "portfolio_id": same(campaign.portfolio_id, pa.int64()),
            "point_id": chosen["contact_point_id"],
            "channel": chosen["channel"],
            "template_code": same(campaign.template_code, pa.string()),
            "strategy_version_id": same(None, pa.int64()),
            "step_key": same(STEP, pa.string()),
            "status": same("DUE", pa.string()),
            "planned_for": same(group.as_of, pa.date32()),
            # Launched at noon, what opened in the morning is due now.
            "due_at": pc.if_else(pc.less(due_at, pa.scalar(now, instant)), pa.scalar(now, instant), due_at),
            "closes_at": chosen["closes_at"].cast(pa.timestamp("us")).cast(instant),
            "zones": chosen["zones"],
            "reason": same("", pa.string()),
            "rule": pc.coalesce(chosen["rule"], ""),
            "article": pc.coalesce(chosen["source"], ""),
            "purpose": same(group.purpose, pa.string()),
            "campaign_id": same(campaign.pk, pa.int64()),
        }
    )


def _finish_when_written(campaign_id: int, *, actor: str, now: datetime) -> None:
    """End a campaign of which everybody has been written to and nothing waits to go."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM messaging_contact WHERE campaign_id = %s AND status IN ('DUE', 'LEASED'))",
            [campaign_id],
        )
        (waiting,) = cursor.fetchone()
    if not waiting:
        finish_campaign(campaign_id=campaign_id, reason=ALL_WRITTEN, actor=actor, now=now)


@transaction.atomic
def finish_campaign(*, campaign_id: int, reason: str, actor: str, actor_id: int | None = None, now: datetime) -> bool:
    """End a campaign and take back what waits to go; False where it had ended already."""
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign.status not in {Status.RUNNING, Status.PAUSED}:
        return False
    withdraw_contacts(campaign_id, reason=ENDED, actor=actor, now=now)
    _end_campaign(campaign, reason=reason, actor=actor, actor_id=actor_id, now=now)
    return True


def _end_campaign(campaign: Campaign, *, reason: str, actor: str, actor_id: int | None, now: datetime) -> None:
    """End a campaign; what is planned within its budget still goes."""
    campaign.status, campaign.reason, campaign.ended_at = Status.ENDED, reason, now
    campaign.save(update_fields=["status", "reason", "ended_at"])
    record(
        "campaign.ended",
        at=now,
        actor=actor,
        actor_id=actor_id,
        portfolio_id=campaign.portfolio_id,
        payload={"campaign": campaign.code, "reason": reason},
    )


def withdraw_contacts(campaign_id: int, *, reason: str, actor: str, now: datetime) -> int:
    """Cancel what is planned and not handed over; return how many contacts."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM messaging_contact WHERE campaign_id = %s AND status IN ('DUE', 'LEASED')", [campaign_id]
        )
        waiting = [pk for (pk,) in cursor.fetchall()]
    return messaging.withdraw(contact_ids=waiting, reason=reason, at=now, actor=actor)
