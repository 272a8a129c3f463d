"""A campaign: tried before, launched with a control group, within the law and the budget, paused and ended."""

from collections import Counter
from datetime import date, timedelta

import pytest

from recobra.journal.models import Entry
from recobra.messaging.models import Contact, Provider, Template
from recobra.payments import operations as payments
from recobra.portfolio import operations as portfolio
from recobra.strategy import operations as strategy
from recobra.strategy import queries_campaigns as queries
from recobra.strategy.models import Campaign, CampaignMember
from recobra.strategy.operations import campaigns
from tests import receivables
from tests.people import acting
from tests.worlds import add_library

MONDAY = date(2026, 11, 23)
PEOPLE = 12


@pytest.fixture
def lent(company, now):
    """Twelve people who are twenty days late, the first with the smallest debt; the portfolio follows no strategy."""
    add_library(now)
    Template.objects.update(status="APPROVED")
    receivables.fresh_load(company, as_of=MONDAY, now=now)
    for n in range(1, PEOPLE + 1):
        person = receivables.debtor(company, f"Persona {n:02}")
        receivables.account(company, person, f"L-{n:02}", (MONDAY - timedelta(20), n * 10_000))
    return company


@pytest.fixture
def draft(lent, now):
    """Give a draft over everybody late, all treated; what a story wants otherwise it says."""

    def make(**changes):
        written = {
            "code": "verano",
            "name": "Verano",
            "portfolio_id": lent.pk,
            "rule": "overdue > 0",
            "template_code": "recordatorio",
            "channels": ("email",),
            "starts_on": MONDAY,
            "ends_on": MONDAY + timedelta(5),
            "control_bps": 0,
        }
        made = campaigns.CampaignDraft(**(written | changes))
        return campaigns.save_draft(draft=made, actor=acting("bruno", now=now))

    return make


def mail_costs(now, **changes):
    return Provider.objects.create(
        **{
            "code": "correo",
            "channel": "email",
            "kind": "smtp",
            "name": "Correo",
            "enabled": True,
            "price_micros": 100_000,
            "price_currency": "PEN",
            "created_at": now,
            "created_by": "dario",
        }
        | changes
    )


def launch(campaign, now):
    return campaigns.launch(campaign_id=campaign.pk, actor=acting("bruno", now=now))


def day(now, n=0):
    receivables.fresh_load(Campaign.objects.get().portfolio, as_of=MONDAY + timedelta(n), now=now + timedelta(n))
    return campaigns.plan_running_campaigns(as_of=MONDAY + timedelta(n), actor=acting("cycle", now=now + timedelta(n)))


def sent(contacts, now):
    contacts.update(status="SENT", handed_over_at=now, sent_at=now, local_date=now.date())


def test_a_preflight_counts_and_writes_nothing(draft, now):
    found = campaigns.preflight(campaign=draft(), as_of=MONDAY)
    assert (found.matched, found.treated, found.control, found.messages) == (PEOPLE, PEOPLE, 0, PEOPLE)
    assert found.overdue_minor == sum(n * 10_000 for n in range(1, PEOPLE + 1))
    assert found.channels == {"email": PEOPLE}
    assert (found.ends_on, found.problems, found.barred) == (MONDAY, [], [])
    assert found.unpriced == ["email"]
    assert found.cost_micros is None
    assert (Contact.objects.count(), CampaignMember.objects.count()) == (0, 0)


def test_who_is_barred_is_counted_with_the_reason(draft, lent, now):
    held, refused, lost = lent.creditor.debtors.order_by("pk")[:3]
    portfolio.place_hold(
        debtor_id=held.pk,
        account_id=None,
        reason="DISPUTE",
        starts_on=MONDAY,
        ends_on=None,
        disputed_minor=None,
        note="",
        actor=acting("ana", now=now),
    )
    refused.points.update(opted_out_at=now)
    lost.points.all().delete()
    found = campaigns.preflight(campaign=draft(), as_of=MONDAY)
    assert {(each.reason, each.debtors) for each in found.barred} == {("held", 1), ("opted_out", 1), ("no_point", 1)}
    assert found.messages == PEOPLE - 3
    assert [pk for pk, *_why in found.barred_debtors] == [held.pk, refused.pk, lost.pk]


def test_a_campaign_over_a_sunday_alone_reaches_nobody_and_is_not_launched(draft, now):
    sunday = MONDAY + timedelta(6)
    campaign = draft(starts_on=sunday, ends_on=sunday)
    found = campaigns.preflight(campaign=campaign, as_of=MONDAY)
    assert found.barred[0].debtors == PEOPLE
    assert found.barred[0].reason == "closed_day"
    assert "29571" in found.barred[0].article
    with pytest.raises(campaigns.CampaignRefused):
        launch(campaign, now)
    assert Campaign.objects.get().status == "DRAFT"


def test_at_the_allowed_rate_a_campaign_takes_days_and_says_when_it_ends(draft, now):
    mail_costs(now, rate_per_second=5 / (13 * 3600))  # five in the thirteen hours in which Peru lets one write
    found = campaigns.preflight(campaign=draft(), as_of=MONDAY)
    assert [each.fits for each in found.days] == [5, 5, 2]
    assert found.ends_on == MONDAY + timedelta(2)
    assert (found.messages, found.cost_micros, found.cost_currency) == (PEOPLE, 1_200_000, "PEN")


def test_what_does_not_fit_in_the_dates_is_said(draft, now):
    mail_costs(now, rate_per_second=5 / (13 * 3600))
    found = campaigns.preflight(campaign=draft(ends_on=MONDAY + timedelta(1)), as_of=MONDAY)
    assert (found.messages, found.left_by_rate, found.left_by_budget) == (10, 2, 0)


def test_a_budget_that_does_not_suffice_says_where_it_stops(draft, now):
    mail_costs(now)
    found = campaigns.preflight(campaign=draft(budget_minor=75, budget_currency="PEN"), as_of=MONDAY)
    assert (found.messages, found.cost_micros, found.stops_on) == (7, 700_000, MONDAY)
    assert found.left_by_budget == PEOPLE - 7


@pytest.mark.parametrize("priced", [{}, {"price_currency": "USD"}])
def test_a_budget_over_an_unknown_price_is_not_launched(draft, now, priced):
    if priced:
        mail_costs(now, **priced)
    with pytest.raises(campaigns.CampaignRefused):
        launch(draft(budget_minor=75, budget_currency="PEN"), now)


def test_a_launch_fixes_the_arms_and_plans_the_day(draft, now):
    campaign = draft(control_bps=4000)
    found = launch(campaign, now)
    arms = dict(CampaignMember.objects.values_list("debtor_id", "arm"))
    assert 0 < found.control < PEOPLE
    assert list(arms.values()).count("CONTROL") == found.control
    written = Contact.objects.filter(campaign_id=campaign.pk, status="DUE")
    assert {each.debtor_id for each in written} == {pk for pk, arm in arms.items() if arm == "TREATED"}
    assert {each.purpose for each in written} == {"CLAIM"}
    assert all(each.due_at >= now for each in written)
    assert Entry.objects.filter(kind="campaign.launched", payload__campaign="verano").exists()
    with pytest.raises(campaigns.CampaignRefused):
        launch(campaign, now)


def test_planning_a_day_twice_changes_nothing_and_nobody_is_written_to_twice(draft, now):
    launch(draft(), now)
    assert day(now) == 0
    sent(Contact.objects.all(), now)
    assert day(now, 1) == 0
    assert Contact.objects.count() == PEOPLE
    assert Campaign.objects.get().status == "ENDED"
    assert Campaign.objects.get().reason == "done"


def test_whom_a_strategy_writes_to_today_waits_for_another_day(draft, lent, now):
    strategy.ensure_ready_made(actor=acting("dario", now=now))
    strategy.assign_strategy(portfolio_id=lent.pk, code="consumo", actor=acting("dario", now=now))
    strategy.run_cycle(as_of=MONDAY, actor=acting("dario", now=now))
    by_strategy = Contact.objects.count()
    assert by_strategy == PEOPLE
    launch(draft(), now)
    assert Contact.objects.count() == by_strategy
    assert set(CampaignMember.objects.values_list("reason", flat=True)) == {"planned_already"}


def test_a_pause_takes_back_what_waits_and_a_resume_plans_it_again(draft, now):
    campaign = draft()
    launch(campaign, now)
    sent(Contact.objects.filter(pk=Contact.objects.first().pk), now)
    taken = campaigns.pause(campaign_id=campaign.pk, actor=acting("bruno", now=now))
    assert taken == PEOPLE - 1
    assert day(now) == 0
    assert set(Contact.objects.filter(status="CANCELLED").values_list("reason", flat=True)) == {"campaign_paused"}
    again = campaigns.resume(campaign_id=campaign.pk, actor=acting("bruno", now=now))
    assert again == PEOPLE - 1
    assert Contact.objects.filter(status__in=["DUE", "SENT"]).count() == PEOPLE


def test_who_pays_is_not_written_to_by_the_campaign(draft, lent, now):
    campaign = draft()
    launch(campaign, now)
    campaigns.pause(campaign_id=campaign.pk, actor=acting("bruno", now=now))
    debtor = lent.creditor.debtors.order_by("pk")[0]
    payments.record_payment(
        portfolio_id=lent.pk,
        debtor_id=debtor.pk,
        account_id=None,
        amount_minor=10_000,
        paid_date=MONDAY,
        reference="R-1",
        actor=acting("ana", now=now),
    )
    campaigns.resume(campaign_id=campaign.pk, actor=acting("bruno", now=now))
    assert not Contact.objects.filter(debtor=debtor, status="DUE").exists()
    assert Contact.objects.filter(status="DUE").count() == PEOPLE - 1


def test_the_budget_is_kept_and_ends_the_campaign(draft, now):
    mail_costs(now)
    launch(draft(budget_minor=70, budget_currency="PEN"), now)
    assert Contact.objects.filter(status="DUE").count() == 7
    assert (Campaign.objects.get().status, Campaign.objects.get().reason) == ("ENDED", "budget")
    # Most overdue first.
    assert Contact.objects.filter(debtor__name="Persona 12").exists()
    assert not Contact.objects.filter(debtor__name="Persona 01").exists()


def test_what_is_left_but_pays_for_no_message_ends_the_campaign(draft, now):
    mail_costs(now)
    launch(draft(budget_minor=75, budget_currency="PEN"), now)
    assert Contact.objects.filter(status="DUE").count() == 7
    assert (Campaign.objects.get().status, Campaign.objects.get().reason) == ("ENDED", "budget")
    assert set(CampaignMember.objects.filter(contact_id=None).values_list("reason", flat=True)) == {"budget"}


def test_a_price_that_rises_ends_the_campaign_that_can_no_longer_pay_it(draft, now):
    mail = mail_costs(now, rate_per_second=5 / (13 * 3600))
    launch(draft(budget_minor=110, budget_currency="PEN"), now)
    assert Campaign.objects.get().status == "RUNNING"
    assert set(CampaignMember.objects.filter(contact_id=None).values_list("reason", flat=True)) == {"rate"}
    sent(Contact.objects.all(), now)
    Contact.objects.update(price_micros=100_000, price_currency="PEN")
    mail.price_micros = 610_000
    mail.save()
    assert day(now, 1) == 0
    assert (Campaign.objects.get().status, Campaign.objects.get().reason) == ("ENDED", "budget")


def test_a_free_way_that_nobody_of_those_left_has_does_not_keep_a_campaign_waiting(draft, lent, now):
    mail_costs(now, price_micros=0)
    mail_costs(now, code="texto", channel="sms", kind="http_sms", price_micros=100_000)
    for person in lent.creditor.debtors.order_by("pk")[:3]:
        person.points.all().delete()
        person.points.create(kind="PHONE", value=f"+5198765432{person.pk % 10}", valid=True)
    launch(draft(channels=("email", "sms"), budget_minor=25, budget_currency="PEN"), now)
    by = Counter(Contact.objects.filter(status="DUE").values_list("channel", flat=True))
    assert by == {"email": PEOPLE - 3, "sms": 2}
    assert (Campaign.objects.get().status, Campaign.objects.get().reason) == ("ENDED", "budget")


def test_who_may_yet_get_a_free_message_keeps_the_campaign_going(draft, lent, now):
    mail_costs(now, price_micros=0)
    mail_costs(now, code="texto", channel="sms", kind="http_sms", price_micros=100_000)
    texted, held = lent.creditor.debtors.order_by("pk")[:2]
    texted.points.all().delete()
    texted.points.create(kind="PHONE", value="+51987654321", valid=True)
    portfolio.place_hold(
        debtor_id=held.pk,
        account_id=None,
        reason="DISPUTE",
        starts_on=MONDAY,
        ends_on=None,
        disputed_minor=None,
        note="",
        actor=acting("ana", now=now),
    )
    launch(draft(channels=("email", "sms"), budget_minor=5, budget_currency="PEN"), now)
    assert Campaign.objects.get().status == "RUNNING"
    assert CampaignMember.objects.get(debtor_id=texted.pk).reason == "budget"


def test_a_budget_under_the_price_of_one_message_is_said_before_the_launch(draft, now):
    mail_costs(now)
    found = campaigns.preflight(campaign=draft(budget_minor=9, budget_currency="PEN"), as_of=MONDAY)
    assert found.problems == ["El presupuesto no paga un solo mensaje."]


def test_a_provider_that_may_step_in_in_another_currency_bars_the_launch_by_name(draft, now):
    mail_costs(now)
    mail_costs(now, code="respaldo", price_currency="USD", rank=200)
    campaign = draft(budget_minor=75, budget_currency="PEN")
    (problem,) = campaigns.preflight(campaign=campaign, as_of=MONDAY).problems
    assert "USD" in problem
    assert "PEN" in problem
    with pytest.raises(campaigns.CampaignRefused):
        launch(campaign, now)


def test_what_was_paid_in_another_currency_is_never_added_and_holds_the_rest_back(draft, now):
    mail = mail_costs(now, rate_per_second=5 / (13 * 3600))
    campaign = draft(budget_minor=1000, budget_currency="PEN")
    launch(campaign, now)
    sent(Contact.objects.all(), now)
    Contact.objects.update(price_micros=100_000, price_currency="PEN")
    Contact.objects.filter(pk=Contact.objects.first().pk).update(price_micros=4_000_000, price_currency="USD")
    assert day(now, 1) == 0
    waiting = CampaignMember.objects.filter(contact_id=None)
    assert set(waiting.values_list("reason", flat=True)) == {"budget_unkept"}
    told = queries.campaign_progress(Campaign.objects.get())
    assert told.spent == {"PEN": 400_000, "USD": 4_000_000}
    assert len(told.problems) == 1
    assert "USD" in told.problems[0]
    assert Campaign.objects.get().status == "RUNNING"
    assert mail.price_currency == "PEN"


def test_a_price_that_nobody_knows_any_more_lets_nothing_go(draft, now):
    mail = mail_costs(now, rate_per_second=5 / (13 * 3600))
    launch(draft(budget_minor=1000, budget_currency="PEN"), now)
    sent(Contact.objects.all(), now)
    Contact.objects.update(price_micros=100_000, price_currency="PEN")
    mail.enabled = False
    mail.save()
    assert day(now, 1) == 0
    assert Contact.objects.count() == 5


def test_a_cost_in_two_currencies_is_not_known_instead_of_added(draft, lent, now):
    mail_costs(now)
    mail_costs(now, code="texto", channel="sms", kind="http_sms", price_micros=70_000, price_currency="USD")
    person = lent.creditor.debtors.first()
    person.points.all().delete()
    person.points.create(kind="PHONE", value="+51987654321", valid=True)
    found = campaigns.preflight(campaign=draft(channels=("email", "sms")), as_of=MONDAY)
    assert (found.messages, found.cost_micros, [each.cost_micros for each in found.days]) == (PEOPLE, None, [None])


def test_a_campaign_ends_by_date_and_by_hand(draft, now):
    campaign = draft()
    launch(campaign, now)
    day(now, 6)
    campaign.refresh_from_db()
    assert (campaign.status, campaign.reason) == ("ENDED", "dates")
    assert not Contact.objects.filter(status="DUE").exists()
    with pytest.raises(campaigns.CampaignRefused):
        campaigns.end(campaign_id=campaign.pk, actor=acting("bruno", now=now))


def test_stale_data_contact_nobody(draft, lent, now):
    campaign = draft(starts_on=MONDAY + timedelta(4), ends_on=MONDAY + timedelta(5))
    launch(campaign, now)
    late = now + timedelta(4)
    assert campaigns.plan_running_campaigns(as_of=MONDAY + timedelta(4), actor=acting("cycle", now=late)) == 0
    assert Contact.objects.count() == 0


def test_the_cycle_plans_campaigns_as_a_step_of_its_own(draft, now):
    launch(draft(starts_on=MONDAY + timedelta(1)), now)
    receivables.fresh_load(Campaign.objects.get().portfolio, as_of=MONDAY + timedelta(1), now=now)
    figures = strategy.run_cycle(as_of=MONDAY + timedelta(1), actor=acting("cycle", now=now + timedelta(1)))
    assert {step["name"]: step["count"] for step in figures["steps"]}["campaigns"] == PEOPLE
    assert Contact.objects.filter(planned_for=MONDAY + timedelta(1), campaign_id__isnull=False).count() == PEOPLE


@pytest.mark.parametrize(
    "wrong",
    [
        {"rule": "nonsense >"},
        {"channels": ()},
        {"ends_on": MONDAY - timedelta(1)},
        {"name": " "},
        {"budget_minor": 5, "budget_currency": ""},
        {"control_bps": 9500},
    ],
)
def test_a_draft_that_says_nothing_sensible_is_refused(draft, wrong):
    with pytest.raises(campaigns.CampaignRefused):
        draft(**wrong)
    assert not Campaign.objects.exists()
