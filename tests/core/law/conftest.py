"""Contacts written in words, judged by the gate in one query."""

import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from ibis.backends import BaseBackend

from recobra_core.law import (
    CANDIDATE,
    HISTORY,
    LAW_ALONE,
    OpeningKey,
    add_holds_until,
    build_caps,
    build_openings,
    join_openings,
    judge_candidates,
    merge_company_rules,
    read_company_rules,
    zones_for,
)

Case = Mapping[str, Any]
Stored = Callable[[list[dict[str, Any]], ibis.Schema], ibis.Table]
Judge = Callable[[Iterable[Case]], list[dict[str, Any]]]

ACCOUNT_OF_THE_PAST = 7
COMPANY_RULES = {
    house.name: house
    for house in (
        read_company_rules(
            """
            name: prudente
            rules:
            - {channels: [ivr], never: true}
            - {countries: [PE], channels: [call], windows: {mon-thu: '10:00-12:00'}, closed_days: [2026-07-07]}
            - {countries: [PE], channels: [sms], caps: [{n: 2, per: month}, {clear_days: 5}], max_debt_age_days: 365}
            - {countries: [US], channels: [call], holidays: closed}
            """
        ),
        read_company_rules({"name": "visitas", "visits": "open"}),
        read_company_rules(
            """
            name: etapas
            rules:
            - {channels: [whatsapp], stages: [JUDICIAL], never: true}
            - {stages: [EXTRAJUDICIAL, JUDICIAL], roles: [debtor]}
            """
        ),
        read_company_rules(
            """
            name: decidida
            decision: El directorio lo aprobó; el sector atiende hasta las siete.
            rules:
            - {channels: [call], windows: {mon-sat: '08:00-19:00'}, caps: [{n: 3, per: day, scope: channel}], workplace: [call]}
            - {channels: [call], holidays: open}
            - {stages: [PREVENTIVE], roles: [debtor, guarantor]}
            """
        ),
        merge_company_rules(name="feriados", parts=(), holidays=frozenset({date(2026, 12, 24)})),
    )
}


@pytest.fixture(scope="module")
def stored(engine: BaseBackend, tmp_path_factory: pytest.TempPathFactory) -> Stored:
    """Rows as the engine reads them from Parquet, the way that portfolios come."""
    folder, numbers = tmp_path_factory.mktemp("rows"), count()

    def table(rows: list[dict[str, Any]], schema: ibis.Schema) -> ibis.Table:
        file = folder / f"{next(numbers)}.parquet"
        pq.write_table(pa.Table.from_pylist(rows, schema=schema.to_pyarrow()), file)
        return engine.read_parquet(file)

    return table


@pytest.fixture(scope="module")
def judge(engine: BaseBackend, stored: Stored) -> Judge:
    """Judge cases (see gate_cases.yaml) together; one verdict per case, in order."""

    def judged(cases: Iterable[Case]) -> list[dict[str, Any]]:
        cases = list(cases)
        rows = [candidate(case, number) for number, case in enumerate(cases)]
        keys = [OpeningKey(*(row[name] for name in OpeningKey._fields)) for row in rows]
        past = [row for number, case in enumerate(cases) for row in history(case, number)]
        table = judge_candidates(
            stored(rows, CANDIDATE),
            openings=build_openings(keys=keys, company_rules=COMPANY_RULES),
            history=stored(past, HISTORY),
            caps=build_caps(company_rules=COMPANY_RULES),
        )
        answer = sorted(engine.to_pyarrow(table).to_pylist(), key=lambda row: row["candidate_id"])
        assert [row["candidate_id"] for row in answer] == list(range(len(cases)))
        return answer

    return judged


@pytest.fixture(scope="module")
def until(engine: BaseBackend, stored: Stored) -> Callable[[list[Case]], list[tuple[bool, str | None]]]:
    """Say of cases in Lima whether each is allowed, and until when by its clocks; all of them in one judgement."""

    def answer(cases: list[Case]) -> list[tuple[bool, str | None]]:
        zone = "America/Lima"
        rows = [
            candidate({"where": "PE", "zone": zone, "channel": "sms", **case}, number)
            for number, case in enumerate(cases)
        ]
        keys = {OpeningKey(*(row[name] for name in OpeningKey._fields)) for row in rows}
        opened = build_openings(keys=sorted(keys, key=str), company_rules=COMPANY_RULES)
        judged = judge_candidates(
            stored(rows, CANDIDATE),
            openings=opened,
            history=stored([], HISTORY),
            caps=build_caps(company_rules=COMPANY_RULES),
        )
        judgements = engine.to_pyarrow(add_holds_until(join_openings(judged, openings=opened))).to_pylist()
        answers = []
        for found in sorted(judgements, key=lambda row: row["candidate_id"]):
            end = found["holds_until_epoch"]
            local = end and datetime.fromtimestamp(end, zoneinfo.ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
            answers.append((found["allowed"], local if found["allowed"] else None))
        return answers

    return answer


def candidate(case: Case, number: int) -> dict[str, Any]:
    country, dash, _ = case["where"].partition("-")
    region = case["where"] if dash else None
    zones = case.get("zone") or zones_for(country=country, subdivision=region, stated_zone=None)
    local = datetime.fromisoformat(str(case["at"]))
    first = zones.split("|")[0]
    known = zoneinfo.ZoneInfo(first if first in zoneinfo.available_timezones() else "UTC")
    row = {
        "candidate_id": number,
        "debtor_id": number,
        "creditor_id": 1,
        "account_id": case.get("account"),
        "country": country,
        "subdivision": region,
        "zones": zones,
        "channel": case["channel"],
        "local_date": local.date(),
        "at_utc": local.replace(tzinfo=known).astimezone(UTC).replace(tzinfo=None),
        "opted_out": False,
        "consent": "granted",
        "held": False,
        "hold_reason": None,
        "point_valid": True,
        "role": "debtor",
        "stage": "ADMINISTRATIVE",
        "place": "",
        "purpose": "CLAIM",
        "oldest_due_date": local.date() - timedelta(days=40),
        "house": LAW_ALONE,
        "replies_to_at_utc": None,
    }
    if "answers" in case:
        row |= {"purpose": "REPLY", "replies_to_at_utc": row["at_utc"] - timedelta(minutes=case["answers"])}
    return row | case.get("facts", {})


def history(case: Case, number: int) -> Iterable[dict[str, Any]]:
    for text in case.get("before", ()):
        kind, at = text.split()
        yield {
            "creditor_id": 1,
            "debtor_id": number,
            "account_id": ACCOUNT_OF_THE_PAST,
            "channel": kind.removesuffix("_attempt"),
            "local_date": datetime.fromisoformat(at).date(),
            "reached": not kind.endswith("_attempt"),
        }
