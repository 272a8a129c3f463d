"""What a campaign brought, with figures worked out by hand."""

from datetime import UTC, date, datetime, timedelta

import pytest

from recobra.conversations.facts import ConversationReceived
from recobra.insight.queries import campaigns
from recobra.journal.operations import record_fact
from recobra.messaging.models import Contact
from recobra.payments.models import Payment
from recobra.portfolio.debtor_joins import join_debtors
from recobra.portfolio.models import Debtor, Portfolio
from recobra.strategy import queries_campaigns as queries
from recobra.strategy.models import Campaign, CampaignMember
from tests import receivables
from tests.people import acting

MONDAY = date(2026, 11, 23)
LAUNCH = datetime(2026, 11, 23, 15, tzinfo=UTC)


@pytest.fixture
def ended(company):
    """A campaign with 100 treated and 100 control: 56 of the first paid 200.00, 30 of the others 100.00."""
    campaign = Campaign.objects.create(
        code="verano",
        name="Verano",
        portfolio=company,
        rule="overdue > 0",
        template_code="recordatorio",
        channels=["email"],
        starts_on=MONDAY,
        ends_on=MONDAY + timedelta(5),
        control_bps=5000,
        status="RUNNING",
        created_at=LAUNCH,
        created_by="bruno",
        launched_at=LAUNCH,
    )
    for n in range(200):
        debtor = Debtor.objects.create(creditor=company.creditor, external_id=f"D{n}", name="X", country="PE")
        arm = "TREATED" if n < 100 else "CONTROL"
        contact = _written(campaign, debtor, n) if arm == "TREATED" and n < 90 else None
        CampaignMember.objects.create(
            campaign=campaign,
            debtor_id=debtor.pk,
            arm=arm,
            joined_at=LAUNCH,
            contact_id=contact and contact.pk,
            reason="" if contact or arm == "CONTROL" else "held",
        )
        if n < 56 or 100 <= n < 130:
            _paid(campaign, debtor, 20_000 if n < 56 else 10_000)
    return campaign


def _written(campaign, debtor, n):
    return Contact.objects.create(
        debtor=debtor,
        portfolio=campaign.portfolio,
        channel="email",
        template_code="recordatorio",
        status="SENT",
        planned_for=MONDAY,
        planned_at=LAUNCH,
        due_at=LAUNCH,
        handed_over_at=LAUNCH,
        sent_at=LAUNCH,
        local_date=MONDAY,
        zones="America/Lima",
        campaign_id=campaign.pk,
        price_micros=1_000_000,
        price_currency="PEN",
        delivered_at=LAUNCH if n < 80 else None,
        read_at=LAUNCH if n < 40 else None,
    )


def _paid(campaign, debtor, minor, day=MONDAY, **more):
    return Payment.objects.create(
        portfolio=campaign.portfolio,
        debtor=debtor,
        amount_minor=minor,
        paid_date=day,
        received_at=LAUNCH,
        source="FILE",
        reference=f"R{debtor.pk}-{day}",
        actor="ana",
        **more,
    )


def test_arms_are_compared_with_an_interval(ended, now):
    found = campaigns.campaign_result(campaign=ended, days=7, now=now)
    assert (found.treated.members, found.control.members) == (100, 100)
    assert (found.treated.sent, found.treated.delivered, found.treated.read, found.control.sent) == (90, 80, 40, 0)
    assert (found.treated.paid_minor, found.control.paid_minor) == (1_120_000, 300_000)
    paid = next(each for each in found.comparisons if each.key == "paid")
    assert round(paid.difference.estimate, 4) == 0.26
    # Wilson: 0.56 in [0.4623, 0.6532], 0.30 in [0.2189, 0.3958]; Newcombe takes the squares of the distances.
    assert (round(paid.difference.low, 3), round(paid.difference.high, 3)) == (0.123, 0.384)
    assert paid.finding == "better"
    assert not found.over


def test_amounts_give_what_was_gained_and_what_a_unit_cost(ended, now):
    found = campaigns.campaign_result(campaign=ended, days=7, now=now)
    assert found.amount.estimate == 8_200
    assert found.gained_minor == 820_000
    assert (found.cost_micros, found.cost_currency) == (90_000_000, "PEN")
    assert round(found.cost_per_unit, 5) == round(9_000 / 820_000, 5)


def test_payments_outside_the_days_or_reversed_count_for_nobody(ended, now):
    debtor = Debtor.objects.get(external_id="D199")
    _paid(ended, debtor, 999, day=MONDAY - timedelta(1))
    _paid(ended, debtor, 999, day=MONDAY + timedelta(7))
    _paid(ended, debtor, 999, day=MONDAY + timedelta(2), reversed_at=LAUNCH)
    assert campaigns.campaign_result(campaign=ended, days=7, now=now).control.paid == 30
    assert campaigns.campaign_result(campaign=ended, days=14, now=now).control.paid == 31


def test_two_members_who_were_joined_count_as_before(ended, company, now):
    treated, control = (Debtor.objects.get(external_id=name) for name in ("D3", "D105"))
    receivables.promise(company, treated, LAUNCH + timedelta(2))
    account = receivables.account(company, treated, "L-3", (MONDAY, 50_000))
    before = campaigns.campaign_result(campaign=ended, days=7, now=now)
    join_debtors(kept_id=control.pk, joined_id=treated.pk, reason="DEBTOR", actor=acting("bruno", now=now))
    assert campaigns.campaign_result(campaign=ended, days=7, now=now) == before
    _paid(ended, control, 500, day=MONDAY + timedelta(1), account=account)
    found = campaigns.campaign_result(campaign=ended, days=7, now=now)
    assert (found.treated.paid_minor, found.treated.paid) == (before.treated.paid_minor + 500, before.treated.paid)
    assert found.control == before.control


def test_promises_are_counted_by_debtor_and_too_few_say_nothing(ended, company, now):
    debtor, other = Debtor.objects.get(external_id="D3"), Debtor.objects.get(external_id="D4")
    receivables.promise(company, debtor, LAUNCH + timedelta(2))
    receivables.promise(company, debtor, LAUNCH + timedelta(3))
    receivables.promise(company, other, LAUNCH + timedelta(20))
    found = campaigns.campaign_result(campaign=ended, days=7, now=now)
    promised = next(each for each in found.comparisons if each.key == "promised")
    assert (found.treated.promised, promised.finding) == (1, "not_enough")


def test_promises_and_answers_of_another_portfolio_are_not_the_campaigns(ended, company, now):
    other = Portfolio.objects.create(
        creditor=company.creditor,
        code="PE-OTRA",
        name="Otra",
        industry="CONSUMER",
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )
    ours, theirs, both, early, late = Debtor.objects.filter(external_id__in=[f"D{n}" for n in range(5)]).order_by("pk")
    within = LAUNCH + timedelta(2)
    receivables.promise(company, ours, within)
    receivables.promise(other, theirs, within)
    debtor, received = acting("debtor", now=within), ConversationReceived(conversation_id=1, channel="whatsapp")
    record_fact(received, actor=debtor, debtor_id=theirs.pk, portfolio_id=other.pk)
    receivables.account(other, both, "OT-1", (MONDAY, 5_000))
    receivables.promise(other, both, within)
    record_fact(received, actor=debtor, debtor_id=both.pk)
    receivables.promise(company, early, LAUNCH - timedelta(1))
    receivables.promise(company, late, LAUNCH + timedelta(7))
    found = campaigns.campaign_result(campaign=ended, days=7, now=now).treated
    assert (found.promised, found.replied) == (1, 1)


def test_an_unknown_price_leaves_the_cost_unknown(ended, now):
    Contact.objects.filter(pk=Contact.objects.first().pk).update(price_micros=None)
    found = campaigns.campaign_result(campaign=ended, days=7, now=now)
    assert (found.cost_micros, found.cost_per_unit) == (None, None)


def test_without_a_control_group_nothing_is_compared(ended, now):
    CampaignMember.objects.filter(arm="CONTROL").delete()
    found = campaigns.campaign_result(campaign=ended, days=7, now=now)
    assert (found.comparisons, found.amount, found.gained_minor) == ([], None, None)


def test_progress_says_who_waits_and_why(ended):
    found = queries.campaign_progress(ended)
    assert (found.members, found.control, found.written) == (200, 100, 90)
    assert found.waiting == [("held", 10)]
    assert found.spent == {"PEN": 90_000_000}


def test_zoe_sees_no_campaign_of_others(ended, cast):
    assert queries.campaigns_for(cast["bruno"]).count() == 1
    assert queries.campaigns_for(cast["zoe"]).count() == 0
