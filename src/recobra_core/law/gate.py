"""The gate: allows every contact, planned or manual, or refuses it with the first reason against it."""

import ibis
import ibis.expr.types as ir

from recobra_core.channels import CHANNELS
from recobra_core.law.blocks import Block, add_answer_flags, build_blocks
from recobra_core.law.caps import UNKNOWN_CHANNEL

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
        "role": "string",
        "stage": "string",
        "place": "string",
        "purpose": "string",
        "oldest_due_date": "date",
        "house": "string",
        "replies_to_at_utc": "timestamp(6)",
    }
)
"""Facts the gate needs about a contact; other columns pass through.

`candidate_id` is unique. `at_utc` is the instant to judge, UTC without zone; `local_date` its day where the
debtor lives. `account_id` may be null: one message about everything overdue, counted against each debt.
`consent` is granted, denied or null. `opted_out` and `consent` speak of this creditor and channel.

`role` (ROLES) and `place` (PLACES) say whose number it is and where; `stage` is the furthest of the debtor's accounts
(STAGES), null where nobody knows; `purpose` is one of PURPOSES. `oldest_due_date`
is the oldest unpaid due date spoken of, or the next one where nothing is overdue; null where nobody stated it.
`house` is the id of the company rules, as in `OpeningKey`. `replies_to_at_utc` is when the debtor wrote what a REPLY
answers, on the same channel.
"""

DEFAULTS = {
    "role": "debtor",
    "stage": None,
    "place": "",
    "purpose": "CLAIM",
    "oldest_due_date": None,
    "house": "",
    "replies_to_at_utc": None,
}

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

All of the same local day count, whatever their hour; later days do not. A null fact counts against. What left as
an answer (REPLY) does not belong here.
"""

ANSWERED = ("call", "ivr", "visit")
"""Channels where a try may reach nobody."""

OWN_COLUMNS = ("allowed", "reason", "rule", "source")


def add_defaults(candidates: ir.Table) -> ir.Table:
    """Add the columns of DEFAULTS that are absent: a claim to the debtor, under no company rules."""
    absent = {name: value for name, value in DEFAULTS.items() if name not in candidates.columns}
    columns = {name: ibis.literal(value, type=CANDIDATE[name]) for name, value in absent.items()}
    return candidates.mutate(**columns)


def join_openings(candidates: ir.Table, *, openings: ir.Table) -> ir.Table:
    """Add the columns of the opening to each candidate, null where its key has none.

    A planner judges at the later of now and `opens_at_utc`.
    """
    text_keys = ("country", "subdivision", "zones", "channel", "house")
    complete = add_defaults(candidates)
    same_key = [complete[name].fill_null("") == openings[name].fill_null("") for name in text_keys]
    same_key.append(complete.local_date == openings.local_date)
    facts = [name for name in openings.columns if name not in {*text_keys, "local_date"}]
    own_columns = [complete[name] for name in candidates.columns]
    opening_columns = [openings[name] for name in facts]
    opened = complete.left_join(openings, same_key).select(*own_columns, *opening_columns)
    # Openings write '' for null (see `build_table`); the gate's conditions ask for null.
    texts = [name for name in facts if openings[name].type().is_string()]
    return opened.mutate(**{name: opened[name].nullif("") for name in texts})


def add_holds_until(opened: ir.Table) -> ir.Table:
    """Add `holds_until_epoch` to candidates with their openings: until when an allowed contact stays allowed.

    In whole seconds of UTC since 1970, null where nothing says it. It covers the hours and how fresh an answer is;
    wishes, holds and caps have no hour.
    """
    contacts = add_answer_flags(opened)
    asked_at = contacts.replies_to_at_utc.epoch_seconds()
    at = contacts.at_utc
    is_open = ((at >= contacts.opens_at_utc) & (at < contacts.closes_at_utc)).fill_null(False)
    open_until = is_open.ifelse(contacts.closes_at_utc.epoch_seconds(), ibis.null("int64")).cast("int64")
    at_once_until = contacts.at_once.ifelse(asked_at + contacts.any_hour_seconds, ibis.null("int64")).cast("int64")
    # Where one of the two is null the other takes its place, whatever an engine makes of the greatest with a null.
    hours_until = ibis.greatest(open_until.coalesce(at_once_until), at_once_until.coalesce(open_until))
    answer_until = contacts.is_answer.ifelse(asked_at + contacts.reply_seconds, hours_until).cast("int64")
    return contacts.select(*opened.columns, holds_until_epoch=ibis.least(hours_until, answer_until))


def judge_candidates(candidates: ir.Table, *, openings: ir.Table, history: ir.Table, caps: ir.Table) -> ir.Table:
    """Add `allowed`, and the first reason against with its `rule` and `source` (the article).

    Shapes: CANDIDATE, OPENINGS, HISTORY, CAPS. Null facts block. An allowed contact has no reason, and names the rule
    that opened it. Raises TypeError where a column is missing or of another kind.
    """
    complete = add_defaults(candidates)
    _check_columns(complete, CANDIDATE)
    _check_columns(history, HISTORY)
    opened = add_answer_flags(join_openings(complete, openings=openings))
    capped = _find_worst_cap(opened.filter(~opened.is_answer), history, caps)
    # Columns by name: the caps descend from the candidates, and ibis would take one side's for the other's.
    judged = opened.left_join(capped, [("candidate_id", "capped_id")])
    judged, verdict = _pick_first_block(judged, tuple(build_blocks(judged)))
    judged = judged.mutate(allowed=verdict["reason"].isnull(), **verdict)
    return judged.select(*candidates.columns, *OWN_COLUMNS)


def _pick_first_block(contacts: ir.Table, blocks: tuple[Block, ...]) -> tuple[ir.Table, dict[str, ir.StringValue]]:
    """Add `block_number`, the first block that holds (-1: none); return reason, rule and source that follow from it."""
    # An unknown fact makes a condition null, and the unknown blocks.
    conditions = [(block.when.fill_null(True), index) for index, block in enumerate(blocks)]
    numbered = contacts.mutate(block_number=ibis.cases(*conditions, else_=-1))
    # No block: the cap that is reached, else the rule that opened the contact.
    otherwise = {
        "reason": contacts.cap_reason,
        "rule": contacts.cap_rule.coalesce(contacts.is_answer.ifelse(contacts.reply_rule, contacts.window_rule)),
        "source": contacts.cap_source.coalesce(
            contacts.is_answer.ifelse(contacts.reply_source, contacts.window_source)
        ),
    }
    verdict = {}
    for field, unblocked in otherwise.items():
        values = [(numbered.block_number == index, getattr(block, field)) for index, block in enumerate(blocks)]
        blocked = ibis.cases(*values, else_=ibis.null("string"))
        verdict[field] = (numbered.block_number < 0).ifelse(unblocked, blocked)
    return numbered, verdict


def _find_worst_cap(opened: ir.Table, history: ir.Table, caps: ir.Table) -> ir.Table:
    """Return `capped_id` with the most serious cap that has no room left; only candidates with a history have a row."""
    # Columns begin with past_, for both sides of the join have a creditor, a debtor, an account.
    past = history.select(
        past_creditor=history.creditor_id,
        past_debtor=history.debtor_id,
        past_account=history.account_id,
        past_channel=history.channel.isin(CHANNELS).fill_null(False).ifelse(history.channel, UNKNOWN_CHANNEL),
        past_date=history.local_date,
        # A message that left reached the person; a call or visit only if somebody was there.
        past_reached=history.reached | ~history.channel.isin(ANSWERED),
    )
    asked = opened.select(
        "creditor_id", "debtor_id", "account_id", "local_date", "regime", capped_id=opened.candidate_id
    )
    pairs = asked.inner_join(past, [("debtor_id", "past_debtor"), ("creditor_id", "past_creditor")])
    counted = pairs.inner_join(caps, ["regime", ("past_channel", "counted_channel")])
    days_ago = counted.local_date.delta(counted.past_date, unit="day")
    # A calendar week is counted from Monday, which is day 0.
    days_of_week = counted.local_date.day_of_week.index().cast("int64") + 1
    span = counted.calendar_week.ifelse(days_of_week, counted.span_days)
    in_period = (days_ago >= 0) & (days_ago < span)
    is_reached = counted.counts_unreached | counted.past_reached
    same_debt = ~counted.per_debt | (counted.account_id == counted.past_account)
    # What is not known counts.
    counted = counted.filter((in_period & is_reached & same_debt).fill_null(True))
    full = (
        counted.group_by(["capped_id", "cap_rank", "blocks_at"])
        .agg(contacts=lambda table: table.count())
        .filter(lambda table: table.contacts >= table.blocks_at)
    )
    # Ranks are unique per regime and cap, so the least of them names one cap.
    worst = full.group_by("capped_id").agg(worst_rank=full.cap_rank.min())
    words = caps.select("cap_rank", "cap_reason", "cap_rule", "cap_source").distinct()
    return worst.inner_join(words, [("worst_rank", "cap_rank")])


def _check_columns(table: ir.Table, schema: ibis.Schema) -> None:
    """Raise TypeError for a missing column and for one of another kind.

    A time with a zone, compared with one without, would move by hours in silence.
    """
    kinds = table.schema()
    for name, kind in schema.items():
        if name not in kinds:
            raise TypeError(f"column {name} is missing, expected {kind}")
        if type(kinds[name]) is not type(kind) or getattr(kinds[name], "timezone", None):
            raise TypeError(f"column {name} is {kinds[name]}, expected {kind}")
