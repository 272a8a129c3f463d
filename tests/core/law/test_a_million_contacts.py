"""A million simulated contacts: what the gate allows is lawful by a second reading, and what that allows it allows.

Debtors of 18 countries are contacted for weeks, around clock changes and holidays, by every channel. What the gate
lets through becomes the history of the next round, as it would in life.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pytest
from tests import extent
from tests.core.law.second_reading import COMPANY, EVERY, WRITTEN, Contact, Past, Person, objection, utc

from recobra_core.law import (
    CANDIDATE,
    CAPS,
    HISTORY,
    OPENINGS,
    OpeningKey,
    build_caps,
    build_openings,
    caps,
    judge_candidates,
    load_countries,
    opening_hours,
    read_company_rules,
)
from recobra_core.law.files import read_country

SEED = 20261122
PER_PLACE = extent.choose(daily=3, whole=192)  # at least one under each house
FEW = 600
LEAST_ALLOWED = extent.choose(daily=30, whole=2_000)
LEAST_JUDGED = extent.choose(daily=15_000, whole=1_000_000)
ROUNDS_A_DAY = 3
SAMPLE_OF_REFUSALS = 8
# Around the clock changes of the US, the EU and Chile, Holy Week, national days and the end of a year.
BLOCKS = [date(2026, 3, 5), date(2026, 4, 23), date(2026, 9, 2), date(2026, 10, 22), date(2026, 12, 21)]
BLOCK_DAYS = 8
HOLY_WEEK = (date(2026, 3, 28), date(2026, 4, 6))
PLACES: list[tuple[str, str, tuple[str, ...]]] = [
    ("PE", "", ("America/Lima",)),
    ("MX", "", ("America/Mexico_City",)),
    ("MX", "", ("America/Tijuana", "America/Hermosillo")),
    ("MX", "MX-CHH", ("America/Chihuahua", "America/Ciudad_Juarez", "America/Ojinaga")),
    ("CO", "", ("America/Bogota",)),
    ("CL", "CL-RM", ("America/Santiago",)),
    ("CL", "CL-VS", ("America/Santiago", "Pacific/Easter")),
    ("CL", "CL-AI", ("America/Coyhaique",)),
    ("CL", "", ("America/Santiago", "America/Punta_Arenas", "Pacific/Easter")),
    ("AR", "AR-C", ("America/Argentina/Buenos_Aires",)),
    ("AR", "AR-M", ("America/Argentina/Buenos_Aires",)),
    ("AR", "", ("America/Argentina/Buenos_Aires",)),
    ("BR", "BR-SP", ("America/Sao_Paulo",)),
    ("BR", "BR-RJ", ("America/Sao_Paulo",)),
    ("BR", "BR-ES", ("America/Sao_Paulo",)),
    ("BR", "BR-AM", ("America/Manaus", "America/Eirunepe")),
    ("BR", "BR-AL", ("America/Maceio",)),
    ("BR", "BR-PE", ("America/Recife", "America/Noronha")),
    ("BR", "", ("America/Sao_Paulo", "America/Rio_Branco")),
    ("EC", "", ("America/Guayaquil", "Pacific/Galapagos")),
    ("EC", "EC-W", ("Pacific/Galapagos",)),
    ("BO", "", ("America/La_Paz",)),
    ("PY", "", ("America/Asuncion",)),
    ("UY", "", ("America/Montevideo",)),
    ("PA", "", ("America/Panama",)),
    ("CR", "", ("America/Costa_Rica",)),
    ("GT", "", ("America/Guatemala",)),
    ("SV", "", ("America/El_Salvador",)),
    ("HN", "", ("America/Tegucigalpa",)),
    ("DO", "", ("America/Santo_Domingo",)),
    ("US", "", ("America/New_York",)),
    ("US", "", ("America/Phoenix", "America/Los_Angeles", "America/Denver")),
    ("US", "", ("Pacific/Honolulu", "America/Anchorage")),
    ("ES", "ES-MD", ("Europe/Madrid",)),
    ("ES", "ES-CN", ("Atlantic/Canary",)),
    ("ES", "", ("Europe/Madrid", "Atlantic/Canary")),
]
HOUSES = ("law", "", "prueba")


def people(number: int, country: str = "") -> list[Person]:
    """So many people of each place, under each house in turn; of one country or of all."""
    places = [place for place in PLACES if country in {"", place[0]}]
    return [Person(*place, house=HOUSES[each % len(HOUSES)]) for place in places for each in range(number)]


EDGES = [hour * 60 + minute for hour in range(6, 23) for minute in (0, 59)]
HELD_FOR = ["DISPUTE", "PROMISE", "MINOR", "DECEASED", "CEASE_LETTER", "ATTORNEY", "SUIT_SERVED", "INSOLVENCY", ""]
MINUTES_SINCE = [0, 1, 14, 15, 16, 300, 1439, 1440, 2000, -5]


def test_the_gate_and_the_second_reading_agree_on_a_million_contacts(capsys):
    run = Run(people(PER_PLACE)).over(_days())
    with capsys.disabled():
        print(f"\n{run.report()}")  # noqa: T201 - the figures are what the test is for
    assert run.unlawful == []
    assert run.too_strict == []
    assert run.judged >= LEAST_JUDGED
    assert set(run.allowed) == {place[0] for place in PLACES}
    assert min(run.allowed.values()) > LEAST_ALLOWED
    assert set(run.by_channel) == set(EVERY)


BARRED = "allowed: false\n  basis: law\n  windows: {}"
ERRORS = [
    ("an hour more", "PE", "mon-fri: '07:00-20:00'", "mon-fri: '07:00-21:00'"),
    ("an hour less", "PE", "mon-fri: '07:00-20:00'", "mon-fri: '07:00-19:00'"),
    ("a Saturday", "MX", "mon-fri: '07:00-22:00'", "mon-sat: '07:00-22:00'"),
    ("two contacts a day", "CO", "n: 1, per: day", "n: 2, per: day"),
    ("no gap", "CL", "clear_days: 2", "clear_days: 1"),
    ("a week of two calls", "CL", "n: 1, per: week", "n: 2, per: week"),
    ("open holidays", "CL", "holidays: closed", "holidays: open"),
    (
        "visits where they are barred",
        "CO",
        BARRED,
        BARRED.replace("false", "true").replace("{}", "{mon-fri: '07:00-19:00'}"),
    ),
    ("authorisation not asked", "CO", "consent: {required: true", "consent: {required: false"),
    ("guarantors too", "GT", "roles: [debtor]", "roles: [debtor, guarantor]"),
    ("references", "MX", "roles: [debtor, co_debtor, guarantor]", "roles: [debtor, co_debtor, guarantor, reference]"),
    ("contact at work", "UY", "channels: []", "channels: [call, ivr, sms, whatsapp, email, letter]"),
    ("prescribed debt", "BR", "bars_contact: true", "bars_contact: false"),
    ("answers at midnight", "PE", "any_hour_minutes: 15", "any_hour_minutes: 600"),
    ("answers two days late", "PE", "within_hours: 24", "within_hours: 48"),
    ("advertising", "PE", "consent: required", "consent: not_required"),
]


def test_every_country_is_read_a_second_time():
    assert {country for country, _subdivision, _zones in PLACES} == set(load_countries())


@pytest.mark.parametrize(("country", "right", "wrong"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_an_error_in_the_data_is_found(country, right, wrong, monkeypatch):
    text = (resources.files("recobra_core.law") / "data" / f"{country}.yaml").read_text(encoding="utf-8")
    assert right in text
    altered = read_country(text.replace(right, wrong), file=f"{country}.yaml")
    changed = dict(load_countries()) | {country: altered}
    for module in (opening_hours, caps):
        monkeypatch.setattr(module, "load_countries", lambda: changed)
    run = Run(people(FEW // len([place for place in PLACES if place[0] == country]), country))
    found = (run.unlawful or run.too_strict for day in _days([]) if run.over([day]))
    assert any(found)


def _days(blocks: Iterable[date] = BLOCKS) -> Iterator[date]:
    spans = [(first, first + timedelta(days=BLOCK_DAYS)) for first in blocks] + [HOLY_WEEK]
    for first, end in sorted(spans):
        yield from (first + timedelta(days=n) for n in range((end - first).days))


class Rows:
    """Rows that change from round to round, read by DuckDB as an Arrow stream: over others it plans at each round."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_schema__(self) -> object:
        return self.table.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


@dataclass
class Run:
    """The simulator: draws a round of contacts, asks the gate, reads each answer again and remembers what was sent."""

    people: list[Person]
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(SEED))
    engine: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)
    judged: int = 0
    reread: int = 0
    allowed: Counter[str] = field(default_factory=Counter)
    by_channel: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    unlawful: list[Any] = field(default_factory=list)
    too_strict: list[Any] = field(default_factory=list)
    day: date | None = None
    rows: dict[str, Rows] = field(default_factory=dict)
    is_prepared: bool = False

    def __post_init__(self) -> None:
        self.forget()
        house = read_company_rules(COMPANY)
        self.houses = {house.name: house}
        self.engine.execute("SET threads = 1; SET TimeZone = 'UTC'")
        self.give("caps", build_caps(company_rules=self.houses).to_pyarrow())

    def over(self, days: Iterable[date]) -> "Run":
        for day in days:
            if day in BLOCKS or day == HOLY_WEEK[0]:
                self.forget()
            for _ in range(ROUNDS_A_DAY):
                self.round(day)
        return self

    def forget(self) -> None:
        """Begin a block: what lies a month back counts no more."""
        self.sent: list[dict[str, Any]] = []
        self.past: dict[int, list[Past]] = defaultdict(list)

    def give(self, name: str, table: pa.Table) -> None:
        """Let the gate read a table under its name."""
        if name not in self.rows:
            self.rows[name] = Rows(table)
            self.engine.register(name, self.rows[name])
        assert table.schema.equals(self.rows[name].table.schema)
        self.rows[name].table = table

    def judge(self) -> list[tuple[Any, ...]]:
        """Return the gate's answers to what it was given."""
        if not self.is_prepared:
            self.engine.execute(f"PREPARE gate AS {_statement()}")
            self.is_prepared = True
        return self.engine.execute("EXECUTE gate").fetchall()

    def round(self, day: date) -> None:
        contacts = self.draw(day)
        if day != self.day:
            self.day = day
            keys = {
                OpeningKey(p.country, p.state, "|".join(p.zones), c, day, p.house)
                for p in set(self.people)
                for c in EVERY
            }
            self.give("openings", build_openings(keys=keys, company_rules=self.houses).to_pyarrow())
        self.give("candidates", _candidates(self.people, contacts, day))
        self.give("history", pa.Table.from_pylist(self.sent, schema=HISTORY.to_pyarrow()))
        answers = self.judge()
        outcome = self.rng.integers(0, 3, len(contacts)).tolist()
        for number, (contact, (_, allowed, reason)) in enumerate(zip(contacts, answers, strict=True)):
            self.read_again(number, contact, allowed=allowed, reason=reason or "")
            if allowed:
                self.remember(number, contact, day, reached=(True, False, None)[outcome[number]])
        self.judged += len(contacts)

    def read_again(self, number: int, contact: Contact, *, allowed: bool, reason: str) -> None:
        self.reasons[reason] += 1
        if not allowed and (self.judged + number) % SAMPLE_OF_REFUSALS:
            return
        person = self.people[number]
        found = objection(person, contact, self.past[number])
        self.reread += 1
        if allowed and found:
            self.unlawful.append((found, person, contact))
        if not allowed and not found:
            self.too_strict.append((reason, person, contact))

    def remember(self, number: int, contact: Contact, day: date, *, reached: bool | None) -> None:
        person = self.people[number]
        self.allowed[person.country] += 1
        self.by_channel[contact.channel] += 1
        if (
            contact.answers
            and contact.purpose == "REPLY"
            and timedelta(0) <= contact.at - contact.answers < timedelta(1)
        ):
            return
        reached = True if contact.channel in WRITTEN else reached
        self.past[number].append(Past(day, contact.channel, reached, contact.debt))
        self.sent.append(
            {
                "creditor_id": 1,
                "debtor_id": number,
                "account_id": contact.debt,
                "channel": contact.channel,
                "local_date": day,
                "reached": reached,
            }
        )

    def draw(self, day: date) -> list[Contact]:
        """One contact to each person, mostly plain ones: a claim to the debtor, at an hour near an edge or at noon."""
        size = len(self.people)
        some = self.rng.random((10, size))
        edge = self.rng.choice(EDGES, size)
        minute = np.where(some[0] < 0.5, edge, self.rng.integers(0, 1440, size))
        minute = np.where(some[0] > 0.75, self.rng.integers(570, 1050, size), minute).tolist()
        columns = zip(
            minute,
            self.rng.choice(EVERY, size).tolist(),
            _mostly(some[1], "debtor", ["co_debtor", "guarantor", "reference", "other", None], 0.06),
            _mostly(some[2], "", ["personal", "work", "other_person"], 0.06),
            _mostly(some[3], "CLAIM", ["NOTICE", "OFFER", "MANUAL", "REPLY", "REPLY", "REPLY", None], 0.12),
            _mostly(some[4], False, [True, None], 0.02),
            _mostly(some[5], "granted", [None, "denied"], 0.15),
            _mostly(some[6], False, [True, True, True, None], 0.04),
            _mostly(some[7], True, [False, None], 0.02),
            self.rng.choice(HELD_FOR, size).tolist(),
            self.rng.integers(0, 2600, size).tolist(),
            self.rng.integers(0, 4, size).tolist(),
            self.rng.choice(MINUTES_SINCE, size).tolist(),
            strict=True,
        )
        return [_contact(person, day, row) for person, row in zip(self.people, columns, strict=True)]

    def report(self) -> str:
        lawful = sum(self.allowed.values())
        told = ", ".join(f"{reason or 'allowed'} {count:,}" for reason, count in self.reasons.most_common())
        return (
            f"{self.judged:,} contacts judged, {lawful:,} allowed, {self.reread:,} read again: "
            f"{len(self.unlawful)} unlawful, {len(self.too_strict)} refused for nothing.\n{told}"
        )


@cache
def _statement() -> str:
    judged = judge_candidates(
        ibis.table(CANDIDATE, name="candidates"),
        openings=ibis.table(OPENINGS, name="openings"),
        history=ibis.table(HISTORY, name="history"),
        caps=ibis.table(CAPS, name="caps"),
    )
    answer = judged.select("candidate_id", "allowed", "reason").order_by("candidate_id")
    return str(ibis.to_sql(answer, dialect="duckdb"))


def _mostly(chance: Any, ordinary: Any, others: list[Any], share: float) -> list[Any]:
    step = share / len(others)
    return [ordinary if each >= share else others[int(each / step) % len(others)] for each in chance.tolist()]


def _contact(person: Person, day: date, row: Any) -> Contact:
    minute, channel, role, place, purpose, opted_out, consent, held, valid, why, age, debt, since = row
    at = utc(day, minute, person.zones[0])
    return Contact(
        at=at,
        channel=channel,
        role=role,
        place=place,
        purpose=purpose,
        opted_out=opted_out,
        consent=consent,
        held=held,
        why_held=why if held else "",
        valid=valid,
        due=day - timedelta(days=age) if age else None,
        debt=debt or None,
        answers=at - timedelta(minutes=since) if purpose == "REPLY" else None,
    )


def _candidates(people: list[Person], contacts: list[Contact], day: date) -> pa.Table:
    rows = zip(people, contacts, strict=True)
    columns: dict[str, list[Any]] = {name: [] for name in CANDIDATE}
    for number, (person, contact) in enumerate(rows):
        told = (
            number,
            number,
            1,
            contact.debt,
            person.country,
            person.state,
            "|".join(person.zones),
            contact.channel,
            day,
            _naive(contact.at),
            contact.opted_out,
            contact.consent,
            contact.held,
            contact.why_held or None,
            contact.valid,
            contact.role,
            "ADMINISTRATIVE",
            contact.place,
            contact.purpose,
            contact.due,
            person.house,
            _naive(contact.answers),
        )
        for column, value in zip(columns.values(), told, strict=True):
            column.append(value)
    return pa.table(columns, schema=CANDIDATE.to_pyarrow())


def _naive(at: datetime | None) -> datetime | None:
    return at and at.astimezone(UTC).replace(tzinfo=None)
