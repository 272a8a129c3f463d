"""What messages brought, with figures worked out by hand."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from recobra.access.models import Role, User
from recobra.compliance.models import Incident
from recobra.consent.facts import OptOutReceived, WrongPersonReceived
from recobra.conversations.models import Conversation
from recobra.insight.queries import message_results, variants
from recobra.journal.operations import record_fact
from recobra.messaging.models import Contact, Template
from recobra.payments.models import Payment
from recobra.portfolio.models import Account, Debtor, Portfolio
from recobra.strategy.models import AccountState
from tests import receivables
from tests.people import acting

MONDAY = date(2026, 11, 2)
TODAY = date(2026, 11, 23)


def at(day, hour=15):
    return datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=hour)


class Office:
    """Writes messages, payments and what debtors do."""

    def __init__(self, portfolio):
        self.portfolio = portfolio

    def debtor(self, *, overdue=0, segment="minorista"):
        count = Debtor.objects.count()
        debtor = Debtor.objects.create(
            creditor=self.portfolio.creditor, external_id=f"D{count}", name="X", country="PE"
        )
        account = Account.objects.create(portfolio=self.portfolio, debtor=debtor, external_id=f"A{count}")
        AccountState.objects.create(
            account=account,
            portfolio_id=self.portfolio.pk,
            debtor_id=debtor.pk,
            balance_minor=overdue,
            bucket="x",
            overdue_minor=overdue,
            stage="ADMINISTRATIVE",
            segment=segment,
            stage_since=MONDAY,
        )
        return debtor

    def wrote(self, debtor, day=MONDAY, **fields):
        left = fields.get("status", "SENT") in {"SENT", "UNCERTAIN"}
        common = {
            "channel": "email",
            "template_code": "recordatorio",
            "status": "SENT",
            "planned_for": day,
            "planned_at": at(day),
            "due_at": at(day),
            "zones": "America/Lima",
            "handed_over_at": at(day) if left else None,
            "local_date": day if left else None,
        }
        return Contact.objects.create(debtor=debtor, portfolio=self.portfolio, **common | fields)

    def paid(self, debtor, day, minor=10_000, **fields):
        return Payment.objects.create(
            portfolio=self.portfolio,
            debtor=debtor,
            amount_minor=minor,
            paid_date=day,
            source="FILE",
            actor="ana",
            reference=f"R{Payment.objects.count()}",
            **{"received_at": at(day, 20)} | fields,
        )

    def fact(self, kind, debtor, day):
        record_fact(kind(point_id=1, source="KEYWORD"), actor=acting("debtor", now=at(day, 18)), debtor_id=debtor.pk)


@pytest.fixture
def office(company):
    return Office(company)


@pytest.fixture
def asked(company):
    return message_results.ResultsQuery(
        portfolios=[company], from_day=MONDAY, to_day=MONDAY + timedelta(9), today=TODAY
    )


def test_a_payment_belongs_to_the_last_message_before_it_and_to_no_other(office, asked):
    debtor = office.debtor()
    office.wrote(debtor, price_micros=100_000, price_currency="PEN")
    office.wrote(debtor, MONDAY + timedelta(2), channel="sms", price_micros=250_000, price_currency="PEN")
    office.paid(debtor, MONDAY + timedelta(4))
    office.paid(debtor, MONDAY + timedelta(9))  # the eighth day of the second message
    office.paid(debtor, MONDAY + timedelta(3), reversed_at=at(TODAY))
    found = message_results.message_results(asked)
    assert (found.total.sent, found.total.paid, found.total.paid_minor) == (2, 1, 10_000)
    assert {name: (row.paid, row.paid_minor) for name, row in found.rows} == {"email": (0, 0), "sms": (1, 10_000)}
    assert round(found.cost_per_unit, 6) == round(35 / 10_000, 6)


def test_narrowing_to_a_channel_does_not_give_it_the_payments_of_another(office, asked):
    debtor = office.debtor()
    office.wrote(debtor)
    office.wrote(debtor, MONDAY + timedelta(2), channel="sms")
    office.paid(debtor, MONDAY + timedelta(4))
    assert message_results.message_results(replace(asked, channel="email")).total.paid == 0
    assert message_results.message_results(replace(asked, channel="sms")).total.paid == 1


def test_what_was_paid_on_the_same_day_counts_only_when_it_came_in_after_the_message(office, asked):
    before, after = office.debtor(), office.debtor()
    office.wrote(before)
    office.wrote(after)
    office.paid(before, MONDAY, received_at=at(MONDAY, 12))
    office.paid(after, MONDAY, received_at=at(MONDAY, 16))
    assert message_results.message_results(asked).total.paid == 1


def test_the_funnel_the_plan_and_the_answers_are_told_apart(office, asked):
    people = [office.debtor() for _n in range(8)]
    office.wrote(people[0], delivered_at=at(MONDAY), read_at=at(MONDAY), clicked_at=at(MONDAY))
    office.wrote(people[1], delivered_at=at(MONDAY), replied_at=at(MONDAY), local_date=MONDAY + timedelta(1))
    office.wrote(people[2], status="UNCERTAIN", reason="x")
    office.wrote(people[3], status="CANCELLED", reason="paid")
    office.wrote(people[4], status="BLOCKED", reason="hours")
    office.wrote(people[5], status="FAILED", reason="bounced")
    office.wrote(people[6], status="DUE")  # its day is long over
    office.wrote(people[7], TODAY, status="DUE")
    office.wrote(people[0], purpose="REPLY", price_micros=70_000, price_currency="PEN")
    receivables.promise(office.portfolio, people[1], at(MONDAY + timedelta(2), 18))
    found = message_results.message_results(replace(asked, to_day=TODAY)).total
    assert (found.planned, found.cancelled, found.waiting, found.expected) == (8, 1, 1, 6)
    assert (found.sent, found.on_time, found.blocked, found.failed) == (3, 2, 1, 1)
    assert (found.delivered, found.read, found.clicked, found.replied, found.promised) == (2, 1, 1, 1, 1)
    assert (found.debtors, found.aware, found.responded, found.converted) == (3, 2, 2, 1)
    assert (found.carried, found.unpriced, found.cost_micros) == (4, 3, 70_000)


def test_mistakes_wishes_and_the_right_party(office, asked):
    paid, wrong, known, silent = (office.debtor() for _n in range(4))
    named = office.wrote(paid)
    named.items.create(account=paid.accounts.get(), overdue_minor=10_000)
    office.paid(paid, MONDAY - timedelta(3), received_at=at(MONDAY + timedelta(1)))
    complained = office.wrote(wrong, read_at=at(MONDAY))
    office.fact(WrongPersonReceived, wrong, MONDAY)
    Incident.objects.create(
        kind="COMPLAINT",
        country="PE",
        happened_at=at(MONDAY),
        recorded_at=at(MONDAY),
        recorded_by="bruno",
        contact=complained,
        description="Se quejó",
    )
    office.wrote(known)
    Conversation.objects.create(
        channel="whatsapp",
        address="+51987654321",
        debtor=known,
        opened_at=at(MONDAY, 16),
        last_at=at(MONDAY, 16),
        identified_at=at(MONDAY, 16),
    )
    office.wrote(silent, undelivered_at=at(MONDAY))
    office.fact(OptOutReceived, silent, MONDAY + timedelta(1))
    found = message_results.message_results(asked).total
    assert (found.already_paid, found.wrong_person, found.errors) == (1, 1, 2)
    assert (found.right_party, found.complained, found.undelivered) == (1, 1, 1)
    assert (found.debtors, found.aware, found.silenced) == (4, 1, 1)


def test_the_best_channel_of_a_segment_is_named_only_as_far_as_the_figures_go(office, asked):
    for n in range(100):
        debtor = office.debtor(segment="minorista")
        office.wrote(debtor, replied_at=at(MONDAY) if n < 10 else None)
        office.wrote(debtor, channel="whatsapp", replied_at=at(MONDAY) if n < 50 else None)
    few = office.debtor(segment="empresas")
    office.wrote(few, replied_at=at(MONDAY))
    office.wrote(few, channel="sms")
    found = {each.segment: each for each in message_results.message_results(asked).best}
    assert (found["minorista"].channel, found["minorista"].second) == ("whatsapp", "email")
    assert found["minorista"].finding == "better"
    assert (found["empresas"].channel, found["empresas"].finding) == ("email", "not_enough")


def test_who_paid_and_has_nothing_overdue_is_cured(office, asked):
    cured, owing, idle = office.debtor(), office.debtor(overdue=500), office.debtor()
    for debtor in (cured, owing, idle):
        office.wrote(debtor)
    office.paid(cured, MONDAY + timedelta(1))
    office.paid(owing, MONDAY + timedelta(1))
    found = message_results.message_results(asked).total
    assert (found.debtors, found.paid, found.cured) == (3, 2, 1)


def test_small_debtors_without_a_message_of_the_machine_are_not_covered(office, asked):
    first, second, third = (office.debtor(overdue=n) for n in (1_000, 2_000, 900_000))
    office.wrote(first)
    office.wrote(second, author="ana")
    office.wrote(third)
    found = message_results.message_results(asked).total
    assert (found.small, found.covered) == (2, 1)


def test_prices_that_are_not_known_or_of_another_currency_give_no_cost_per_unit(office, asked):
    debtor = office.debtor()
    office.wrote(debtor, price_micros=100_000, price_currency="USD")
    office.paid(debtor, MONDAY)
    found = message_results.message_results(asked)
    assert (found.costs[0].amounts, found.costs[0].unit_cost("USD")) == ({"USD": (100_000, 1)}, 100_000.0)
    assert (found.unpriced, found.cost_per_unit) == (0, None)
    office.wrote(debtor, channel="sms")
    assert message_results.message_results(asked).unpriced == 1


def test_nothing_of_another_portfolio_is_counted(office, asked, company):
    other = Portfolio.objects.create(
        creditor=company.creditor,
        code="PE-OTRA",
        name="Otra",
        industry="CONSUMER",
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )
    elsewhere = Office(other)
    debtor = elsewhere.debtor(overdue=500)
    elsewhere.wrote(debtor)
    elsewhere.paid(debtor, MONDAY)
    found = message_results.message_results(asked).total
    assert (found.planned, found.paid_minor, found.small) == (0, 0, 0)
    both = message_results.message_results(replace(asked, portfolios=[company, other], by="pais"))
    assert [(name, row.sent) for name, row in both.rows] == [("PE", 1)]
    assert message_results.message_results(replace(asked, portfolios=[])).total.planned == 0


@pytest.mark.parametrize("by", message_results.DIMENSIONS)
def test_messages_can_be_told_apart_by_everything(office, asked, by):
    office.wrote(office.debtor(), variant="B", step_key="primero")
    expected = {
        "canal": "email",
        "plantilla": "recordatorio",
        "variante": "recordatorio · B",
        "paso": "",
        "cartera": "Consumo Perú",
        "pais": "PE",
    }
    assert [(name, row.sent) for name, row in message_results.message_results(replace(asked, by=by)).rows] == [
        (expected[by], 1)
    ]


def test_variants_are_compared_by_debtors_whose_days_are_over(office, db):
    template = Template.objects.create(
        code="recordatorio",
        version=1,
        channel="email",
        name="R",
        subject="",
        text="",
        html="",
        created_at=at(MONDAY),
        created_by="carla",
        status="APPROVED",
    )
    carla = User.objects.create_user(username="carla", password="una-clave-larga", role=Role.MANAGER)
    for n in range(200):
        debtor = office.debtor()
        office.wrote(debtor, variant="A" if n < 100 else "B", template=template)
        office.wrote(debtor, MONDAY + timedelta(3), variant="B", template=template)  # not his first
        if n < 48 or 100 <= n < 156:
            office.paid(debtor, MONDAY + timedelta(6))
        else:
            office.paid(debtor, MONDAY + timedelta(7))
    office.wrote(office.debtor(), TODAY - timedelta(6), variant="C", template=template)
    first, second = variants.variant_results(carla, template_ids=[template.pk], today=TODAY)
    assert [(each.variant, each.sent, each.paid) for each in (first, second)] == [("A", 100, 48), ("B", 100, 56)]
    assert (first.difference, first.finding) == (None, None)
    # Wilson: 0.48 in [0.3846, 0.5768], 0.56 in [0.4623, 0.6532]; Newcombe takes the squares of the distances.
    assert (round(second.difference.low, 3), round(second.difference.high, 3)) == (-0.058, 0.213)
    assert second.finding == "not_enough"
    zoe = User.objects.create_user(username="zoe", password="una-clave-larga", role=Role.GESTOR)
    assert variants.variant_results(zoe, template_ids=[template.pk], today=TODAY) == []
