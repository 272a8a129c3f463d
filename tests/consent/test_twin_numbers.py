"""A line that is written in two ways is one line: what was said of it in one form holds for a debtor loaded with the other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from recobra.consent import operations as consent
from recobra.consent.models import ConsentEntry, Silence
from recobra.conversations.counterparty import lock_address
from recobra.portfolio import address_forms as numbers
from recobra.portfolio.models import ContactPoint
from tests.consent.test_suppression import due, template
from tests.messaging.test_dispatch import ended
from tests.people import acting

pytestmark = pytest.mark.django_db(transaction=True)

TWINS = [
    ("+525512345678", "+5215512345678"),
    ("+541134567890", "+5491134567890"),
    ("+551187654321", "+5511987654321"),
]


@pytest.fixture(params=[*TWINS, *[pair[::-1] for pair in TWINS]], ids="->".join)
def twins(request):
    """The form in which something was said, and the form that was loaded later."""
    return request.param


def said(world, act, value, *, hours_ago=1):
    how = {"kind": "PHONE", "value": value, "channel": "sms", "source": "KEYWORD"}
    return act(**how, actor=acting("debtor", now=world.now - timedelta(hours=hours_ago)))


def words_of_the_ledger(world, value):
    return ConsentEntry.objects.create(
        at=world.now, kind="PHONE", value=value, act="OPTED_OUT", source="KEYWORD", actor="debtor"
    )


@pytest.mark.parametrize(
    "value", [*[form for pair in TWINS for form in pair], "+51999888777", "+551134567890", "rosa@correo.example", ""]
)
def test_the_database_knows_the_same_forms(value):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {numbers.forms_sql('v')} FROM (SELECT %s::text AS v) t", [value])
        assert tuple(cursor.fetchone()[0]) == numbers.list_forms(value, kind="PHONE")


def test_a_line_that_withdrew_is_not_written_to_in_its_other_form(world, twins):
    said(world, consent.withdraw_consent, twins[0])
    template(world, "sms")
    late = due(world, twins[1])
    late.point.consent = True
    late.point.save()
    world.dispatch()
    assert ended(late) == ("BLOCKED", "no_consent")


def test_the_last_word_over_all_forms_counts(world, twins):
    said(world, consent.withdraw_consent, twins[1], hours_ago=2)
    said(world, consent.grant_consent, twins[0])
    template(world, "sms")
    late = due(world, twins[1])
    late.point.consent = False
    late.point.save()
    world.dispatch()
    assert ended(late) == ("SENT", "")


@pytest.mark.parametrize("known_by", ["another debtor's number", "a silence of one form"])
def test_a_silent_line_stays_silent_in_its_other_form(world, twins, known_by):
    if known_by == "a silence of one form":
        entry = words_of_the_ledger(world, twins[0])
        Silence.objects.create(kind="PHONE", value=twins[0], since=world.now, entry=entry)
    else:
        ContactPoint.objects.create(
            debtor=world.debtor(), kind="PHONE", value=twins[0], valid=True, opted_out_at=world.now
        )
    template(world, "sms")
    late = due(world, twins[1])
    world.dispatch()
    assert ended(late) == ("BLOCKED", "opted_out")


def test_a_point_that_was_loaded_later_learns_what_was_said_of_its_other_form(world, twins):
    said(world, consent.grant_consent, twins[1], hours_ago=2)
    said(world, consent.withdraw_consent, twins[0])
    late = ContactPoint.objects.create(debtor=world.debtor(), kind="PHONE", value=twins[1], valid=True)
    assert consent.apply_to_new_points() == 1
    late.refresh_from_db()
    assert (late.granted_for, late.denied_for) == ([], ["sms"])
    assert consent.apply_to_new_points() == 0


def test_a_baja_is_carried_over_to_the_other_form(world, twins):
    said(world, consent.record_opt_out, twins[0])
    late = ContactPoint.objects.create(debtor=world.debtor(), kind="PHONE", value=twins[1], valid=True)
    assert consent.apply_to_new_points() == 1
    late.refresh_from_db()
    assert late.opted_out_at == world.now - timedelta(hours=1)


def test_two_first_messages_by_both_forms_wait_for_each_other(twins):
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        for form in twins:
            lock_address(form, channel="whatsapp")
    locks = {query["sql"] for query in queries if "pg_advisory_xact_lock" in query["sql"]}
    assert len(locks) == 1
