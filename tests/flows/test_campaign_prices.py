"""Prices below a cent in a campaign: they add up exactly, and no budget is overdrawn by whoever carries the message."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from recobra.messaging.models import Contact, Provider, Template
from recobra.portfolio.models import Account, Concept, ContactPoint, Debtor, Instalment, Posting
from recobra.strategy import queries_campaigns as queries
from recobra.strategy.models import Campaign, CampaignMember
from recobra.strategy.operations import campaigns
from recobra_core.money import rounded_units
from tests import receivables
from tests.people import acting
from tests.worlds import add_library

MONDAY = date(2026, 11, 23)
AN_SMS = 7_900
"""0.0079 USD."""


@pytest.fixture
def lent(company, now):
    """Give the portfolio some people with a telephone each, all twenty days late."""

    def lend(people):
        add_library(now)
        Template.objects.update(status="APPROVED")
        receivables.fresh_load(company, as_of=MONDAY, now=now)
        persons = Debtor.objects.bulk_create(
            Debtor(creditor=company.creditor, external_id=f"D{n}", name=f"Persona {n}", country="PE")
            for n in range(people)
        )
        ContactPoint.objects.bulk_create(
            ContactPoint(debtor=each, kind="PHONE", value=f"+51987{n:06}", line="MOBILE", valid=True)
            for n, each in enumerate(persons)
        )
        accounts = Account.objects.bulk_create(
            Account(portfolio=company, debtor=each, external_id=f"L-{each.external_id}", product="LOAN")
            for each in persons
        )
        due = MONDAY - timedelta(20)
        parts = Instalment.objects.bulk_create(Instalment(account=each, number="1", due_date=due) for each in accounts)
        Posting.objects.bulk_create(
            Posting(
                account=each.account,
                instalment=each,
                kind="CHARGE",
                concept=Concept.PRINCIPAL,
                amount_minor=10_000,
                value_date=MONDAY - timedelta(60),
                booked_at=receivables.BOOKED,
            )
            for each in parts
        )

    return lend


def texts_cost(micros, now, **changes):
    given = {
        "code": "texto",
        "channel": "sms",
        "kind": "http_sms",
        "name": "Texto",
        "enabled": True,
        "rank": 10,
        "price_micros": micros,
        "price_currency": "USD",
        "created_at": now,
        "created_by": "dario",
    }
    return Provider.objects.create(**given | changes)


def draft(company, now, **changes):
    written = {
        "code": "verano",
        "name": "Verano",
        "portfolio_id": company.pk,
        "rule": "overdue > 0",
        "template_code": "recordatorio",
        "channels": ("sms",),
        "starts_on": MONDAY,
        "ends_on": MONDAY + timedelta(5),
        "control_bps": 0,
        "budget_currency": "USD",
    }
    return campaigns.save_draft(draft=campaigns.CampaignDraft(**written | changes), actor=acting("bruno", now=now))


def launched(company, now, **changes):
    campaign = draft(company, now, **changes)
    campaigns.launch(campaign_id=campaign.pk, actor=acting("bruno", now=now))
    return Campaign.objects.get()


@pytest.mark.parametrize(("budget_minor", "fits"), [(790, 1_000), (789, 998)])
def test_a_thousand_texts_at_0_0079_cost_exactly_7_90(lent, company, now, budget_minor, fits):
    micros = fits * AN_SMS
    lent(1_000)
    texts_cost(AN_SMS, now)
    campaign = draft(company, now, budget_minor=budget_minor)
    found = campaigns.preflight(campaign=campaign, as_of=MONDAY)
    assert (found.messages, found.cost_micros, found.cost_currency) == (fits, micros, "USD")
    assert (found.left_by_budget, found.problems) == (1_000 - fits, [])
    campaigns.launch(campaign_id=campaign.pk, actor=acting("bruno", now=now))
    assert Contact.objects.filter(status="DUE").count() == fits
    (cost,) = queries.campaign_progress(Campaign.objects.get()).spent.values()
    assert (cost, cost <= budget_minor * 10_000) == (micros, True)
    assert str(rounded_units(cost, "USD")) == ("7.90" if fits == 1_000 else "7.88")


def test_a_dearer_provider_that_may_step_in_is_counted_so_that_it_overdraws_no_budget(lent, company, now):
    lent(5)
    texts_cost(AN_SMS, now)
    texts_cost(20_000, now, code="respaldo", rank=20)
    texts_cost(90_000, now, code="chile", rank=30, country="CL")
    texts_cost(90_000, now, code="apagado", rank=40, enabled=False)
    campaign = launched(company, now, budget_minor=7)
    assert Contact.objects.filter(status="DUE").count() == 3
    assert queries.campaign_progress(campaign).spent == {"USD": 60_000}
    assert set(CampaignMember.objects.filter(contact_id=None).values_list("reason", flat=True)) == {"budget"}


def test_what_left_cheaper_than_it_was_planned_pays_for_more_the_next_day(lent, company, now):
    lent(7)
    texts_cost(AN_SMS, now)
    texts_cost(20_000, now, code="respaldo", rank=20)
    campaign = launched(company, now, budget_minor=6)
    for day, (left, status) in enumerate([(3, "RUNNING"), (4, "RUNNING"), (5, "RUNNING"), (6, "ENDED")]):
        waiting = Contact.objects.filter(status="DUE")
        assert (Contact.objects.count(), Campaign.objects.get().status) == (left, status)
        assert queries.campaign_progress(campaign).spent["USD"] <= 60_000
        waiting.update(
            status="SENT",
            handed_over_at=now,
            sent_at=now,
            local_date=MONDAY + timedelta(day),
            price_micros=AN_SMS,
            price_currency="USD",
        )
        later = timedelta(day + 1)
        receivables.fresh_load(company, as_of=MONDAY + later, now=now + later)
        campaigns.plan_running_campaigns(as_of=MONDAY + later, actor=acting("cycle", now=now + later))
    assert Campaign.objects.get().reason == "budget"


def test_what_has_left_counts_at_its_own_price_and_what_waits_at_the_dearest(lent, company, now):
    lent(5)
    texts_cost(AN_SMS, now)
    texts_cost(20_000, now, code="respaldo", rank=20)
    campaign = launched(company, now, budget_minor=10)
    first, second, *_rest = Contact.objects.order_by("pk")
    left = {"status": "SENT", "handed_over_at": now, "sent_at": now, "local_date": MONDAY}
    priced = {"price_micros": AN_SMS, "price_currency": "USD"}
    Contact.objects.filter(pk=first.pk).update(**left, **priced)
    # The first provider was asked and did not take it: it may yet leave by the other one.
    Contact.objects.filter(pk=second.pk).update(**priced)
    assert queries.campaign_progress(campaign).spent == {"USD": AN_SMS + 4 * 20_000}
