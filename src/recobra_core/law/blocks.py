"""Every reason against a contact but the caps, most serious first."""

from collections.abc import Iterator
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from recobra_core.law.clauses import PLACES, PURPOSES, ROLES, STAGES
from recobra_core.law.company_rules import COMPANY_SOURCE
from recobra_core.law.opening_hours import UNKNOWN_SOURCE

CLOSED_DAY_REASONS = ("closed_day", "holiday", "no_common_hour", "house_closed")
"""Reasons of closed days on which somebody who has just written may still be answered."""


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


def build_blocks(contacts: ir.Table) -> Iterator[Block]:
    """Yield the blocks over candidates with their openings and `add_answer_flags`, most serious first."""
    closed = contacts.closed_reason
    # A bar stands above all else; every other reason why it is closed comes last.
    is_barred = (closed == "channel_barred").fill_null(False)
    yield Block(reason="channel_barred", when=is_barred, rule=contacts.closed_rule, source=contacts.closed_source)
    yield from _person_blocks(contacts)
    yield from _stage_blocks(contacts)
    yield from _consent_blocks(contacts)
    yield from _hold_blocks(contacts)
    yield from _age_blocks(contacts)
    yield _unknown_block("unknown_contact_point", contacts.point_valid.isnull())
    yield Block(
        reason="bad_contact_point",
        when=~contacts.point_valid,
        rule="ALL/contact-point",
        source="a contact needs a valid point (house rule)",
    )
    yield _unknown_block("unknown_debtor", contacts.debtor_id.isnull() | contacts.creditor_id.isnull())
    # Hours come last: what they refuse today may leave tomorrow, what stands above may not.
    yield _unknown_block("unknown_date", contacts.local_date.isnull())
    # A fresh answer may leave at once, unless the day is closed for a reason that holds for answers too.
    leaves_at_once = contacts.at_once & closed.isin(CLOSED_DAY_REASONS).fill_null(True)
    yield Block(
        reason=closed, when=closed.notnull() & ~leaves_at_once, rule=contacts.closed_rule, source=contacts.closed_source
    )
    yield _unknown_block(
        "unknown_opening", (contacts.opens_at_utc.isnull() | contacts.closes_at_utc.isnull()) & ~leaves_at_once
    )
    yield _unknown_block("unknown_time", contacts.at_utc.isnull())
    is_lawful = (contacts.at_utc >= contacts.law_opens_at_utc) & (contacts.at_utc < contacts.law_closes_at_utc)
    yield Block(
        reason="closed_hour",
        when=~is_lawful & ~leaves_at_once,
        rule=contacts.window_rule,
        source=contacts.window_source,
    )
    is_open = (contacts.at_utc >= contacts.opens_at_utc) & (contacts.at_utc < contacts.closes_at_utc)
    yield Block(reason="house_hours", when=~is_open & ~leaves_at_once, rule=contacts.house_rule, source=COMPANY_SOURCE)


def _person_blocks(contacts: ir.Table) -> Iterator[Block]:
    """Yield the blocks of whose number or address it is, of where it is, and of what the contact is for."""
    yield _unknown_block("unknown_role", ~contacts.role.isin(ROLES))
    # A country without rules has null roles; it is refused further down, by its own name.
    is_foreign = contacts.roles.notnull() & ~contacts.roles.contains(contacts.role)
    yield Block(reason="third_party", when=is_foreign, rule=contacts.roles_rule, source=contacts.roles_source)
    place = contacts.place.fill_null("")
    yield _unknown_block("unknown_place", ~place.isin(PLACES))
    is_other = (place == "other_person") & contacts.roles_rule.notnull()
    yield Block(reason="other_person", when=is_other, rule=contacts.roles_rule, source=contacts.roles_source)
    is_work = (place == "work") & contacts.work_rule.notnull()
    yield Block(reason="work_place", when=is_work, rule=contacts.work_rule, source=contacts.work_source)
    yield _unknown_block("unknown_purpose", ~contacts.purpose.isin(PURPOSES))


def _stage_blocks(contacts: ir.Table) -> Iterator[Block]:
    """Yield the blocks of what may not be done in a stage; an answer to the debtor is no method of collection."""
    bars = contacts.stage_bars
    # Spark takes a place in a list in 32 bits only.
    by_role = bars.index(contacts.stage + "/" + contacts.role)
    by_stage = bars.index(contacts.stage)
    place = (by_stage >= 0).ifelse(by_stage, by_role).cast("int32")
    is_known = contacts.stage.isin(STAGES).fill_null(False)
    # Where the stage is not known, each must allow.
    possible = [bars.contains(stage) | bars.contains(ibis.literal(f"{stage}/") + contacts.role) for stage in STAGES]
    may_be_barred = ibis.or_(*possible).fill_null(False)
    yield _unknown_block("unknown_stage", ~is_known & may_be_barred & ~contacts.is_answer)
    yield Block(
        reason="stage_barred",
        when=is_known & (place >= 0).fill_null(False) & ~contacts.is_answer,
        rule=contacts.stage_rules[place],
        source=contacts.stage_sources[place],
    )


def _consent_blocks(contacts: ir.Table) -> Iterator[Block]:
    """Yield the blocks of the debtor's own wishes, and of consents that the law or the company requires."""
    yield _unknown_block("unknown_opt_out", contacts.opted_out.isnull())
    yield Block(reason="opted_out", when=contacts.opted_out, rule="ALL/opt-out", source="the debtor's wish")
    is_granted = (contacts.consent == "granted").fill_null(False)
    is_denied = contacts.consent.notnull() & ~is_granted
    # Somebody who writes on a channel expects the answer there.
    is_missing = contacts.consent_rule.notnull() & ~is_granted & (is_denied | ~contacts.is_answer)
    yield Block(reason="no_consent", when=is_missing, rule=contacts.consent_rule, source=contacts.consent_source)
    yield Block(reason="no_consent", when=is_denied, rule="ALL/consent", source="the debtor's wish")
    is_advertising = (contacts.purpose == "OFFER") & contacts.offer_rule.notnull() & ~is_granted
    yield Block(reason="no_offer_consent", when=is_advertising, rule=contacts.offer_rule, source=contacts.offer_source)


def _hold_blocks(contacts: ir.Table) -> Iterator[Block]:
    """Yield the blocks of holds: with the article where the law names the reason."""
    yield _unknown_block("unknown_hold", contacts.held.isnull())
    reason = contacts.hold_reason.coalesce(ibis.literal("hold"))
    # An answer passes a hold, but for the gravest reasons.
    refuses_answers = contacts.reply_holds.contains(reason).fill_null(True)
    is_held = contacts.held & ~(contacts.is_answer & ~refuses_answers)
    # Spark takes a place in a list in 32 bits only.
    place = contacts.stop_reasons.index(reason).cast("int32")
    rule = contacts.stop_rule + reason.lower().replace("_", "-")
    is_named = is_held & (place >= 0).fill_null(False)
    yield Block(reason="stopped", when=is_named, rule=rule, source=contacts.stop_articles[place])
    yield Block(reason="held", when=is_held, rule="ALL/hold", source=reason)


def _age_blocks(contacts: ir.Table) -> Iterator[Block]:
    """Yield the blocks of debts that are too old: by the law's limitation, then by the company's own limit."""
    due = contacts.oldest_due_date
    is_prescribed = (due <= contacts.prescribed_on).fill_null(False)
    yield Block(
        reason="prescribed", when=is_prescribed, rule=contacts.prescribed_rule, source=contacts.prescribed_source
    )
    is_unknown = due.isnull() & contacts.prescribed_on.notnull()
    yield Block(
        reason="unknown_due_date", when=is_unknown, rule=contacts.prescribed_rule, source=contacts.prescribed_source
    )
    is_too_old = contacts.too_old_on.notnull() & (due <= contacts.too_old_on).fill_null(True)
    yield Block(reason="house_age", when=is_too_old, rule=contacts.too_old_rule, source=COMPANY_SOURCE)


def _unknown_block(reason: str, when: ir.BooleanValue) -> Block:
    """Return the block for a missing fact: without it nobody can say that the contact is allowed."""
    return Block(reason=reason, when=when, rule="ALL/unknown", source=UNKNOWN_SOURCE)
