"""Must show 6: killed dispatchers and a server that misbehaves, and nobody gets the same message twice."""

from __future__ import annotations

from functools import partial

import pytest

from tests import extent
from tests.messaging.crash import BEGIN, database_url, run, seed
from tests.messaging.http_sink import Gateway
from tests.messaging.smtp_sink import Sink

pytestmark = pytest.mark.django_db(transaction=True)


SERVERS = {"smtp": Sink, "smtp-pipelining": partial(Sink, pipelining=True), "http": Gateway}


@pytest.mark.parametrize("server", extent.choose(daily=["smtp-pipelining"], whole=list(SERVERS)))
def test_nobody_gets_a_message_twice_however_often_dispatchers_die(company, server):
    channel = "sms" if server == "http" else "email"
    seed(400, company, BEGIN, channel=channel)
    with SERVERS[server](delay_seconds=0.02) as sink:
        if channel == "sms":
            sink.provider(now=BEGIN)
        figures = run(sink=sink, database_url=database_url(), kills=10, longest_life=5)
    assert figures["messages"] == 400
    assert figures["duplicates"] == 0, figures
    assert figures["without_end"] == 0, figures
    assert figures["without_reason"] == 0, figures
    assert figures["sent_but_not_accepted"] == 0, figures
    assert figures["accepted_but_neither_sent_nor_uncertain"] == 0, figures
    assert set(figures["statuses"]) <= {"SENT", "FAILED", "UNCERTAIN"}, figures
    assert figures["statuses"]["SENT"] > 200, figures
    assert figures["kills"] >= 8, figures
    assert figures["reasons"]["UNCERTAIN/dispatcher_died"] >= 1, figures
    assert len(figures["faults"]) >= 5, figures
