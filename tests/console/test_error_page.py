"""A failure shows nothing of the inside: no statement, no trace, no name of a table."""

import pytest
from django.db import connection

from recobra.access import teams
from recobra.access.models import Team
from tests import databases


@pytest.mark.django_db
def test_a_failure_is_answered_in_words_without_its_inside(at_desk):
    carla = at_desk("carla")
    carla.raise_request_exception = False
    with databases.acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE strategy_cyclerun RENAME TO strategy_gone")
    answer = carla.get("/ciclo/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert "<h1" in page
    assert not [word for word in ("Traceback", "strategy_", "SELECT", "psycopg", ".py") if word in page]


@pytest.mark.django_db
def test_who_does_the_same_at_the_same_moment_as_another_is_no_failure(at_desk, monkeypatch):
    met = []

    def meet(_supervisor_id):
        # As a second person who saves a team of that name after the first was looked for.
        if not met:
            met.append(Team.objects.create(name="Norte"))

    monkeypatch.setattr(teams, "_check_supervisor", meet)
    # As browsers send a form without a file, which could not be read twice.
    sent = at_desk("dario").post("/equipos/nuevo/", "name=Norte", "application/x-www-form-urlencoded")
    assert sent.status_code == 302
    assert met
    assert Team.objects.filter(name="Norte").count() == 1
