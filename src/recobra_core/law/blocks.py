"""Every reason against a contact but the caps, most serious first."""

from collections.abc import Iterator
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from recobra_core.law.clauses import PLACES, PURPOSES, ROLES
from recobra_core.law.company_rules import COMPANY_SOURCE
from recobra_core.law.opening_hours import UNKNOWN_SOURCE

HOURS = ("closed_day", "holiday", "no_common_hour", "house_closed")
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
    passed = opened.at_utc.epoch_seconds() - opened.replies_to_at_utc.epoch_seconds()
    reply = (opened.purpose == "REPLY") & (passed >= 0)
    return opened.mutate(
        is_answer=(reply & (passed < opened.reply_seconds)).fill_null(False),
        at_once=(reply & (passed < opened.any_hour_seconds)).fill_null(False),
    )


def build_blocks(t: ir.Table) -> Iterator[Block]:
    """Yield the reasons over candidates with their openings (`with_answers`)."""
    closed = t.closed_reason
    barred = (closed == "channel_barred").fill_null(False)
    yield Block(reason="channel_barred", when=barred, rule=t.closed_rule, source=t.closed_source)
    yield from _whose(t)
    yield from _wishes(t)
    yield from _pauses(t)
    yield from _age(t)
    yield from _facts(t)
    yield _unknown("unknown_date", t.local_date.isnull())
    now = t.at_once & closed.isin(HOURS).fill_null(True)
    yield Block(reason=closed, when=closed.notnull() & ~now, rule=t.closed_rule, source=t.closed_source)
    yield _unknown("unknown_opening", (t.opens_at_utc.isnull() | t.closes_at_utc.isnull()) & ~now)
    yield _unknown("unknown_time", t.at_utc.isnull())
    lawful = (t.at_utc >= t.law_opens_at_utc) & (t.at_utc < t.law_closes_at_utc)
    yield Block(reason="closed_hour", when=~lawful & ~now, rule=t.window_rule, source=t.window_source)
    inside = (t.at_utc >= t.opens_at_utc) & (t.at_utc < t.closes_at_utc)
    yield Block(reason="house_hours", when=~inside & ~now, rule=t.house_rule, source=COMPANY_SOURCE)


def _whose(t: ir.Table) -> Iterator[Block]:
    """Whose number it is, where, and what for; roles are not known where the country has no rules."""
    yield _unknown("unknown_role", ~t.role.isin(ROLES))
    foreign = t.roles.notnull() & ~t.roles.contains("|" + t.role + "|")
    yield Block(reason="third_party", when=foreign, rule=t.roles_rule, source=t.roles_source)
    place = t.place.fill_null("")
    yield _unknown("unknown_place", ~place.isin(PLACES))
    other = (place == "other_person") & t.roles_rule.notnull()
    yield Block(reason="other_person", when=other, rule=t.roles_rule, source=t.roles_source)
    work = (place == "work") & t.work_rule.notnull()
    yield Block(reason="work_place", when=work, rule=t.work_rule, source=t.work_source)
    yield _unknown("unknown_purpose", ~t.purpose.isin(PURPOSES))


def _wishes(t: ir.Table) -> Iterator[Block]:
    yield _unknown("unknown_opt_out", t.opted_out.isnull())
    yield Block(reason="opted_out", when=t.opted_out, rule="ALL/opt-out", source="the debtor's wish")
    granted = (t.consent == "granted").fill_null(False)
    denied = t.consent.notnull() & ~granted
    # Who writes by a channel has asked for the answer there.
    missing = t.consent_rule.notnull() & ~granted & (denied | ~t.is_answer)
    yield Block(reason="no_consent", when=missing, rule=t.consent_rule, source=t.consent_source)
    yield Block(reason="no_consent", when=denied, rule="ALL/consent", source="the debtor's wish")
    advertising = (t.purpose == "OFFER") & t.offer_rule.notnull() & ~granted
    yield Block(reason="no_offer_consent", when=advertising, rule=t.offer_rule, source=t.offer_source)


def _pauses(t: ir.Table) -> Iterator[Block]:
    """Holds: with the article where the law names the reason; an answer passes but for the gravest."""
    yield _unknown("unknown_hold", t.held.isnull())
    why = t.hold_reason.coalesce(ibis.literal("hold"))
    refused = t.reply_holds.contains("|" + why + "|").fill_null(True)
    held = t.held & ~(t.is_answer & ~refused)
    key = "\n" + why + "="
    at = t.stops.find(key)
    rest = t.stops.substr(at + key.length())
    article = rest.substr(0, rest.find("\n"))
    rule = t.stops_rule + why.lower().replace("_", "-")
    named = held & (at >= 0).fill_null(False)
    yield Block(reason="stopped", when=named, rule=rule, source=article)
    yield Block(reason="held", when=held, rule="ALL/hold", source=why)


def _age(t: ir.Table) -> Iterator[Block]:
    due = t.oldest_due_date
    known = Block(
        reason="prescribed",
        when=(due <= t.prescribed_on).fill_null(False),
        rule=t.prescribed_rule,
        source=t.prescribed_source,
    )
    yield known
    unknown = due.isnull() & t.prescribed_on.notnull()
    yield Block(reason="unknown_due_date", when=unknown, rule=t.prescribed_rule, source=t.prescribed_source)
    too_old = t.too_old_on.notnull() & (due <= t.too_old_on).fill_null(True)
    yield Block(reason="house_age", when=too_old, rule=t.too_old_rule, source=COMPANY_SOURCE)


def _facts(t: ir.Table) -> Iterator[Block]:
    yield _unknown("unknown_contact_point", t.point_valid.isnull())
    yield Block(
        reason="bad_contact_point",
        when=~t.point_valid,
        rule="ALL/contact-point",
        source="a contact needs a valid point (house rule)",
    )
    yield _unknown("unknown_debtor", t.debtor_id.isnull() | t.creditor_id.isnull())


def _unknown(reason: str, when: ir.BooleanValue) -> Block:
    return Block(reason=reason, when=when, rule="ALL/unknown", source=UNKNOWN_SOURCE)
