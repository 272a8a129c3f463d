"""What must never happen, against a second, naive reading of the files: no table, no shared code."""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib import resources

import holidays
import ibis
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests import extent
from tests.core.law.second_reading import CITIES

from recobra_core import yaml_text
from recobra_core.law import CANDIDATE, HISTORY, OPENINGS, build_caps, build_openings, judge_candidates

DATA = resources.files("recobra_core.law") / "data"
FILES = {
    name: yaml_text.load((DATA / f"{name}.yaml").read_text(encoding="utf-8"))
    for name in (f.name.removesuffix(".yaml") for f in DATA.iterdir() if f.name.endswith(".yaml"))
}
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
CHANNELS = ["call", "ivr", "sms", "whatsapp", "email", "letter", "visit"]
CAPS = {"cap_day", "cap_week", "gap", "other_channel", "after_conversation"}
SLOW = settings(
    max_examples=extent.choose(daily=2, whole=6),
    # Contacts are independent of each other: a failing one is named as it is, shrinking its list helps nobody.
    phases=[Phase.generate],
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

places = st.sampled_from(
    [*sorted(FILES), "BR-SP", "BR-RJ", "BR-ES", "BR-AM", "BR-AL", "BR-MG", "CL-AP", "CL-RM", "ES-MD", "AR-C"]
)
moments = st.datetimes(datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2027-12-31")).map(
    lambda at: at.replace(microsecond=0)
)


@st.composite
def contacts(draw):
    place = draw(places)
    zones = draw(st.sets(st.sampled_from(FILES[place[:2]]["time_zones"]), min_size=1, max_size=3))
    return {
        "where": place,
        "zone": "|".join(sorted(zones)),
        "channel": draw(st.sampled_from(CHANNELS)),
        "at": draw(moments),
    }


def rules_of(place, channel):
    """Entries of the file for the place; of a country with states, all of them: the state is unknown."""
    file = FILES[place[:2]]
    states = file.get("subdivisions", {})
    if place in states and any(channel in r["channels"] for r in states[place].get("rules", [])):
        return [r for r in states[place]["rules"] if channel in r["channels"]]
    found = [r for r in file["rules"] if channel in r["channels"]]
    if "-" not in place:
        found += [r for s in states.values() for r in s.get("rules", []) if channel in r["channels"]]
    return found


@cache
def calendar_of(place, year):
    told = FILES[place[:2]]["holiday_calendar"]
    states = [None]
    if told["subdivisions"]:
        parts = [place[3:], *CITIES.get(place, ())]
        states += parts if len(place) > 2 else holidays.country_holidays(told["code"]).subdivisions
    found = set()
    for state in states:
        found |= set(
            holidays.country_holidays(told["code"], subdiv=state, years=year, categories=tuple(told["categories"]))
        )
    return found


def naive_open(rule, place, instant, zone):
    local = instant.replace(tzinfo=UTC).astimezone(zoneinfo.ZoneInfo(zone))
    if not rule["allowed"] or (rule["effective_from"] or date.min) > local.date():
        return False
    if rule["holidays"] == "closed" and local.date() in calendar_of(place, local.year):
        return False
    clock = f"{local:%H:%M}"
    for key, hours in rule["windows"].items():
        first, last = (key + "-" + key).split("-")[:2] if "-" not in key else key.split("-")
        if WEEK.index(first) <= local.weekday() <= WEEK.index(last):
            return hours[:5] <= clock < hours[6:]
    return False


@SLOW
@given(cases=st.lists(contacts(), min_size=60, max_size=60))
def test_no_contact_is_allowed_outside_the_law(judge, cases):
    for case, answer in zip(cases, judge(cases), strict=True):
        if answer["allowed"]:
            for zone in case["zone"].split("|"):
                for rule in rules_of(case["where"], case["channel"]):
                    assert naive_open(rule, case["where"], answer["at_utc"], zone), (case, zone, rule)


@SLOW
@given(cases=st.lists(contacts(), min_size=60, max_size=60))
def test_where_the_zone_is_known_nothing_lawful_is_refused(judge, cases):
    sure = [case | {"zone": case["zone"].split("|")[0]} for case in cases]
    for case, answer in zip(sure, judge(sure), strict=True):
        rules = rules_of(case["where"], case["channel"])
        lawful = all(naive_open(r, case["where"], answer["at_utc"], case["zone"]) for r in rules)
        assert answer["allowed"] is lawful, case


@st.composite
def histories(draw):
    """A Tuesday or Friday at ten with up to six earlier contacts in the ten days before."""
    day = draw(st.sampled_from([date(2026, 7, 7), date(2026, 7, 17)]))
    before = draw(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(CHANNELS), st.booleans()), max_size=6))
    return {
        "where": draw(st.sampled_from(sorted(FILES))),
        "channel": draw(st.sampled_from(CHANNELS)),
        "account": draw(st.sampled_from([7, 8, None])),
        "past": before,
        "at": datetime.combine(day, time(10)),
        "before": [
            f"{channel}{'' if answered else '_attempt'} {day - timedelta(days=ago)}T09:00"
            for ago, channel, answered in before
        ],
    }


def naive_full(cap, case):
    """Whether a cap has no room left, said again in loops."""
    span = {"day": 1, "week": 7, "7_consecutive_days": 7}.get(cap.get("per")) or cap["clear_days"] + 1
    seen = 0
    for ago, channel, answered in case["past"]:
        reached = answered or channel not in {"call", "ivr", "visit"}
        tries = cap.get("counts") == "attempts" or cap.get("per") == "day"
        if ago >= span or (not reached and not tries):
            continue
        if cap.get("subject") == "debt" and case["account"] == 8:
            continue
        if cap.get("counts") == "distinct_channels":
            seen += channel != case["channel"]
        elif cap.get("scope") == "channel":
            seen += channel == case["channel"]
        elif cap.get("scope") == "all":
            seen += 1
        else:
            seen += channel in cap["channels"]
    return seen >= (1 if "clear_days" in cap else max(cap["n"], 1))


@SLOW
@given(cases=st.lists(histories(), min_size=60, max_size=60))
def test_a_cap_refuses_exactly_when_it_is_full(judge, cases):
    answered = 0
    for case, answer in zip(cases, judge(cases), strict=True):
        (rule,) = {id(r): r for r in FILES[case["where"]]["rules"] if case["channel"] in r["channels"]}.values()
        full = {
            f"{case['where']}/{name}" for name in rule["caps"] if naive_full(FILES[case["where"]]["caps"][name], case)
        }
        if answer["reason"] is None:
            assert not full, case
        elif answer["reason"] in CAPS:
            assert answer["rule"] in full, case
        answered += answer["reason"] is None or answer["reason"] in CAPS
    assert answered > len(cases) / 3


def test_a_forgotten_opening_blocks(engine, stored):
    one = {"candidate_id": 1, "debtor_id": 1, "creditor_id": 1, "local_date": date(2026, 7, 6)}
    known = {"opted_out": False, "held": False, "point_valid": True, "role": "debtor", "purpose": "CLAIM"}
    table = judge_candidates(
        stored([one | known], CANDIDATE),
        openings=build_openings(keys=[]),
        history=stored([], HISTORY),
        caps=build_caps(day=date(2026, 7, 6)),
    )
    (answer,) = engine.to_pyarrow(table).to_pylist()
    assert (answer["allowed"], answer["reason"]) == (False, "unknown_opening")


@pytest.mark.parametrize(
    ("column", "kind", "complaint"),
    [
        ("at_utc", "timestamp('UTC')", "at_utc is timestamp\\('UTC'\\)"),
        ("held", "string", "held is string"),
        ("zones", None, "zones is missing"),
    ],
)
def test_facts_of_another_kind_are_refused_by_name(column, kind, complaint):
    wrong = {name: (kind if name == column else each) for name, each in CANDIDATE.items()}
    with pytest.raises(TypeError, match=complaint):
        judge_candidates(
            ibis.table({name: each for name, each in wrong.items() if each is not None}, name="candidates"),
            openings=ibis.table(OPENINGS, name="openings"),
            history=ibis.table(HISTORY, name="history"),
            caps=build_caps(),
        )
