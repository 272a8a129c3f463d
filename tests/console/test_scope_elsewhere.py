"""A portfolio outside one's scope: its campaigns, conversations, proofs, letters, visits and rules are not there."""

import io
from datetime import date

import pytest
from django.urls import reverse

from recobra.compliance.models import Incident
from recobra.conversations.models import Conversation
from recobra.journal.models import Entry
from recobra.messaging.models import Letter, LetterBatch
from recobra.portfolio.models import Portfolio
from recobra.strategy.models import Campaign
from recobra.workbench.models import Visit
from tests import receivables
from tests.console.addresses import ADDRESSES, numbers
from tests.console.test_scope import body, move_ana_and_bruno


@pytest.fixture
def elsewhere(world, cast, company):
    """Another portfolio of the same creditor, to which Ana and Bruno move; the world stays where it is."""
    other = move_ana_and_bruno(cast, company)
    numbers("home", world)  # with a campaign, a conversation, a letter, a visit, an incident and a rule
    return other


@pytest.fixture
def their_own(elsewhere, now):
    """A debtor of the other portfolio, whom Bruno may see."""
    debtor = receivables.debtor(elsewhere, "Rosa Quiroz")
    receivables.account(elsewhere, debtor, "OT-1", (now.date(), 7_777))
    return debtor


@pytest.mark.parametrize(
    "name",
    [
        "debtor-ledger",
        "debtor-message",
        "debtor-reversal",
        "debtor-hold-lift",
        "debtor-task-close",
        "debtor-wish-record",
    ],
)
def test_a_debtor_of_ones_own_opens_no_others_things(at_desk, world, their_own, name):
    method, _may, form = ADDRESSES[name]
    address = reverse(f"console:{name}", kwargs={**numbers(name, world), "debtor_id": their_own.pk})
    before = Entry.objects.count()
    # A hold of another debtor is refused with words.
    assert getattr(at_desk("bruno"), method)(address, form).status_code == (302 if name == "debtor-hold-lift" else 404)
    assert at_desk("bruno").post(address, {"reason": "x", **form}).status_code in {302, 404, 405}
    assert Entry.objects.count() == before
    world.hold.refresh_from_db()
    assert world.hold.lifted_at is None


def test_a_conversation_of_ones_own_gives_out_no_others_file(at_desk, world, their_own, now):
    file = numbers("inbox-file", world)
    talk = Conversation.objects.create(
        channel="whatsapp", address="+51955555555", debtor=their_own, mode="PERSON", opened_at=now, last_at=now
    )
    mine = reverse("console:inbox-file", kwargs={**file, "conversation_id": talk.pk})
    assert at_desk("bruno").get(reverse("console:inbox-conversation", args=[talk.pk])).status_code == 200
    assert at_desk("bruno").get(mine).status_code == 404
    theirs = at_desk("carla").get(reverse("console:inbox-file", kwargs=file))
    assert (theirs.status_code, body(theirs)[:4]) == (200, "%PDF")


def test_a_number_that_nobody_knew_is_given_to_no_debtor_of_another_portfolio(at_desk, world, elsewhere, now):
    talk = Conversation.objects.create(
        channel="whatsapp", address="+51955555555", mode="PERSON", opened_at=now, last_at=now
    )
    answer = at_desk("bruno").post(reverse("console:inbox-whose", args=[talk.pk]), {"debtor": "45678912"}, follow=True)
    assert "María" not in body(answer)
    talk.refresh_from_db()
    assert talk.debtor is None


def test_no_incident_is_written_down_about_a_debtor_of_another_portfolio(at_desk, world, elsewhere):
    form = {"tipo": "COMPLAINT", "pais": "PE", "descripcion": "Otra queja", "deudor": str(world.debtors["María"].pk)}
    at_desk("bruno").post(reverse("console:incident-record"), form)
    assert not Incident.objects.filter(description="Otra queja").exists()


@pytest.mark.parametrize("part", [None, "GUARANTOR"])
def test_an_incident_stands_in_the_portfolio_in_which_its_recorder_sees_the_debtor(at_desk, world, their_own, part):
    maria, (theirs,) = world.debtors["María"], their_own.accounts.all()
    if part:
        theirs.parties.create(debtor=maria, part=part)
    else:
        receivables.account(theirs.portfolio, maria, "OT-2", (date(2026, 11, 1), 7_777))
    form = {"tipo": "COMPLAINT", "pais": "PE", "descripcion": "Otra queja", "deudor": str(maria.pk)}
    assert "Otra queja" in at_desk("bruno").post(reverse("console:incident-record"), form, follow=True).content.decode()
    assert Incident.objects.get(description="Otra queja").portfolio == theirs.portfolio


def test_no_campaign_is_drafted_for_another_portfolio(at_desk, world, elsewhere):
    form = {
        "name": "Otoño",
        "code": "otono",
        "portfolio": str(world.portfolio.pk),
        "template": "recordatorio",
        "channel_1": "email",
        "starts_on": "2026-11-23",
        "ends_on": "2026-11-24",
        "control": "10",
        "group-rule": "overdue > 0",
    }
    assert at_desk("bruno").post(reverse("console:campaign-create"), form).status_code == 422
    assert not Campaign.objects.filter(code="otono").exists()


def test_no_visit_of_another_portfolio_is_taken_or_noted(at_desk, world, elsewhere):
    visit = Visit.objects.get()
    day = visit.route_date.isoformat()
    at_desk("ana").post(reverse("console:visits-order"), {"dia": day, "zona": visit.area})
    at_desk("ana").post(reverse("console:visit", args=[visit.pk]), {"resultado": "NOBODY", "nota": "x"})
    visit.refresh_from_db()
    assert (visit.assigned_to_id, visit.result) == (None, "")


def test_no_letter_of_another_portfolio_is_printed_or_tracked(at_desk, world, elsewhere):
    Letter.objects.update(status="WAITING", batch=None)
    bruno = at_desk("bruno")
    bruno.post(reverse("console:letters-print"), {"pais": "PE"})
    assert Letter.objects.get().status == "WAITING"
    Letter.objects.update(status="PRINTED", batch=LetterBatch.objects.first())
    courier = io.BytesIO(b"reference,status,at\nPE-1,DELIVERED,2026-11-23T10:00:00Z\n")
    courier.name = "courier.csv"
    bruno.post(reverse("console:letters-tracking"), {"archivo": courier})
    assert Letter.objects.get().status == "PRINTED"


def test_a_batch_with_a_letter_of_another_portfolio_is_not_handed_out(at_desk, world, their_own):
    batch = LetterBatch.objects.get()
    one = batch.letters.get()
    assert at_desk("bruno").get(reverse("console:letters-file", args=[batch.pk, "courier.csv"])).status_code == 404
    one.contact.portfolio = Portfolio.objects.get(code="PE-OTRA")
    one.contact.save(update_fields=["portfolio"])
    answer = at_desk("bruno").get(reverse("console:letters-file", args=[batch.pk, "courier.csv"]))
    assert answer.status_code == 200
    body(answer)
