"""What the company itself forbids is not even planned."""

from datetime import date, timedelta

import pytest

from recobra.messaging.models import Contact
from recobra.policy import company_rules as house_rules
from recobra.strategy import operations as strategy
from tests import receivables
from tests.people import acting
from tests.worlds import add_library

MONDAY = date(2026, 11, 23)


@pytest.fixture
def late(company, now):
    add_library(now)
    strategy.ensure_ready_made(actor=acting("dario", now=now))
    strategy.assign_strategy(portfolio_id=company.pk, code="consumo", actor=acting("dario", now=now))
    receivables.fresh_load(company, as_of=MONDAY, now=now)
    return receivables.account(company, receivables.debtor(company, "Rosa"), "L-1", (MONDAY - timedelta(20), 50_000))


def planned(now):
    strategy.run_cycle(as_of=MONDAY, actor=acting("dario", now=now))
    return Contact.objects.get()


def save(company, now, **rule):
    house_rules.save_company_rule(
        code="casa", portfolio_id=company.pk, document={"rules": [rule]}, actor=acting("carla", now=now)
    )


def test_shorter_hours_of_the_company_open_later(late, company, now):
    save(company, now, channels=["email"], windows={"mon-fri": "10:00-17:00"})
    contact = planned(now)
    assert contact.status == "DUE"
    assert contact.due_at.isoformat() == "2026-11-23T15:00:00+00:00"  # 10:00 in Lima
    assert contact.closes_at.isoformat() == "2026-11-23T22:00:00+00:00"


def test_a_channel_that_the_company_never_uses_is_refused_with_its_rule(late, company, now):
    save(company, now, channels=["email"], never=True)
    contact = planned(now)
    assert (contact.status, contact.reason) == ("BLOCKED", "house_bar")
    assert contact.rule.startswith("HOUSE/casa.1/1")


def test_the_rules_of_another_portfolio_are_not_its_rules(late, company, now):
    save(company, now, channels=["sms"], never=True)
    assert planned(now).status == "DUE"
