"""Company rules: tighter than the law, never looser, per portfolio or for all."""

from __future__ import annotations

import pytest

from recobra.policy import company_rules as house_rules
from recobra.policy.company_rules import CompanyRuleRefused
from recobra.policy.models import HouseRule
from recobra.portfolio.models import Portfolio
from tests.people import acting

EVENINGS_OFF = {"rules": [{"channels": ["call", "sms"], "windows": {"mon-fri": "09:00-18:00"}}]}
ONE_A_WEEK = {"rules": [{"caps": [{"n": 1, "per": "week", "scope": "all"}]}]}


def save(document, now, portfolio=None, code="casa"):
    return house_rules.save_company_rule(
        code=code, portfolio_id=portfolio and portfolio.pk, document=document, actor=acting("carla", now=now)
    )


def test_a_tighter_rule_is_in_force_for_its_portfolio_alone(company, now):
    other = Portfolio.objects.create(
        creditor=company.creditor,
        code="PE-OTRA",
        name="Otra",
        industry="SERVICES",
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )
    save(EVENINGS_OFF, now, company)
    found = house_rules.company_rules_in_force()
    assert set(found.name_by_portfolio) == {company.pk}
    assert other.pk not in found.name_by_portfolio
    assert found.name_by_portfolio[company.pk] == "casa.1"


def test_rules_for_all_and_for_one_hold_together(company, now):
    save(ONE_A_WEEK, now, code="todas")
    save(EVENINGS_OFF, now, company, code="casa")
    found = house_rules.company_rules_in_force([company.pk])
    house = found.rules_by_name[found.name_by_portfolio[company.pk]]
    assert house.name == "casa.1+todas.1"
    assert [rule.rule for rule in house.rules] == ["HOUSE/casa.1/1", "HOUSE/todas.1/1"]


@pytest.mark.parametrize(
    "document",
    [
        {"rules": [{"channels": ["call"], "windows": {"mon-sat": "07:00-20:00"}}]},
        {"rules": [{"channels": ["call"], "windows": {"mon-fri": "06:00-20:00"}}]},
        {"rules": [{"channels": ["visit"], "holidays": "open"}]},
    ],
)
def test_what_loosens_the_law_is_refused_with_the_article(company, now, document):
    with pytest.raises(CompanyRuleRefused) as refused:
        save(document, now, company)
    assert any("29571" in loosening.article for loosening in refused.value.loosenings)
    assert not HouseRule.objects.exists()


def test_what_cannot_be_read_is_refused_with_the_key(company, now):
    with pytest.raises(CompanyRuleRefused, match="windows"):
        save({"rules": [{"windows": {"mon-fri": "25:00-26:00"}}]}, now, company)


def test_a_new_version_takes_the_place_of_the_old_one_which_is_kept(company, now):
    save(EVENINGS_OFF, now, company)
    save(ONE_A_WEEK, now, company)
    assert [(rule.version, rule.retired_at is None) for rule in HouseRule.objects.all()] == [(2, True), (1, False)]
    assert house_rules.company_rules_in_force().name_by_portfolio == {company.pk: "casa.2"}


def test_a_retired_rule_judges_no_more(company, now):
    saved = save(EVENINGS_OFF, now, company)
    house_rules.retire_company_rule(house_rule_id=saved.pk, actor=acting("carla", now=now))
    assert house_rules.company_rules_in_force().name_by_portfolio == {}
