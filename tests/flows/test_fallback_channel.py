"""A message that cannot be delivered: the next channel of the step, or a person, never a line queued for ever."""

from datetime import date, timedelta

import pytest

from recobra.messaging.models import Contact, Template
from recobra.portfolio.models import ContactPoint
from recobra.strategy import operations as strategy
from recobra.workbench.models import Task
from tests import receivables
from tests.people import acting
from tests.worlds import add_library

MONDAY = date(2026, 11, 23)


@pytest.fixture
def late(company, now):
    """A loan twenty days late, whose debtor has an e-mail address and a mobile phone."""
    add_library(now)
    strategy.ensure_ready_made(actor=acting("dario", now=now))
    strategy.assign_strategy(portfolio_id=company.pk, code="consumo", actor=acting("dario", now=now))
    receivables.fresh_load(company, as_of=MONDAY, now=now)
    rosa = receivables.debtor(company, "Rosa")
    ContactPoint.objects.create(debtor=rosa, kind="PHONE", value="+51987654321", line="MOBILE", valid=True)
    for code in ("recordatorio", "recordatorio-firme"):
        Template.objects.get_or_create(
            code=code,
            channel="whatsapp",
            country="",
            tone="",
            version=1,
            language="es",
            status="APPROVED",
            defaults={"name": code, "text": "{{ acreedor }}", "created_at": now, "created_by": "carla"},
        )
    loan = receivables.account(company, rosa, "L-1", (MONDAY - timedelta(20), 50_000))
    strategy.run_cycle(as_of=MONDAY, actor=acting("dario", now=now))
    return loan


def lost(**changes):
    """The planned e-mail bounced: its address is out of use."""
    planned = Contact.objects.get(channel="email")
    for name, value in changes.items():
        setattr(planned, name, value)
    planned.save()
    return planned


def look(now):
    return strategy.plan_fallback_channels(as_of=MONDAY, actor=acting("system", now=now))


def test_the_next_channel_of_the_step_takes_over(late, now):
    bounced = lost(status="FAILED", reason="refused")
    ContactPoint.objects.filter(pk=bounced.point_id).update(retired_at=now)
    assert look(now) == 1
    assert list(Contact.objects.exclude(pk=bounced.pk).values_list("channel", "status")) == [("whatsapp", "DUE")]
    assert look(now) == 0


def test_what_failed_while_its_address_is_good_is_not_planned_again(late, now):
    lost(status="FAILED", reason="not_rendered")
    assert look(now) == 0
    assert Contact.objects.count() == 1


def test_where_no_way_is_left_a_person_is_asked_once(late, now):
    bounced = lost(status="FAILED", reason="refused")
    ContactPoint.objects.filter(pk=bounced.point_id).update(retired_at=now)
    ContactPoint.objects.filter(kind="PHONE").update(unusable_for=["whatsapp", "sms"])
    assert look(now) == 1
    assert look(now) == 0
    assert Task.objects.filter(status="OPEN", kind="unreachable").count() == 1
    assert Contact.objects.count() == 1
