"""Rules of the company may only tighten: what would loosen is refused with the law's own article."""

import pytest

from recobra_core.documents import DocumentError
from recobra_core.law import (
    LAW_ALONE,
    find_loosenings,
    load_countries,
    merge_company_rules,
    read_company_rules,
)


def house(**rule):
    return read_company_rules({"name": "casa", "rules": [rule]})


LOOSE = [
    (
        "PE",
        {"channels": ["call"], "windows": {"mon-fri": "07:00-21:00"}},
        "window_wider",
        "PE/call/window",
        "art. 62.b",
    ),
    ("PE", {"channels": ["call"], "windows": {"sat": "10:00-11:00"}}, "window_wider", "PE/call/window", "art. 62.b"),
    ("CO", {"channels": ["sms"], "caps": [{"n": 2, "per": "day"}]}, "cap_higher", "CO/all/cap-1", "Ley 2300"),
    (
        "CO",
        {"channels": ["sms"], "caps": [{"n": 2, "per": "day", "scope": "channel"}]},
        "cap_higher",
        "CO/all/cap-1",
        "Ley 2300",
    ),
    (
        "US",
        {"channels": ["call"], "caps": [{"n": 8, "per": "week", "scope": "channel"}]},
        "cap_higher",
        "US/voice/cap-1",
        "1006.14",
    ),
    (
        "CL",
        {"channels": ["sms"], "caps": [{"clear_days": 1, "scope": "channel"}]},
        "gap_shorter",
        "CL/messages/gap-1",
        "art. 37",
    ),
    ("CL", {"channels": ["call"], "holidays": "open"}, "holiday_opened", "CL/call/holidays", "art. 37"),
    ("CO", {"channels": ["sms"], "consent": "not_required"}, "consent_dropped", "CO/sms/consent", "art. 2"),
    ("CO", {"channels": ["visit"], "never": False}, "channel_opened", "CO/visit/barred", "Ley 2300"),
    ("US", {"channels": ["call"], "workplace": ["call"]}, "workplace_opened", "US/workplace", "1006.6"),
    ("BO", {"channels": ["call"], "windows": {"mon-fri": "08:00-19:00"}}, "window_wider", "BO/call/window", "default"),
]


@pytest.mark.parametrize(("country", "rule", "what", "law", "article"), LOOSE)
def test_what_would_loosen_is_named_with_rule_and_article(country, rule, what, law, article):
    (found,) = find_loosenings(house(**rule), country=country)
    assert (found.what, found.rule, found.company_rule) == (what, law, "HOUSE/casa/1")
    assert article in found.article


@pytest.mark.parametrize(
    ("country", "rule"),
    [
        ("PE", {"windows": {"mon-fri": "09:00-18:00"}}),
        ("PE", {"caps": [{"n": 1, "per": "day"}, {"n": 3, "per": "week"}, {"n": 8, "per": "month"}]}),
        ("PE", {"caps": [{"clear_days": 3}], "closed_days": ["2026-12-24"], "max_debt_age_days": 900}),
        ("CL", {"caps": [{"clear_days": 4, "scope": "channel"}], "channels": ["sms"]}),
        ("US", {"channels": ["call"], "holidays": "closed", "workplace": [], "consent": "required"}),
        ("CO", {"channels": ["call"], "never": True, "holidays": "closed"}),
        ("CO", {"countries": ["PE"], "consent": "not_required"}),
        ("CL", {"channels": ["sms"], "caps": [{"n": 3, "per": "week"}]}),
    ],
)
def test_what_tightens_is_taken(country, rule):
    assert find_loosenings(house(**rule), country=country) == ()


def test_visits_may_be_opened_but_not_where_the_law_bars_them():
    opened = read_company_rules("{name: casa, visits: open}")
    barred = {code: find_loosenings(opened, country=code) for code in load_countries()}
    assert {code for code, found in barred.items() if found} == {"CO"}
    assert barred["CO"][0].rule == "CO/visit/barred"


def test_houses_of_company_and_portfolio_join_under_one_name():
    one = read_company_rules({"name": "todas", "rules": [{"channels": ["ivr"], "never": True}]})
    joined = merge_company_rules(name="todas+banco", parts=[one, house(closed_days=["2026-12-24"])])
    assert [rule.rule for rule in joined.rules] == ["HOUSE/todas/1", "HOUSE/casa/1"]
    assert not joined.visits_open


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ({"name": LAW_ALONE}, "name: found «law»"),
        ({"name": "a", "rules": [{"sorpresa": 1}]}, "rules[0].sorpresa: found «sorpresa»; expected one of"),
        ({"name": "a", "rules": [{"channels": ["fax"]}]}, "rules[0].channels[0]: found «fax»; expected one of"),
        ({"name": "a", "rules": [{"windows": {"mon": "9-18"}}]}, "rules[0].windows.mon: found «9-18»; expected hours"),
        ({"name": "a", "rules": [{"caps": [{"n": 0, "per": "day"}]}]}, "rules[0].caps[0].n: found «0»; expected"),
        ({"name": "a", "rules": [{"caps": [{"n": 1, "per": "year"}]}]}, "rules[0].caps[0].per: found «year»; expected"),
        (
            {"name": "a", "rules": [{"closed_days": ["mañana"]}]},
            "rules[0].closed_days[0]: found «mañana»; expected a day",
        ),
        ({"name": "a", "rules": [{"max_debt_age_days": 0}]}, "rules[0].max_debt_age_days: found «0»"),
        ({"name": "a", "rules": [{"holidays": "maybe"}]}, "rules[0].holidays: found «maybe»; expected one of"),
        ("[]", "document: found «[]»; expected a group of fields"),
    ],
)
def test_a_wrong_document_is_refused_by_key(document, complaint):
    with pytest.raises(DocumentError) as wrong:
        read_company_rules(document)
    assert complaint in str(wrong.value)


@pytest.mark.parametrize(
    ("country", "rule"),
    [
        ("PE", {"caps": [{"n": 3, "per": "day"}]}),
        ("BO", {"channels": ["call"], "windows": {"mon-fri": "08:00-19:00"}}),
        ("BO", {"channels": ["call"], "holidays": "open"}),
        ("PE", {"stages": ["PREVENTIVE"], "roles": ["debtor", "guarantor"]}),
    ],
)
def test_only_a_caution_of_ours_is_the_companys_to_decide(country, rule):
    assert {found.basis for found in find_loosenings(house(**rule), country=country)} == {"default"}


def test_a_stage_alone_says_nothing():
    with pytest.raises(DocumentError):
        house(stages=["JUDICIAL"], closed_days=["2026-12-24"])
