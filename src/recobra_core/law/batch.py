"""The gate over a written list of contacts: each row is a debtor of its own with its own earlier contacts."""

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pyarrow as pa
from ibis.backends import BaseBackend

from recobra_core.law.caps import build_caps
from recobra_core.law.company_rules import LAW_ALONE
from recobra_core.law.gate import CANDIDATE, HISTORY, judge_candidates
from recobra_core.law.opening_hours import OpeningKey, build_openings, known_zones
from recobra_core.law.tables import build_table

REQUIRED = ("country", "time_zone", "channel", "local_datetime", "prior_contacts")
LOCAL_TIME = "YYYY-MM-DDTHH:MM"
ATTEMPT = "_attempt"
# At the ends of the calendar a day has no neighbour and no time zone.
_FIRST_YEAR = 1900
_LAST_YEAR = 2199


class _ListedContact(NamedTuple):
    """A row as the gate needs it: the candidate, the opening that it depends on, and its rows of HISTORY."""

    candidate: dict[str, object]
    opening: OpeningKey
    prior_contacts: list[dict[str, object]]


class _Answer(NamedTuple):
    """The answer to a row, as the texts of its columns; `allowed` is yes or no, the others may be ''."""

    allowed: str
    reason: str
    rule: str
    source: str


ANSWER = _Answer._fields


@dataclass(kw_only=True)
class UnreadableRow(Exception):
    """A row that cannot be judged: the column, and what was expected of it."""

    column: str
    expected: str


def check_contacts(rows: pa.Table, *, engine: BaseBackend | None = None) -> pa.Table:
    """Answer every row: `allowed` (yes, no), `reason` (empty when allowed), `rule` and `source`.

    Columns: country (PE, BR-SP), time_zone, channel, local_datetime (local to time_zone), prior_contacts
    (`call@2026-07-06T09:00;call_attempt@…`, earlier ones of the same creditor); others pass through. Consent
    is taken as granted, the debt as recent and visits as made. A malformed row is answered no, `unreadable`, its
    `source` says what was expected.
    Raises ValueError where a column is missing. `engine` defaults to ibis's own.
    """
    missing = [name for name in REQUIRED if name not in rows.column_names]
    if missing:
        raise ValueError(f"columns {missing} are missing, expected {list(REQUIRED)}")
    contacts: list[_ListedContact] = []
    answers: dict[int, _Answer] = {}
    for index, row in enumerate(rows.select(REQUIRED).to_pylist()):
        try:
            contact = _read_row(row, index)
        except UnreadableRow as error:
            # A bad row is answered; it never stops the list.
            source = f"expected {error.expected}, found {row[error.column]!r}"
            answers[index] = _Answer(allowed="no", reason="unreadable", rule=f"input/{error.column}", source=source)
        else:
            contacts.append(contact)
    answers |= _judge_contacts(contacts, engine)
    answered = rows
    for name in ANSWER:
        texts = [getattr(answers[index], name) for index in range(rows.num_rows)]
        column = pa.array(texts, type=pa.string())
        if name in answered.column_names:
            answered = answered.set_column(answered.column_names.index(name), name, column)
        else:
            answered = answered.append_column(name, column)
    return answered


def _judge_contacts(contacts: list[_ListedContact], engine: BaseBackend | None) -> dict[int, _Answer]:
    """Pass the contacts through the gate; return the answer to each by its `candidate_id`."""
    candidates = [contact.candidate for contact in contacts]
    keys = [contact.opening for contact in contacts]
    history: list[dict[str, object]] = []
    for contact in contacts:
        history += contact.prior_contacts
    judged = judge_candidates(
        build_table(candidates, schema=CANDIDATE),
        openings=build_openings(keys=keys),
        history=build_table(history, schema=HISTORY),
        caps=build_caps(),
    ).select("candidate_id", *ANSWER)
    verdicts = engine.to_pyarrow(judged) if engine else judged.to_pyarrow()
    return {
        verdict["candidate_id"]: _Answer(
            allowed="yes" if verdict["allowed"] else "no",
            reason=verdict["reason"] or "",
            rule=verdict["rule"] or "",
            source=verdict["source"] or "",
        )
        for verdict in verdicts.to_pylist()
    }


def _read_row(row: Mapping[str, object], index: int) -> _ListedContact:
    """Read one row; `index` becomes the id of its candidate. Raises UnreadableRow."""
    texts = {name: _as_text(row[name]) for name in REQUIRED}
    country, _, region = texts["country"].partition("-")
    if not country:
        raise UnreadableRow(column="country", expected="a country such as PE, or BR-SP")
    at = _parse_local_time(texts["local_datetime"], "local_datetime")
    # Each row is a debtor of its own, so that the caps count its own prior contacts only.
    debtor: dict[str, object] = {"debtor_id": index, "creditor_id": 0, "account_id": 0}
    opening = OpeningKey(
        country=country,
        subdivision=texts["country"] if region else "",
        zones=texts["time_zone"],
        channel=texts["channel"],
        local_date=at.date(),
        house=LAW_ALONE,
    )
    candidate: dict[str, object] = {
        **debtor,
        **opening._asdict(),
        "candidate_id": index,
        "at_utc": _to_utc(at, texts["time_zone"]),
        "opted_out": False,
        "consent": "granted",
        "held": False,
        "hold_reason": "",
        "point_valid": True,
        # What a list does not say is taken as lawful: it asks about channel, hour and earlier contacts only.
        "role": "debtor",
        "stage": "ADMINISTRATIVE",
        "purpose": "CLAIM",
        "oldest_due_date": at.date() - timedelta(days=30),
    }
    prior_contacts = []
    for part in texts["prior_contacts"].split(";"):
        written = part.strip()
        if written:
            prior_contacts.append(debtor | _read_prior_contact(written, at))
    return _ListedContact(candidate=candidate, opening=opening, prior_contacts=prior_contacts)


def _as_text(value: object) -> str:
    """Return a cell as text, '' where it is empty."""
    # A reader of CSV may have turned times into times already.
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value).strip() if value is not None else ""


def _read_prior_contact(text: str, before: datetime) -> dict[str, object]:
    """Return an earlier contact, written `channel@time`, as columns of HISTORY. Raises UnreadableRow.

    `call_attempt@…` is a call that nobody answered.
    """
    kind, _, written_at = text.partition("@")
    at = _parse_local_time(written_at, "prior_contacts")
    channel = kind.removesuffix(ATTEMPT)
    if not channel or at > before:
        raise UnreadableRow(
            column="prior_contacts", expected=f"channel@{LOCAL_TIME} joined by ;, before local_datetime"
        )
    return {"channel": channel, "local_date": at.date(), "reached": not kind.endswith(ATTEMPT)}


def _parse_local_time(text: str, column: str) -> datetime:
    """Return a local date and time. Raises UnreadableRow, which names `column`, for any other text."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    # A bare date would be read as midnight, and an hour with a zone is not the debtor's.
    if at is None or at.tzinfo or len(text) < len(LOCAL_TIME) or not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        prefix = "channel@" if column == "prior_contacts" else ""
        raise UnreadableRow(column=column, expected=f"{prefix}{LOCAL_TIME}")
    return at


def _to_utc(at: datetime, zone: str) -> datetime | None:
    """Return the instant, or None in a zone that the gate will refuse by its name."""
    if zone not in known_zones():
        return None
    utc = at.replace(tzinfo=zoneinfo.ZoneInfo(zone)).astimezone(UTC)
    # There and back gives another hour where the clock was put forward over it.
    if utc.astimezone(zoneinfo.ZoneInfo(zone)).replace(tzinfo=None) != at:
        raise UnreadableRow(column="local_datetime", expected="an hour that the clock change does not skip")
    return utc.replace(tzinfo=None)
