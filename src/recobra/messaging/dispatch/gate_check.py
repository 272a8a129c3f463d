"""The last check: the gate's own expressions over what is true now, for a whole batch of leased contacts at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import pyarrow as pa

from recobra.kit import engine
from recobra.messaging import snapshot
from recobra.messaging.dispatch.facts import Leased, local_date
from recobra.portfolio.snapshot import read_company_holidays
from recobra_core import law

__all__ = ["Case", "Verdict", "judge", "local_date", "rules_version"]

LONGEST_CAP = timedelta(days=92)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A contact to judge: `hold` says why its debtor is on hold, '' where it is not; `house` names the company's rules.

    `oldest_due_date` is that of what it speaks of.
    """

    contact: Leased
    hold: str
    oldest_due_date: date | None
    house: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gate's answer. `opens_at` is set where the only obstacle ends later the same local day.

    `until` is when what is allowed must be judged anew, for its hours: never later than they close.
    """

    allowed: bool
    reason: str
    rule: str
    article: str
    opens_at: datetime | None = None
    until: datetime | None = None


def judge(cases: Sequence[Case], *, houses: Mapping[str, law.CompanyRules], now: datetime) -> dict[int, Verdict]:
    """Judge a batch in one statement under the law and the company's rules; the answer is by contact."""
    if not cases:
        return {}
    since = (now - LONGEST_CAP).date()
    rules = frozenset((name, house) for name, house in houses.items() if name)
    tables = {
        "candidates": _candidates(cases, now),
        "openings": _openings(frozenset(map(_key, cases)), _company_holidays(), rules),
        "history": snapshot.history([case.contact.debtor_id for case in cases], since=since),
        "caps": _caps(rules),
    }
    duck = engine.thread_duckdb("gate")
    engine.register_tables(duck, tables)
    judged = engine.run_statements(duck, [_statement()])["verdicts"]
    return {row["candidate_id"]: _verdict(row, now) for row in judged.to_pylist()}


def warm_up() -> None:
    """Compile what is the same for every batch, before the first one is waiting."""
    _statement()


@cache
def rules_version() -> str:
    """Return what identifies the law's data that judge here: the beginning of their digest."""
    folder = resources.files("recobra_core.law") / "data"
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".yaml"):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _statement() -> engine.Statement:
    openings = engine.source_table("openings", law.OPENINGS)
    judged = law.judge_candidates(
        engine.source_table("candidates", law.CANDIDATE),
        openings=openings,
        history=engine.source_table("history", law.HISTORY),
        caps=engine.source_table("caps", law.build_caps().schema()),
    )
    answer = ("candidate_id", "allowed", "reason", "rule", "source", "opens_at_utc", "holds_until_epoch")
    return engine.compile_statement(
        "verdicts", law.add_holds_until(law.join_openings(judged, openings=openings)).select(*answer)
    )


@lru_cache(maxsize=8)
def _caps(houses: frozenset[tuple[str, law.CompanyRules]]) -> pa.Table:
    return law.to_arrow(law.build_caps(company_rules=dict(houses)))


@lru_cache(maxsize=64)
def _openings(
    keys: frozenset[law.OpeningKey],
    holidays: frozenset[tuple[str, date]],
    houses: frozenset[tuple[str, law.CompanyRules]],
) -> pa.Table:
    return law.to_arrow(law.build_openings(keys=keys, company_holidays=holidays, company_rules=dict(houses)))


def _verdict(row: dict[str, Any], now: datetime) -> Verdict:
    opens_at = row["opens_at_utc"] and row["opens_at_utc"].replace(tzinfo=UTC)
    until = row["holds_until_epoch"]
    later = row["reason"] in _HOURS and opens_at is not None and opens_at > now
    return Verdict(
        allowed=row["allowed"],
        reason=row["reason"] or "",
        rule=row["rule"] or "",
        article=row["source"] or "",
        opens_at=opens_at if later else None,
        until=datetime.fromtimestamp(until, UTC) if row["allowed"] and until is not None else None,
    )


def _key(case: Case) -> law.OpeningKey:
    c = case.contact
    return law.OpeningKey(c.country, c.subdivision, c.zones, c.channel, c.local_date, case.house)


def _company_holidays() -> frozenset[tuple[str, date]]:
    found = read_company_holidays()
    return frozenset(zip(found["country"].to_pylist(), found["day"].to_pylist(), strict=True))


def _candidates(cases: Sequence[Case], now: datetime) -> pa.Table:
    count = len(cases)
    contacts = [case.contact for case in cases]
    columns = {
        "candidate_id": [c.contact_id for c in contacts],
        "account_id": [None] * count,
        "at_utc": [_plain(now)] * count,
        "held": [bool(case.hold) for case in cases],
        "hold_reason": [case.hold or None for case in cases],
        "role": ["debtor"] * count,
        "oldest_due_date": [case.oldest_due_date for case in cases],
        "house": [case.house for case in cases],
        "replies_to_at_utc": [c.replies_to_at and _plain(c.replies_to_at) for c in contacts],
        **{name: [getattr(c, name) for c in contacts] for name in _SHARED},
    }
    schema = law.CANDIDATE.to_pyarrow()
    return pa.table([pa.array(columns[field.name], field.type) for field in schema], schema=schema)


def _plain(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


_HOURS = frozenset({"closed_hour", "house_hours"})
_SHARED = (
    "debtor_id",
    "creditor_id",
    "country",
    "subdivision",
    "zones",
    "channel",
    "local_date",
    "opted_out",
    "consent",
    "point_valid",
    "place",
    "purpose",
)
