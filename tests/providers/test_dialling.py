"""Calls for people over Twilio's own document: who may be called is called once, with the company's number."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from recobra.consent import operations as consent
from recobra.conversations import dialler
from recobra.conversations.dialling_session import Callee, open_dialling_session
from recobra.messaging.channels.adapter import Unsuitable
from recobra.messaging.channels.base import OutcomeKind
from recobra.messaging.models import Contact
from recobra.messaging.providers import operations as providers
from recobra.portfolio.models import ContactPoint
from tests import receivables
from tests.people import acting

from . import settings as accounts
from .conftest import PUBLIC_ID
from .settings import ACCOUNT_SID

MONDAY = date(2026, 11, 23)
CALL_SID = "CA" + "0c" * 16


@pytest.fixture
def telephone(mock, now, db):
    """Banco Sur's number, saved as a provider that the mock serves."""
    providers.save_provider(
        code="voz",
        kind="twilio_voice",
        name="Voz",
        rate_per_second=None,
        price_micros=40_000,
        price_currency="USD",
        settings={"account_sid": ACCOUNT_SID, "from_number": "+5115550100", "base_url": mock("twilio").url},
        secrets={"auth_token": "12345"},
        country="",
        rank=1,
        enabled=True,
        actor=acting("dario", now=now),
    )
    return "voz"


def late(company, name, number):
    person = receivables.debtor(company, name)
    receivables.account(company, person, f"L-{name}", (MONDAY - timedelta(20), 50_000))
    point = ContactPoint.objects.create(debtor=person, kind="PHONE", value=number, line="MOBILE", valid=True)
    return Callee(debtor_id=person.pk, portfolio_id=company.pk, point_id=point.pk, zones="America/Lima")


def dial(session, wanted, now, calls=10):
    return session.dial(calls=calls, callees=wanted, script="Guion de cobranza", actor=acting("ana", now=now))


def test_a_call_is_placed_put_through_and_ended_as_the_document_says(mock):
    async def run():
        async with dialler.open_twilio(accounts.twilio(mock("twilio").url)) as line:
            call = dialler.Call(public_id=PUBLIC_ID, number="+51987654321", apology="Banco Sur & Cía. <disculpe>")
            placed = await line.place(call)
            return [
                placed,
                await line.seat(number="+5115550199", room="gestor-7"),
                await line.bridge(reference=CALL_SID, room="gestor-7"),
                await line.hang_up(reference=CALL_SID),
            ]

    outcomes = asyncio.run(run())
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.SENT] * 4, outcomes[2:]
    assert outcomes[0].provider_reference.startswith("CA")


@pytest.mark.parametrize("number", ["", " ", "anonymous"])
def test_a_hidden_number_calls_nobody(number):
    async def run():
        async with dialler.open_twilio(accounts.twilio("http://127.0.0.1:9", from_number=number)):
            pass

    with pytest.raises(Unsuitable):
        asyncio.run(run())


def test_a_call_is_named_by_its_id_alone(mock):
    async def run():
        async with dialler.open_twilio(accounts.twilio(mock("twilio").url)) as line:
            await line.hang_up(reference="../Accounts")

    with pytest.raises(ValueError, match="CA"):
        asyncio.run(run())


@pytest.mark.django_db(transaction=True)
def test_whom_the_law_lets_be_called_is_called_once_and_counted(telephone, company, now):
    wanted = [late(company, "Rosa", "+51987654321"), late(company, "Luis", "+51911222333")]
    with open_dialling_session(provider_code=telephone) as session:
        first = dial(session, wanted, now)
        again = dial(session, wanted, now + timedelta(minutes=5))
        assert session.find_answered(references=[]) == frozenset()
        assert isinstance(session.find_answered(references=[each.reference for each in first.placed]), frozenset)
        assert session.bridge(reference=first.placed[0].reference, room="gestor-7")
        assert session.hang_up(reference=first.placed[1].reference)
    assert len(first.placed) == 2
    assert (again.placed, again.is_exhausted) == ((), True)
    calls = Contact.objects.filter(channel="call")
    assert {(each.status, each.purpose, each.provider.code, each.author) for each in calls} == {
        ("SENT", "CLAIM", "voz", "ana")
    }
    assert all(each.handed_over_at and each.provider_reference.startswith("CA") for each in calls)
    assert all(each.verdict["rule"].startswith("PE/") for each in calls)


@pytest.mark.django_db(transaction=True)
def test_no_more_calls_are_placed_than_were_asked_for(telephone, company, now):
    wanted = [late(company, f"P{n}", f"+5198765432{n}") for n in range(4)]
    with open_dialling_session(provider_code=telephone) as session:
        assert len(dial(session, wanted, now, calls=1).placed) == 1
        assert dial(session, [], now, calls=0).placed == ()
    assert Contact.objects.filter(status="SENT").count() == Contact.objects.filter(channel="call").count() == 1


@pytest.mark.django_db(transaction=True)
def test_when_the_window_shuts_nobody_is_called_any_more(telephone, company, now):
    night = now.replace(hour=3)  # 22:00 of the day before in Lima
    with open_dialling_session(provider_code=telephone) as session:
        found = dial(session, [late(company, "Rosa", "+51987654321")], night)
    assert (found.placed, found.is_exhausted) == ((), True)
    assert not Contact.objects.filter(handed_over_at__isnull=False).exists()
    assert not Contact.objects.filter(status__in=["DUE", "LEASED"]).exists()


@pytest.mark.django_db(transaction=True)
def test_a_number_that_asked_for_silence_is_not_called(telephone, company, now):
    person = late(company, "Rosa", "+51987654321")
    consent.record_opt_out(
        kind="PHONE", value="+51987654321", source="KEYWORD", said="BAJA", actor=acting("debtor", now=now)
    )
    with open_dialling_session(provider_code=telephone) as session:
        found = dial(session, [person], now)
    assert found.placed == ()
    assert Contact.objects.get(channel="call").status == "BLOCKED"
