"""A failure shows nothing of the inside: no statement, no trace, no name of a table."""

import pytest
from django.db import connection

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
