"""The gate: every contact, planned or manual, is allowed here or refused with the first reason against it."""

from collections.abc import Iterator
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from recobra_core.law.caps import UNKNOWN_CHANNEL
from recobra_core.law.model import CHANNELS
from recobra_core.law.opening_hours import UNKNOWN_BLOCKS

CANDIDATE = ibis.schema(
    {
        "candidate_id": "int64",
        "debtor_id": "int64",
        "creditor_id": "int64",
        "account_id": "int64",
        "country": "string",
        "subdivision": "string",
        "zones": "string",
        "channel": "string",
        "local_date": "date",
        "at_utc": "timestamp(6)",
        "opted_out": "boolean",
        "consent": "string",
        "held": "boolean",
        "hold_reason": "string",
        "point_valid": "boolean",
    }
)
"""What the gate must know of a contact; other columns pass through.

`candidate_id` is unique. `at_utc` is the instant to judge, UTC without zone; `local_date` its day where the
debtor lives. `account_id` may be null: one message about everything overdue, counted against each debt.
`consent` is granted, denied or null. `opted_out` and `consent` speak of this creditor and channel.
"""

HISTORY = ibis.schema(
    {
        "creditor_id": "int64",
        "debtor_id": "int64",
        "account_id": "int64",
        "channel": "string",
        "local_date": "date",
        "reached": "boolean",
    }
)
"""Earlier contacts. `reached`: the call was answered, the door was opened; a message sent always
counts as reached.

All of the same local day count, whatever their hour; later days do not. A null fact counts against.
"""

ANSWERED = ("call", "ivr", "visit")
"""Channels where a try may reach nobody."""

OWN_COLUMNS = ("allowed", "reason", "rule", "source")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A reason against a contact: its key, when it holds (null: it does), its rule, source and sentence."""

    reason: ir.StringValue | str
    when: ir.BooleanValue
    rule: ir.StringValue | str
    source: ir.StringValue | str


SENTENCES = {
    "channel_barred": "The law bars this channel for collection.",
    "opted_out": "The debtor asked not to be contacted by this channel.",
    "unknown_opt_out": "It is not known whether the debtor asked not to be contacted.",
    "no_consent": "The debtor denied this channel, or the law wants an authorisation that is missing.",
    "held": "The debtor or the account is on hold.",
    "unknown_hold": "It is not known whether the debtor is on hold.",
    "bad_contact_point": "The telephone, address or e-mail is not valid.",
    "unknown_contact_point": "It is not known whether the telephone, address or e-mail is valid.",
    "unknown_debtor": "Debtor or creditor are missing, so earlier contacts cannot be counted.",
    "unknown_country": "There are no contact rules for this country.",
    "unknown_subdivision": "The state or region is not known.",
    "unknown_channel": "The channel is not known.",
    "unknown_date": "The day of the contact is not known.",
    "unknown_time": "The hour of the contact is not known.",
    "unknown_zone": "The time zone is not known.",
    "unknown_rule": "No rule is known for that day.",
    "unknown_calendar": "There is no holiday calendar for that year.",
    "unknown_opening": "The opening hours of that day were not computed.",
    "closed_day": "No contact on this day of the week.",
    "holiday": "No contact on a holiday.",
    "no_common_hour": "No hour is open in every zone where the debtor may live.",
    "closed_hour": "Outside the hours of contact.",
    "cap_day": "The limit of contacts in a day is reached.",
    "cap_week": "The limit of contacts in a week is reached.",
    "gap": "Too few days since the last contact.",
    "other_channel": "Another channel was used this week already.",
    "after_conversation": "Too few days since the last conversation.",
}
"""Every reason the gate can give, in words."""


def open_at(candidates: ir.Table, *, openings: ir.Table) -> ir.Table:
    """Add the columns of the opening to each candidate, null where its key has none.

    A planner judges at the later of now and `opens_at_utc`.
    """
    texts = ("country", "subdivision", "zones", "channel")
    match = [candidates[name].fill_null("") == openings[name].fill_null("") for name in texts]
    facts = [name for name in openings.columns if name not in {*texts, "local_date"}]
    joined = candidates.left_join(openings, [*match, candidates.local_date == openings.local_date])
    named = joined.select(candidates, *(openings[name] for name in facts))
    written = [name for name in facts if openings[name].type().is_string()]
    return named.mutate(**{name: named[name].nullif("") for name in written})


def verdicts(candidates: ir.Table, *, openings: ir.Table, history: ir.Table, caps: ir.Table) -> ir.Table:
    """Add `allowed`, and the first reason against with its `rule` and `source` (the article).

    Shapes: CANDIDATE, `openings`, HISTORY, `caps_table`. Null facts block. An allowed contact has no reason,
    and names the rule that opened it. Raises TypeError where a column is missing or of another kind.
    """
    _check(candidates, CANDIDATE)
    _check(history, HISTORY)
    opened = open_at(candidates, openings=openings)
    capped = _first_cap_reached(opened, history, caps)
    # Columns by name: the caps descend from the candidates, and ibis would take one side's for the other's.
    judged = opened.left_join(capped, [("candidate_id", "capped_id")])
    reason, rule, source = _first(judged, tuple(_blocks(judged)))
    judged = judged.mutate(allowed=reason.isnull(), reason=reason, rule=rule, source=source)
    return judged.select(*candidates.columns, *OWN_COLUMNS)


def _first(t: ir.Table, blocks: tuple[Block, ...]) -> tuple[ir.StringValue, ir.StringValue, ir.StringValue]:
    """Reason, rule and source of the first block that holds; of the opening where none does."""

    def pick(field: str, otherwise: ir.Value) -> ir.StringValue:
        cases = ((block.when.fill_null(True), getattr(block, field)) for block in blocks)
        return ibis.cases(*cases, else_=otherwise)

    return (
        pick("reason", t.cap_reason),
        pick("rule", t.cap_rule.coalesce(t.window_rule)),
        pick("source", t.cap_source.coalesce(t.window_source)),
    )


def _blocks(t: ir.Table) -> Iterator[Block]:
    """Every reason but the caps, most serious first."""
    closed = t.closed_reason
    barred = (closed == "channel_barred").fill_null(False)
    yield Block(reason="channel_barred", when=barred, rule=t.closed_rule, source=t.closed_source)
    yield from _wishes(t)
    yield from _facts(t)
    yield _unknown("unknown_date", t.local_date.isnull())
    yield Block(reason=closed, when=closed.notnull(), rule=t.closed_rule, source=t.closed_source)
    unopened = t.opens_at_utc.isnull() | t.closes_at_utc.isnull()
    yield _unknown("unknown_opening", unopened)
    yield _unknown("unknown_time", t.at_utc.isnull())
    inside = (t.at_utc >= t.opens_at_utc) & (t.at_utc < t.closes_at_utc)
    yield Block(reason="closed_hour", when=~inside, rule=t.window_rule, source=t.window_source)


def _wishes(t: ir.Table) -> Iterator[Block]:
    yield _unknown("unknown_opt_out", t.opted_out.isnull())
    yield Block(reason="opted_out", when=t.opted_out, rule="ALL/opt-out", source="the debtor's wish")
    granted = (t.consent == "granted").fill_null(False)
    yield Block(
        reason="no_consent",
        when=t.consent_rule.notnull() & ~granted,
        rule=t.consent_rule,
        source=t.consent_source,
    )
    denied = t.consent.notnull() & ~granted
    yield Block(reason="no_consent", when=denied, rule="ALL/consent", source="the debtor's wish")


def _facts(t: ir.Table) -> Iterator[Block]:
    yield _unknown("unknown_hold", t.held.isnull())
    why = t.hold_reason.coalesce(ibis.literal("hold"))
    yield Block(reason="held", when=t.held, rule="ALL/hold", source=why)
    yield _unknown("unknown_contact_point", t.point_valid.isnull())
    yield Block(
        reason="bad_contact_point",
        when=~t.point_valid,
        rule="ALL/contact-point",
        source="a contact needs a valid point (house rule)",
    )
    yield _unknown("unknown_debtor", t.debtor_id.isnull() | t.creditor_id.isnull())


def _unknown(reason: str, when: ir.BooleanValue) -> Block:
    return Block(reason=reason, when=when, rule="ALL/unknown", source=UNKNOWN_BLOCKS)


def _first_cap_reached(opened: ir.Table, history: ir.Table, caps: ir.Table) -> ir.Table:
    """`capped_id` with the most serious cap that has no room left; only of candidates with a history."""
    seen = _earlier(opened, history)
    counted = seen.inner_join(caps, ["regime", ("h_channel", "counted_channel")])
    counted = counted.filter(_counts(counted))
    full = (
        counted.group_by(["capped_id", "cap_rank", "blocks_at"])
        .agg(contacts=lambda t: t.count())
        .filter(lambda t: t.contacts >= t.blocks_at)
    )
    worst = full.group_by("capped_id").agg(worst_rank=full.cap_rank.min())
    words = caps.select("cap_rank", "cap_reason", "cap_rule", "cap_source").distinct()
    return worst.inner_join(words, [("worst_rank", "cap_rank")])


def _earlier(opened: ir.Table, history: ir.Table) -> ir.Table:
    """Pairs of a candidate and an earlier contact of the same creditor with the same debtor."""
    past = history.select(
        h_creditor=history.creditor_id,
        h_debtor=history.debtor_id,
        h_account=history.account_id,
        h_channel=history.channel.isin(CHANNELS).fill_null(False).ifelse(history.channel, UNKNOWN_CHANNEL),
        h_date=history.local_date,
        h_reached=history.reached | ~history.channel.isin(ANSWERED),
    )
    ours = opened.select(
        "creditor_id", "debtor_id", "account_id", "local_date", "regime", capped_id=opened.candidate_id
    )
    return ours.inner_join(past, [("debtor_id", "h_debtor"), ("creditor_id", "h_creditor")])


def _counts(t: ir.Table) -> ir.BooleanValue:
    """Whether an earlier contact counts for a cap. What is not known counts."""
    days_ago = t.local_date.delta(t.h_date, unit="day")
    span = t.calendar_week.ifelse(t.local_date.day_of_week.index().cast("int64") + 1, t.span_days)
    in_period = (days_ago >= 0) & (days_ago < span)
    reached = t.counts_unreached | t.h_reached
    same_debt = ~t.per_debt | (t.account_id == t.h_account)
    return (in_period & reached & same_debt).fill_null(True)


def _check(table: ir.Table, schema: ibis.Schema) -> None:
    """Refuse other columns: a time with a zone, compared with one without, would move by hours in silence."""
    found = table.schema()
    for name, kind in schema.items():
        if name not in found:
            raise TypeError(f"column {name} is missing, expected {kind}")
        if type(found[name]) is not type(kind) or getattr(found[name], "timezone", None):
            raise TypeError(f"column {name} is {found[name]}, expected {kind}")
