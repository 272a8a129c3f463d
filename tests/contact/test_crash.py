"""Must show 6: killed dispatchers and a server that misbehaves, and nobody gets the same message twice."""

from __future__ import annotations

import pytest
from django.db import connection

from .crash import BEGIN, run, seed
from .smtp_sink import Sink

pytestmark = pytest.mark.django_db(transaction=True)


def database_url():
    known = connection.settings_dict
    return f"postgresql://{known['USER']}@/{known['NAME']}?host={known['HOST']}"


def test_nobody_gets_a_message_twice_however_often_dispatchers_die(company):
    seed(300, company, BEGIN)
    with Sink(delay_seconds=0.005) as sink:
        figures = run(sink=sink, database_url=database_url(), kills=10, longest_life=25)
    assert figures["messages"] == 300
    assert figures["duplicates"] == 0, figures
    assert figures["without_end"] == 0, figures
    assert figures["without_reason"] == 0, figures
    assert figures["sent_but_not_accepted"] == 0, figures
    assert figures["accepted_but_neither_sent_nor_uncertain"] == 0, figures
    assert set(figures["statuses"]) <= {"SENT", "FAILED", "UNCERTAIN"}, figures
    assert figures["statuses"]["SENT"] > 200, figures
    assert figures["kills"] >= 8, figures
    assert figures["reasons"]["UNCERTAIN/dispatcher_died"] >= 1, figures
    assert len(figures["faults"]) >= 8, figures
