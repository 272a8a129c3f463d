"""Whoever asks us to stop is heard at once, everywhere, and nobody of staff can undo it."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client

from recobra.consent import operations as consent
from recobra.consent.models import ConsentEntry, Silence
from recobra.messaging.dispatch.lease import lease_contacts
from recobra.messaging.models import Contact
from recobra.messaging.tokens import unsubscribe_url
from recobra.portfolio.models import ContactPoint, Creditor, Portfolio
from tests import databases
from tests.people import acting

pytestmark = pytest.mark.django_db(transaction=True)
LINK = "/d/baja/"
ROSA = "+51999888777"


@pytest.fixture(autouse=True)
def _static_root(settings):
    """WhiteNoise warns of a missing folder for collected files; in tests none are collected."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def elsewhere(db):
    """A portfolio of another creditor of the same installation."""
    creditor = Creditor.objects.create(code="NORTE", name="Caja Norte", payment_instructions="Pague en norte.example")
    return Portfolio.objects.create(
        creditor=creditor,
        code="PE-NORTE",
        name="Norte",
        industry=Portfolio.Industry.CONSUMER,
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )


def path(contact):
    return LINK + unsubscribe_url(contact.public_id).rpartition(LINK)[2]


def phone(debtor, value=ROSA):
    return ContactPoint.objects.create(debtor=debtor, kind="PHONE", value=value, valid=True)


def due(world, debtor, point, channel="sms", **changes):
    row = {"point_id": point.pk, "channel": channel, "portfolio_id": debtor.creditor.portfolios.get().pk, **changes}
    return world.planned(debtor, **row)


def statuses():
    return dict(Contact.objects.values_list("pk", "status"))


def test_looking_at_the_page_changes_nothing_and_shows_no_whole_address(world):
    contact = world.someone_due()
    page = Client().get(path(contact))
    assert page.status_code == 200
    assert contact.point.value not in page.text
    assert "d…@correo.example" in page.text
    assert page["Referrer-Policy"] == "no-referrer"
    assert not ContactPoint.objects.filter(opted_out_at__isnull=False).exists()
    assert not ConsentEntry.objects.exists()


@pytest.mark.parametrize(
    ("body", "said"), [({}, ""), ({"List-Unsubscribe": "One-Click"}, "List-Unsubscribe=One-Click")]
)
def test_asking_to_stop_stops_every_debtor_with_that_address_and_what_was_planned(world, body, said):
    contact = world.someone_due()
    same_address = world.debtor(email=contact.point.value)
    world.owes(same_address)
    theirs = world.planned(same_address)
    someone_else = world.someone_due()
    browser = Client(enforce_csrf_checks=True)
    assert browser.post(path(contact), body).status_code == 200
    assert ContactPoint.objects.filter(opted_out_at__isnull=False).count() == 2
    assert statuses() == {contact.pk: "CANCELLED", theirs.pk: "CANCELLED", someone_else.pk: "DUE"}
    assert set(Contact.objects.filter(status="CANCELLED").values_list("reason", flat=True)) == {"opted_out"}
    assert len(world.facts("optout.received")) == 2
    assert browser.post(path(contact), body).status_code == 200
    assert len(world.facts("optout.received")) == 2
    entry = ConsentEntry.objects.get()
    assert (entry.act, entry.source, entry.channel, entry.said) == ("OPTED_OUT", "LINK", "email", said)
    assert "ningún mensaje más" in entry.text_shown
    assert entry.contact_id == contact.pk


def test_the_page_says_what_it_understood_and_offers_that_it_is_somebody_else(world):
    contact = world.someone_due()
    page = Client().post(path(contact), {"wish": "stop"})
    assert "pide no recibir más mensajes" in page.text
    assert "No soy esa persona" in page.text
    page = Client().post(path(contact), {"wish": "not_me"})
    assert "No la volveremos a usar" in page.text
    contact.point.refresh_from_db()
    assert contact.point.retired_at is not None
    assert list(ConsentEntry.objects.values_list("act", flat=True)) == ["OPTED_OUT", "NOT_ME"]


def test_a_wish_that_the_page_does_not_know_changes_nothing(world):
    contact = world.someone_due()
    assert Client().post(path(contact), {"wish": "more"}).status_code == 404
    assert statuses() == {contact.pk: "DUE"}


@pytest.mark.parametrize(
    "token", ["nada", f"{uuid.UUID(int=7).hex}:falsa", "a" * 2000], ids=["word", "unsigned", "long"]
)
def test_a_made_up_link_opens_nothing(world, token):
    assert Client().get(LINK + token).status_code == 404
    assert Client().post(LINK + token).status_code == 404


def test_nothing_waits_for_the_number_any_more_in_any_portfolio_or_channel_not_even_what_was_leased(world, elsewhere):
    rosa, neighbour = world.debtor(), world.debtor(name="Otro Deudor", portfolio=elsewhere)
    mine, theirs = phone(rosa), phone(neighbour)
    sms, whatsapp = due(world, rosa, mine), due(world, rosa, mine, channel="whatsapp")
    other, untouched = due(world, neighbour, theirs, channel="ivr"), world.planned(neighbour)
    Contact.objects.filter(pk=untouched.pk).update(portfolio=elsewhere)
    lease = uuid.uuid4()
    leased = lease_contacts(lease=lease, now=world.now, limit=10)
    assert {sms.pk, whatsapp.pk} & set(leased)
    assert (
        consent.record_opt_out(
            kind="PHONE", value="51 999 888 777", source="KEYWORD", channel="sms", actor=acting("debtor", now=world.now)
        )
        == 2
    )
    ended = statuses()
    assert {ended[c.pk] for c in (sms, whatsapp, other)} == {"CANCELLED"}
    assert ended[untouched.pk] in {"DUE", "LEASED"}  # it goes to an e-mail address, about which nothing was said


def test_a_debtor_loaded_later_with_the_number_hears_nothing_either(world, elsewhere):
    consent.record_opt_out(
        kind="PHONE", value=ROSA, source="KEYWORD", channel="whatsapp", actor=acting("debtor", now=world.now)
    )
    late = world.debtor(name="Cargada Después", portfolio=elsewhere)
    point = phone(late)
    assert consent.apply_to_new_points() == 1
    point.refresh_from_db()
    assert point.opted_out_at == world.now
    assert consent.apply_to_new_points() == 0


def test_planned_again_to_a_silent_address_is_refused_at_the_last_check_also_for_a_debtor_loaded_later(world):
    first = world.someone_due()
    consent.record_opt_out(public_id=first.public_id, source="LINK", actor=acting("debtor", now=world.now))
    late = world.debtor(name="Cargada Después", email=first.point.value)
    world.owes(late)
    again = [world.planned(first.debtor), world.planned(late)]
    assert {contact.status for contact in again} == {"DUE"}
    figures = world.dispatch()
    assert (figures["sent"], figures["blocked"]) == (0, 2)
    for contact in again:
        contact.refresh_from_db()
        assert (contact.status, contact.reason, contact.handed_over_at) == ("BLOCKED", "opted_out", None)


def test_the_wish_of_a_number_that_is_nobodys_is_kept_and_told_once(world):
    for _ in range(3):
        assert (
            consent.record_opt_out(kind="PHONE", value=ROSA, source="KEYWORD", actor=acting("debtor", now=world.now))
            == 0
        )
    assert Silence.objects.get().value == ROSA
    assert ConsentEntry.objects.count() == 1
    assert len(world.facts("optout.received")) == 1


def test_a_mexican_number_is_silent_however_it_is_written(world):
    point = phone(world.debtor(), "+525512345678")
    consent.record_opt_out(
        kind="PHONE", value="5215512345678", source="KEYWORD", channel="whatsapp", actor=acting("debtor", now=world.now)
    )
    point.refresh_from_db()
    assert point.opted_out_at == world.now
    assert set(Silence.objects.values_list("value", flat=True)) == {"+525512345678", "+5215512345678"}


def test_what_is_in_the_providers_hands_is_not_called_back(world):
    rosa = world.debtor()
    point = phone(rosa)
    contact = due(world, rosa, point)
    Contact.objects.filter(pk=contact.pk).update(status="LEASED", handed_over_at=world.now, lease=uuid.uuid4())
    consent.record_opt_out(point_id=point.pk, source="LINK", actor=acting("debtor", now=world.now))
    assert statuses() == {contact.pk: "LEASED"}


def test_a_message_planned_while_the_wish_is_being_written_is_swept_when_it_is_committed(world):
    rosa = world.debtor()
    point = phone(rosa)
    planned = []

    def plan():
        planned.append(due(world, rosa, point))
        connection.close()

    with transaction.atomic():
        consent.record_opt_out(point_id=point.pk, source="LINK", actor=acting("debtor", now=world.now))
        planner = threading.Thread(target=plan)
        planner.start()
        planner.join()
        assert planned[0].status == "DUE"
    assert statuses() == {planned[0].pk: "CANCELLED"}


def test_a_wrong_number_is_never_used_again_for_that_person_at_any_creditor(world, elsewhere):
    identity = {"national_id_kind": "DNI", "national_id": "45678901"}
    rosa = world.debtor(**identity)
    rosa_elsewhere = world.debtor(portfolio=elsewhere, **identity)
    brother = world.debtor(name="Luis Quispe")
    points = [phone(d) for d in (rosa, rosa_elsewhere, brother)]
    assert (
        consent.record_wrong_person(
            point_id=points[0].pk, source="KEYPAD", channel="ivr", actor=acting("debtor", now=world.now)
        )
        == 2
    )
    assert (
        consent.record_wrong_person(
            point_id=points[0].pk, source="KEYPAD", channel="ivr", actor=acting("debtor", now=world.now)
        )
        == 0
    )
    for point in points:
        point.refresh_from_db()
    assert [p.retired_at is not None for p in points] == [True, True, False]
    assert all(p.opted_out_at for p in points)
    assert len(world.facts("wrong_person.received")) == 2
    assert ConsentEntry.objects.get().act == "NOT_ME"
    assert not consent.resume_messages(
        kind="PHONE", value=ROSA, source="KEYWORD", actor=acting("debtor", now=world.now)
    )
    assert Silence.objects.count() == 1


def test_only_the_owner_asks_for_messages_again(world):
    point = phone(world.debtor())
    consent.record_opt_out(point_id=point.pk, source="STAFF", actor=acting("ana", now=world.now, user_id=7))
    with pytest.raises(ValueError, match="owner"):
        consent.resume_messages(kind="PHONE", value=ROSA, source="STAFF", actor=acting("ana", now=world.now))
    later = world.now + timedelta(days=1)
    assert consent.resume_messages(
        kind="PHONE", value=ROSA, source="KEYWORD", channel="sms", said="ALTA", actor=acting("debtor", now=later)
    )
    point.refresh_from_db()
    assert point.opted_out_at is None
    assert not Silence.objects.exists()
    assert not consent.resume_messages(kind="PHONE", value=ROSA, source="KEYWORD", actor=acting("debtor", now=later))
    assert consent.record_opt_out(kind="PHONE", value=ROSA, source="KEYWORD", actor=acting("debtor", now=later)) == 1
    assert list(ConsentEntry.objects.values_list("act", flat=True)) == ["OPTED_OUT", "RESUMED", "OPTED_OUT"]


@pytest.mark.parametrize(
    "order", [("BAJA", "ALTA"), ("ALTA", "BAJA"), ("BAJA", "ALTA", "BAJA", "ALTA", "ALTA", "BAJA")]
)
def test_words_that_come_late_or_twice_count_as_of_when_they_were_said(world, order):
    point = phone(world.debtor())
    said_at = {"BAJA": world.now - timedelta(hours=2), "ALTA": world.now - timedelta(hours=1)}
    for word in order:
        say = consent.record_opt_out if word == "BAJA" else consent.resume_messages
        say(
            kind="PHONE",
            value=ROSA,
            source="KEYWORD",
            said=word,
            at=said_at[word],
            actor=acting("debtor", now=world.now),
        )
    point.refresh_from_db()
    assert point.opted_out_at is None
    assert not Silence.objects.exists()
    assert sorted(ConsentEntry.objects.values_list("act", "at")) == [
        ("OPTED_OUT", said_at["BAJA"]),
        ("RESUMED", said_at["ALTA"]),
    ]


def test_of_two_words_in_the_same_second_silence_wins(world):
    for say in (consent.record_opt_out, consent.resume_messages):
        say(kind="PHONE", value=ROSA, source="KEYWORD", at=world.now, actor=acting("debtor", now=world.now))
    assert Silence.objects.count() == 1


def test_an_authorisation_is_for_one_channel_and_ends_no_silence(world):
    rosa = world.debtor()
    point = phone(rosa)
    consent.record_opt_out(point_id=point.pk, source="LINK", actor=acting("debtor", now=world.now))
    said = {"point_id": point.pk, "channel": "whatsapp", "source": "STAFF", "actor": acting("ana", now=world.now)}
    assert consent.grant_consent(**said, text_shown="Autorizo mensajes de Banco Sur")
    assert not consent.grant_consent(**said)
    point.refresh_from_db()
    assert (point.granted_for, point.denied_for, point.opted_out_at) == (["whatsapp"], [], world.now)
    assert Silence.objects.count() == 1
    assert consent.withdraw_consent(**said)
    point.refresh_from_db()
    assert (point.granted_for, point.denied_for) == ([], ["whatsapp"])
    assert len(world.facts("consent.granted")) == len(world.facts("consent.withdrawn")) == 1


def test_withdrawing_an_authorisation_takes_back_what_waits_for_that_channel_alone(world):
    rosa = world.debtor()
    point = phone(rosa)
    whatsapp, sms = due(world, rosa, point, channel="whatsapp"), due(world, rosa, point)
    consent.withdraw_consent(
        point_id=point.pk, channel="whatsapp", source="KEYWORD", actor=acting("debtor", now=world.now)
    )
    assert statuses() == {whatsapp.pk: "CANCELLED", sms.pk: "DUE"}
    assert world.facts("contact.cancelled") == [(whatsapp.pk, "consent_withdrawn")]
    late = phone(world.debtor())
    assert consent.apply_to_new_points() == 1
    late.refresh_from_db()
    assert late.denied_for == ["whatsapp"]


def test_the_ledger_only_grows(world):
    consent.record_opt_out(kind="PHONE", value=ROSA, source="KEYWORD", actor=acting("debtor", now=world.now))
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        ConsentEntry.objects.filter(value=ROSA)._raw_delete("default")
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentEntry.objects.update(act="RESUMED")
    with databases.acting_as_owner():
        with pytest.raises(IntegrityError), transaction.atomic():
            ConsentEntry.objects.update(act="RESUMED")
        with pytest.raises(IntegrityError), transaction.atomic():
            ConsentEntry.objects.filter(value=ROSA)._raw_delete("default")


def test_there_must_be_something_to_opt_out_of_and_staff_says_who_it_is(world):
    point = world.debtor().points.get()
    for missing in ({"point_id": 0}, {"public_id": uuid.uuid4()}):
        with pytest.raises(consent.OptOutRefused):
            consent.record_opt_out(**missing, source="LINK", actor=acting("debtor", now=world.now))
    with pytest.raises(TypeError):
        consent.record_opt_out(source="LINK", actor=acting("debtor", now=world.now))
    with pytest.raises(ValueError, match="actor"):
        consent.record_opt_out(point_id=point.pk, source="STAFF", actor=acting("debtor", now=world.now))
    assert not ConsentEntry.objects.exists()
