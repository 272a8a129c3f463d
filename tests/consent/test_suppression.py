"""Must show 6: after a BAJA on one channel nothing at all leaves for that number, also what was already leased."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from recobra.consent import operations as consent
from recobra.messaging import operations as messaging
from recobra.messaging.models import Contact, MailboxMessage, Template
from tests import extent
from tests.messaging.crash import ROOT, database_url
from tests.messaging.http_sink import Gateway
from tests.messaging.smtp_sink import Sink
from tests.messaging.test_provider_routing import TEXT
from tests.people import acting

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "+51987654321"
OTHERS = extent.choose(daily=30, whole=60)


@pytest.fixture
def gateway():
    with Gateway(faults={}, delay_seconds=0.15) as server:
        yield server


def template(world, channel):
    Template.objects.create(
        code=f"cobro-{channel}",
        channel=channel,
        name=channel,
        subject="",
        text=TEXT,
        html="",
        version=1,
        status="APPROVED",
        created_at=world.now,
        created_by="ana",
    )


def due(world, number, channel="sms"):
    debtor = world.debtor()
    debtor.points.update(kind="PHONE", value=number)
    world.owes(debtor)
    return world.planned(debtor, channel=channel, template_code=f"cobro-{channel}")


def dispatcher(world, sink):
    """Start a dispatcher of its own, in another process."""
    environment = {
        **os.environ,
        "RECOBRA_DATABASE_URL": database_url(),
        "RECOBRA_DEMO": "1",
        "RECOBRA_SMTP_URL": sink.url,
        "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}",
    }
    command = [sys.executable, "-m", "recobra.cli", "dispatch", "--once", "--now", world.now.isoformat()]
    return subprocess.Popen(command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL)


def arrived(gateway):
    kept = MailboxMessage.objects.filter(recipients=NUMBER).count()
    return gateway.numbers.count(NUMBER) + kept


def until(condition, seconds=90):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


@pytest.mark.parametrize("dispatchers", extent.choose(daily=[2], whole=[1, 2]))
def test_after_a_baja_nothing_more_arrives_though_it_was_leased_already(world, gateway, dispatchers):
    """Several debtors have the number, by SMS and WhatsApp; others keep the dispatchers busy before and after."""
    template(world, "sms")
    template(world, "whatsapp")
    gateway.provider(now=world.now)
    for n in range(OTHERS):
        due(world, f"+519111111{n:02}")
    mine = [due(world, NUMBER, "whatsapp" if n % 3 == 0 else "sms") for n in range(12)]
    for n in range(OTHERS):
        due(world, f"+519222222{n:02}")
    ours = Contact.objects.filter(pk__in=[each.pk for each in mine])
    with Sink(faults={}) as letters:
        crew = [dispatcher(world, letters) for _ in range(dispatchers)]
        try:
            until(lambda: ours.filter(status="LEASED").count() >= 6 and len(gateway.numbers) > 5)
            begin = time.monotonic()
            consent.record_opt_out(
                source="KEYWORD",
                kind="PHONE",
                value=NUMBER,
                channel="sms",
                said="BAJA",
                actor=acting("debtor", now=world.now),
            )
            until(lambda: not ours.filter(status="LEASED").exists(), seconds=30)
            took, before = time.monotonic() - begin, arrived(gateway)
            others = len(gateway.numbers)
        finally:
            for process in crew:
                process.wait(timeout=240)
    assert [process.returncode for process in crew] == [0] * dispatchers
    messaging.dispatch_once(actor=acting("dispatch", now=world.now))
    assert arrived(gateway) == before, "something left after the silence"
    assert len(gateway.numbers) > others, "the dispatchers went on with the others"
    assert before < len(mine), "the wish came before all of it had left"
    assert took < 10
    statuses = set(ours.values_list("status", "reason"))
    assert statuses <= {("SENT", ""), ("CANCELLED", "opted_out"), ("BLOCKED", "opted_out")}
    assert ours.filter(status="CANCELLED").count() >= 1
    assert Contact.objects.filter(status="SENT").count() == 2 * OTHERS + before
