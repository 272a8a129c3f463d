"""Every reason against a contact but the caps, most serious first."""

from collections.abc import Iterator
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from recobra_core.law.clauses import PLACES, PURPOSES, ROLES
from recobra_core.law.company_rules import COMPANY_SOURCE
from recobra_core.law.opening_hours import UNKNOWN_SOURCE

CLOSED_DAY_REASONS = ("closed_day", "holiday", "no_common_hour", "house_closed")
"""Closed days, on which who is writing may still be answered at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A reason against a contact: its key, when it holds (null: it does), its rule, source and sentence."""

    reason: ir.StringValue | str
    when: ir.BooleanValue
    rule: ir.StringValue | str
    source: ir.StringValue | str


def add_answer_flags(opened: ir.Table) -> ir.Table:
    """Add `is_answer`: a REPLY to what the debtor wrote not long ago; `at_once`: so fresh that any hour will do."""
    elapsed = opened.at_utc.epoch_seconds() - opened.replies_to_at_utc.epoch_seconds()
    is_reply = (opened.purpose == "REPLY") & (elapsed >= 0)
    return opened.mutate(
        is_answer=(is_reply & (elapsed < opened.reply_seconds)).fill_null(False),
        at_once=(is_reply & (elapsed < opened.any_hour_seconds)).fill_null(False),
    )


def build_blocks(t: ir.Table) -> Iterator[Block]:
    """Yield the blocks over candidates with their openings and `add_answer_flags`, most serious first."""
    closed = t.closed_reason
    is_barred = (closed == "channel_barred").fill_null(False)
    yield Block(reason="channel_barred", when=is_barred, rule=t.closed_rule, source=t.closed_source)
    yield from _person_blocks(t)
    yield from _consent_blocks(t)
    yield from _hold_blocks(t)
    yield from _age_blocks(t)
    yield _unknown_block("unknown_contact_point", t.point_valid.isnull())
    yield Block(
        reason="bad_contact_point",
        when=~t.point_valid,
        rule="ALL/contact-point",
        source="a contact needs a valid point (house rule)",
    )
    yield _unknown_block("unknown_debtor", t.debtor_id.isnull() | t.creditor_id.isnull())
    # Hours come last: what they refuse today may leave tomorrow, what stands above may not.
    yield _unknown_block("unknown_date", t.local_date.isnull())
    now = t.at_once & closed.isin(CLOSED_DAY_REASONS).fill_null(True)
    yield Block(reason=closed, when=closed.notnull() & ~now, rule=t.closed_rule, source=t.closed_source)
    yield _unknown_block("unknown_opening", (t.opens_at_utc.isnull() | t.closes_at_utc.isnull()) & ~now)
    yield _unknown_block("unknown_time", t.at_utc.isnull())
    is_lawful = (t.at_utc >= t.law_opens_at_utc) & (t.at_utc < t.law_closes_at_utc)
    yield Block(reason="closed_hour", when=~is_lawful & ~now, rule=t.window_rule, source=t.window_source)
    is_open = (t.at_utc >= t.opens_at_utc) & (t.at_utc < t.closes_at_utc)
    yield Block(reason="house_hours", when=~is_open & ~now, rule=t.house_rule, source=COMPANY_SOURCE)


def _person_blocks(t: ir.Table) -> Iterator[Block]:
    """Yield the blocks of whose number it is, where, and what for."""
    yield _unknown_block("unknown_role", ~t.role.isin(ROLES))
    # A country without rules has null roles; it is refused further down, by its own name.
    is_foreign = t.roles.notnull() & ~t.roles.contains("|" + t.role + "|")
    yield Block(reason="third_party", when=is_foreign, rule=t.roles_rule, source=t.roles_source)
    place = t.place.fill_null("")
    yield _unknown_block("unknown_place", ~place.isin(PLACES))
    is_other = (place == "other_person") & t.roles_rule.notnull()
    yield Block(reason="other_person", when=is_other, rule=t.roles_rule, source=t.roles_source)
    is_work = (place == "work") & t.work_rule.notnull()
    yield Block(reason="work_place", when=is_work, rule=t.work_rule, source=t.work_source)
    yield _unknown_block("unknown_purpose", ~t.purpose.isin(PURPOSES))


def _consent_blocks(t: ir.Table) -> Iterator[Block]:
    """Yield the blocks of the debtor's own wishes, and of consents that the law or the company requires."""
    yield _unknown_block("unknown_opt_out", t.opted_out.isnull())
    yield Block(reason="opted_out", when=t.opted_out, rule="ALL/opt-out", source="the debtor's wish")
    is_granted = (t.consent == "granted").fill_null(False)
    is_denied = t.consent.notnull() & ~is_granted
    # Who writes by a channel has asked for the answer there.
    is_missing = t.consent_rule.notnull() & ~is_granted & (is_denied | ~t.is_answer)
    yield Block(reason="no_consent", when=is_missing, rule=t.consent_rule, source=t.consent_source)
    yield Block(reason="no_consent", when=is_denied, rule="ALL/consent", source="the debtor's wish")
    is_advertising = (t.purpose == "OFFER") & t.offer_rule.notnull() & ~is_granted
    yield Block(reason="no_offer_consent", when=is_advertising, rule=t.offer_rule, source=t.offer_source)


def _hold_blocks(t: ir.Table) -> Iterator[Block]:
    """Yield the blocks of holds: with the article where the law names the reason."""
    yield _unknown_block("unknown_hold", t.held.isnull())
    reason = t.hold_reason.coalesce(ibis.literal("hold"))
    # An answer passes a hold, but for the gravest reasons.
    refuses_answers = t.reply_holds.contains("|" + reason + "|").fill_null(True)
    is_held = t.held & ~(t.is_answer & ~refuses_answers)
    # `stops` holds a line REASON=article for each reason; cut the article out of the line of this one.
    key = "\n" + reason + "="
    start = t.stops.find(key)
    rest = t.stops.substr(start + key.length())
    article = rest.substr(0, rest.find("\n"))
    rule = t.stops_rule + reason.lower().replace("_", "-")
    is_named = is_held & (start >= 0).fill_null(False)
    yield Block(reason="stopped", when=is_named, rule=rule, source=article)
    yield Block(reason="held", when=is_held, rule="ALL/hold", source=reason)


def _age_blocks(t: ir.Table) -> Iterator[Block]:
    """Yield the blocks of debts that are too old: by the law's limitation, then by the company's own limit."""
    due = t.oldest_due_date
    is_prescribed = (due <= t.prescribed_on).fill_null(False)
    yield Block(reason="prescribed", when=is_prescribed, rule=t.prescribed_rule, source=t.prescribed_source)
    is_unknown = due.isnull() & t.prescribed_on.notnull()
    yield Block(reason="unknown_due_date", when=is_unknown, rule=t.prescribed_rule, source=t.prescribed_source)
    is_too_old = t.too_old_on.notnull() & (due <= t.too_old_on).fill_null(True)
    yield Block(reason="house_age", when=is_too_old, rule=t.too_old_rule, source=COMPANY_SOURCE)


def _unknown_block(reason: str, when: ir.BooleanValue) -> Block:
    """Return the block for a missing fact: without it nobody can say that the contact is allowed."""
    return Block(reason=reason, when=when, rule="ALL/unknown", source=UNKNOWN_SOURCE)
