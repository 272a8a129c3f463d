"""Whoever asks us to stop is heard at once, everywhere."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from recobra.contact import operations
from recobra.contact.models import Contact
from recobra.contact.tokens import unsubscribe_url
from recobra.portfolio.models import ContactPoint

pytestmark = pytest.mark.django_db(transaction=True)
LINK = "/d/baja/"


@pytest.fixture(autouse=True)
def _static_root(settings):
    """WhiteNoise warns of a missing folder for collected files; in tests none are collected."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


def path(contact):
    return LINK + unsubscribe_url(contact.public_id).rpartition(LINK)[2]


def test_looking_at_the_page_changes_nothing_and_shows_no_whole_address(world):
    contact = world.someone_due()
    page = Client().get(path(contact))
    assert page.status_code == 200
    assert contact.point.value not in page.text
    assert "d…@correo.example" in page.text
    assert page["Referrer-Policy"] == "no-referrer"
    assert not ContactPoint.objects.filter(opted_out_at__isnull=False).exists()


@pytest.mark.parametrize(
    ("body", "source"), [({}, "unsubscribe-page"), ({"List-Unsubscribe": "One-Click"}, "one-click")]
)
def test_asking_to_stop_stops_every_debtor_with_that_address_and_what_was_planned(world, body, source):
    contact = world.someone_due()
    same_address = world.debtor(email=contact.point.value)
    world.owes(same_address)
    theirs = world.planned(same_address)
    someone_else = world.someone_due()
    browser = Client(enforce_csrf_checks=True)
    assert browser.post(path(contact), body).status_code == 200
    assert ContactPoint.objects.filter(opted_out_at__isnull=False).count() == 2
    assert dict(Contact.objects.values_list("pk", "status")) == {
        contact.pk: "CANCELLED",
        theirs.pk: "CANCELLED",
        someone_else.pk: "DUE",
    }
    assert set(Contact.objects.filter(status="CANCELLED").values_list("reason", flat=True)) == {"opted_out"}
    assert len(world.facts("optout.received")) == 2
    assert browser.post(path(contact), body).status_code == 200
    assert len(world.facts("optout.received")) == 2
    assert world.dispatch()["sent"] == 1


@pytest.mark.parametrize(
    "token", ["nada", f"{uuid.UUID(int=7).hex}:falsa", "a" * 2000], ids=["word", "unsigned", "long"]
)
def test_a_made_up_link_opens_nothing(world, token):
    assert Client().get(LINK + token).status_code == 404
    assert Client().post(LINK + token).status_code == 404


def test_opting_out_by_contact_point(world):
    debtor = world.debtor()
    assert operations.opt_out(point_id=debtor.points.get().pk, source="ana", now=world.now) == 1
    assert debtor.points.get().opted_out_at == world.now
    with pytest.raises(operations.OptOutRefused):
        operations.opt_out(point_id=0, source="ana", now=world.now)
    with pytest.raises(operations.OptOutRefused):
        operations.opt_out(public_id=uuid.uuid4(), source="ana", now=world.now)
