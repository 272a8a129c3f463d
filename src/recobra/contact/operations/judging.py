"""The last check: the gate's own expressions over what is true now, for a whole batch of leased contacts at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import pyarrow as pa
from django.db import connection
from duckdb import DuckDBPyConnection

from recobra.contact import snapshot
from recobra.contact.rendering.statement import Statement, statements
from recobra.kit import engine
from recobra.portfolio.snapshot import company_holidays
from recobra_core import law

LONGEST_CAP = timedelta(days=92)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """A leased contact with the facts that judge and fill it, as they are now."""

    contact_id: int
    public_id: UUID
    debtor_id: int
    creditor_id: int
    channel: str
    template_code: str
    zones: str
    attempts: int
    point_id: int | None
    address: str
    country: str
    subdivision: str
    debtor_name: str
    planned_for: date
    opted_out: bool | None
    consent: str | None
    point_valid: bool | None
    local_date: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gate's answer. `opens_at` is set where the only obstacle ends later the same local day."""

    allowed: bool
    reason: str
    rule: str
    article: str
    opens_at: datetime | None = None


# An address opted out anywhere is opted out for a debtor that was loaded with it later.
_LEASED = """
    SELECT c.id, c.public_id, c.debtor_id, d.creditor_id, c.channel, c.template_code, c.zones, c.attempts, c.point_id,
        coalesce(p.value, ''), coalesce(nullif(d.country, ''), f.country), d.subdivision, d.name, c.planned_for,
        CASE WHEN p.id IS NOT NULL THEN p.opted_out_at IS NOT NULL OR EXISTS (
            SELECT FROM portfolio_contactpoint s
            WHERE s.value = p.value AND s.kind = p.kind AND s.opted_out_at IS NOT NULL) END,
        CASE WHEN p.consent THEN 'granted' WHEN NOT p.consent THEN 'denied' END,
        p.valid AND p.retired_at IS NULL
    FROM contact_contact c
    JOIN portfolio_debtor d ON d.id = c.debtor_id
    JOIN portfolio_portfolio f ON f.id = c.portfolio_id
    LEFT JOIN portfolio_contactpoint p ON p.id = c.point_id AND p.debtor_id = c.debtor_id
    WHERE c.id = ANY(%s) ORDER BY c.due_at, c.id"""


def load(contact_ids: Sequence[int], *, now: datetime) -> list[Leased]:
    """Return leased contacts with their facts, those due first at the front."""
    names = [name for name in Leased.__slots__ if name != "local_date"]
    with connection.cursor() as cursor:
        cursor.execute(_LEASED, [list(contact_ids)])
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return [Leased(**row, local_date=local_date(row["zones"], now)) for row in rows]


def load_statements(batch: Sequence[Leased], *, now: datetime) -> dict[int, Statement]:
    """Return what each debtor of a batch owes on its local day."""
    return statements({c.debtor_id: c.local_date or now.date() for c in batch})


def local_date(zones: str, now: datetime) -> date | None:
    """Return the debtor's day, or None in an unknown zone.

    Where a debtor may live in several zones the first one's day will do: the gate only opens while all of them
    have the same.
    """
    zone = _zone(zones.partition("|")[0])
    return now.astimezone(zone).date() if zone else None


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    return ZoneInfo(name) if name in available_timezones() else None


def judge(
    batch: Sequence[Leased], *, holds: dict[int, str], now: datetime, duck: DuckDBPyConnection
) -> dict[int, Verdict]:
    """Judge a batch in one statement; `holds` says by debtor why it is on hold, '' where it is not."""
    since = (now - LONGEST_CAP).date()
    tables = {
        "candidates": _candidates(batch, holds, now),
        "openings": _openings(frozenset(map(_key, batch)), _company_holidays()),
        "history": snapshot.history([c.debtor_id for c in batch], since=since),
        "caps": _caps(),
    }
    engine.give_tables(duck, tables)
    judged = engine.run(duck, [_statement()])["verdicts"]
    return {row["candidate_id"]: _verdict(row, now) for row in judged.to_pylist()}


@cache
def _statement() -> engine.Statement:
    openings = engine.source("openings", law.OPENINGS)
    judged = law.verdicts(
        engine.source("candidates", law.CANDIDATE),
        openings=openings,
        history=engine.source("history", law.HISTORY),
        caps=engine.source("caps", law.caps_table().schema()),
    )
    answer = ("candidate_id", "allowed", "reason", "rule", "source", "opens_at_utc")
    return engine.compiled("verdicts", law.open_at(judged, openings=openings).select(*answer))


@cache
def _caps() -> pa.Table:
    return law.caps_table().to_pyarrow()


@lru_cache(maxsize=64)
def _openings(keys: frozenset[law.Key], holidays: frozenset[tuple[str, date]]) -> pa.Table:
    return law.openings(keys=keys, company_holidays=holidays).to_pyarrow()


def _verdict(row: dict[str, Any], now: datetime) -> Verdict:
    opens_at = row["opens_at_utc"] and row["opens_at_utc"].replace(tzinfo=UTC)
    later = row["reason"] == "closed_hour" and opens_at is not None and opens_at > now
    return Verdict(
        allowed=row["allowed"],
        reason=row["reason"] or "",
        rule=row["rule"] or "",
        article=row["source"] or "",
        opens_at=opens_at if later else None,
    )


def _key(contact: Leased) -> law.Key:
    return law.Key(contact.country, contact.subdivision, contact.zones, contact.channel, contact.local_date)


def _company_holidays() -> frozenset[tuple[str, date]]:
    found = company_holidays()
    return frozenset(zip(found["country"].to_pylist(), found["day"].to_pylist(), strict=True))


def _candidates(batch: Sequence[Leased], holds: dict[int, str], now: datetime) -> pa.Table:
    rows = [
        {
            "candidate_id": c.contact_id,
            "account_id": None,
            "at_utc": now.astimezone(UTC).replace(tzinfo=None),
            "held": bool(holds[c.debtor_id]),
            "hold_reason": holds[c.debtor_id] or None,
            **{name: getattr(c, name) for name in _SHARED},
        }
        for c in batch
    ]
    return pa.Table.from_pylist(rows, schema=law.CANDIDATE.to_pyarrow())


_SHARED = (
    "debtor_id", "creditor_id", "country", "subdivision", "zones", "channel", "local_date", "opted_out", "consent",
    "point_valid",
)  # fmt: skip
