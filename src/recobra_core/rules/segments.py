"""Segments: an ordered list of named rules; each account belongs to the first that matches."""

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from recobra_core.rules.rule import Rule

NO_SEGMENT = "none"
SEGMENTS_MAX = 200


@dataclass(frozen=True, slots=True)
class Segment:
    """A named group of accounts. `key` is stable and unique in its list; `name` is what people read."""

    key: str
    name: str
    rule: Rule


def classify(accounts: ir.Table, segments: Sequence[Segment]) -> ir.Table:
    """Add `segment`: the key of the first rule that matches each account, `none` where no rule does.

    Raises ValueError for repeated keys, for the key `none`, and for more than 200 segments.
    """
    keys = [segment.key for segment in segments]
    if len(set(keys)) < len(keys) or NO_SEGMENT in keys or len(keys) > SEGMENTS_MAX:
        raise ValueError(f"Segment keys must be unique, other than {NO_SEGMENT!r} and at most {SEGMENTS_MAX}: {keys}")
    if not segments:
        return accounts.mutate(segment=ibis.literal(NO_SEGMENT))
    picked = ibis.cases(*((each.rule.condition(accounts), each.key) for each in segments), else_=NO_SEGMENT)
    return accounts.mutate(segment=picked)
