"""The gate's last check of a batch of leased contacts: its own expressions over what is true now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

import pyarrow as pa

from recobra.kit import engine
from recobra.kit.zones import local_date
from recobra.messaging import snapshot
from recobra.messaging.dispatch.facts import LeasedContact
from recobra.portfolio.models import Channel
from recobra_core import law

_HOUR_REASONS: Final = frozenset({"closed_hour", "house_hours"})
"""The obstacles that a later hour of the same day removes."""


# What the gate asks of a contact, with everything that was said about consent in the place of what follows from it.
_CONSENT: Final = {
    "consent_last_word": pa.string(),
    "consent_is_denied": pa.bool_(),
    "consent_is_granted": pa.bool_(),
    "consent_stated": pa.string(),
}
_CANDIDATES: Final = pa.schema(
    [*(field for field in law.CANDIDATE.to_pyarrow() if field.name != "consent"), *_CONSENT.items()]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gate's answer. `opens_at` is set where the only obstacle ends later the same local day.

    `until` is when an allowed contact must be judged anew: at the latest when its permitted hours close. `consent` is
    what it was judged by: granted, denied or None.
    """

    allowed: bool
    reason: str
    rule: str
    article: str
    consent: str | None
    opens_at: datetime | None = None
    until: datetime | None = None


def judge_contacts(contacts: Sequence[LeasedContact], *, now: datetime) -> dict[int, Verdict]:
    """Judge a batch in one statement under the law and the company's rules; return the verdicts by contact id."""
    if not contacts:
        return {}
    rules_by_name = {contact.company_rules.name: contact.company_rules for contact in contacts if contact.company_rules}
    # Frozen sets, because the tables made from them are cached.
    rules = frozenset(rules_by_name.items())
    keys = frozenset(
        law.OpeningKey(
            contact.country,
            contact.subdivision,
            contact.zones,
            contact.channel,
            contact.local_date,
            _rules_name(contact),
        )
        for contact in contacts
    )
    judged = _run_gate(contacts, keys, rules, now)
    return {row["candidate_id"]: _read_verdict(row, now) for row in judged.to_pylist()}


def warm_up() -> None:
    """Compile the gate before the first batch waits for it."""
    _compile_gate()


def rehearse(places: Iterable[tuple[str, str]], *, now: datetime) -> None:
    """Run the gate over nobody, so that the law and the calendar of places (country, time zone) are read already."""
    keys = frozenset(
        law.OpeningKey(country, "", zone, Channel.EMAIL, local_date(zone, now)) for country, zone in places
    )
    _run_gate([], keys, frozenset(), now)


def _run_gate(
    contacts: Sequence[LeasedContact],
    keys: frozenset[law.OpeningKey],
    rules: frozenset[tuple[str, law.CompanyRules]],
    now: datetime,
) -> pa.Table:
    """Return the gate's answer for contacts, under the openings of `keys` and the company's rules."""
    caps = snapshot.caps_in_force(rules)
    since = snapshot.history_start(caps, day=now.date())
    tables = {
        "candidates": _build_candidates(contacts, now),
        "openings": _build_openings(keys, rules),
        "history": snapshot.contact_history([contact.debtor_id for contact in contacts], since=since),
        "caps": caps,
    }
    prepared = engine.thread_prepared(("gate",))
    with prepared.fill(tables):
        return prepared.run([_compile_gate()])["verdicts"]


@cache
def rules_version() -> str:
    """Return the version of the law's data that judges here: the beginning of their digest."""
    folder = resources.files("recobra_core.law") / "data"
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml"):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


@cache
def _compile_gate() -> engine.Statement:
    """Return the gate's expressions compiled to one statement over the tables that `_run_gate` fills."""
    openings = engine.source_table("openings", law.OPENINGS)
    said = engine.source_table("candidates", _CANDIDATES)
    consent = law.resolve_consent(
        last_word=said.consent_last_word,
        is_denied=said.consent_is_denied,
        is_granted=said.consent_is_granted,
        stated=said.consent_stated,
    )
    judged = law.judge_candidates(
        said.mutate(consent=consent).drop(*_CONSENT),
        openings=openings,
        history=engine.source_table("history", law.HISTORY),
        caps=engine.source_table("caps", law.build_caps().schema()),
    )
    answer = ("candidate_id", "consent", "allowed", "reason", "rule", "source", "opens_at_utc", "holds_until_epoch")
    return engine.compile_statement(
        "verdicts", law.add_holds_until(law.join_openings(judged, openings=openings)).select(*answer)
    )


# The same places and days return from batch to batch.
@lru_cache(maxsize=64)
def _build_openings(keys: frozenset[law.OpeningKey], rules: frozenset[tuple[str, law.CompanyRules]]) -> pa.Table:
    """Return the law's table of permitted hours for places, days and channels."""
    return law.to_arrow(law.build_openings(keys=keys, company_rules=dict(rules)))


def _build_candidates(contacts: Sequence[LeasedContact], now: datetime) -> pa.Table:
    """Return contacts as the gate's table of candidates; columns that are not named here are fields of a contact."""
    count = len(contacts)
    values: dict[str, list[Any]] = {
        "candidate_id": [contact.contact_id for contact in contacts],
        "account_id": [None] * count,  # a message speaks of all that is owed, not of one account
        "at_utc": [_naive_utc(now)] * count,
        "held": [bool(contact.hold_reason) for contact in contacts],
        "hold_reason": [contact.hold_reason or None for contact in contacts],
        "role": ["debtor"] * count,
        "house": [_rules_name(contact) for contact in contacts],
        "replies_to_at_utc": [contact.replies_to_at and _naive_utc(contact.replies_to_at) for contact in contacts],
    }
    columns = []
    for field in _CANDIDATES:
        if field.name not in values:
            values[field.name] = [getattr(contact, field.name) for contact in contacts]
        columns.append(pa.array(values[field.name], field.type))
    return pa.table(columns, schema=_CANDIDATES)


def _rules_name(contact: LeasedContact) -> str:
    """Return the name of the company's rules that hold for a contact, '' where there are none."""
    return contact.company_rules.name if contact.company_rules else ""


def _naive_utc(at: datetime) -> datetime:
    """Return an instant in UTC without a zone, as the gate's tables have it."""
    return at.astimezone(UTC).replace(tzinfo=None)


def _read_verdict(row: dict[str, Any], now: datetime) -> Verdict:
    """Return the verdict in one row of the gate's answer; NULL texts become ''."""
    opens_at = None
    if row["opens_at_utc"] is not None and row["reason"] in _HOUR_REASONS:
        opens_at = row["opens_at_utc"].replace(tzinfo=UTC)
    until = None
    if row["allowed"] and row["holds_until_epoch"] is not None:
        until = datetime.fromtimestamp(row["holds_until_epoch"], UTC)
    return Verdict(
        allowed=row["allowed"],
        reason=row["reason"] or "",
        rule=row["rule"] or "",
        article=row["source"] or "",
        consent=row["consent"],
        opens_at=opens_at if opens_at is not None and opens_at > now else None,
        until=until,
    )
