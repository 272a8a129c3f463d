"""A database is given back as it was after a test that committed, with its guards."""

import pytest
from django.db import IntegrityError, connection, transaction

from recobra.access.models import User
from recobra.journal.models import Entry
from recobra.journal.operations import record_fact
from recobra.portfolio.models import Debtor
from recobra.workbench.facts import VisitNoted
from tests import databases
from tests.people import acting


def note(now):
    record_fact(VisitNoted(visit_id=1, result="MET"), actor=acting("bruno", now=now))


@pytest.mark.django_db(transaction=True)
def test_an_empty_database_is_empty_again_and_its_journal_only_grows(cast, company, now):
    with transaction.atomic():
        note(now)
    databases.restore_database()
    assert (User.objects.count(), Debtor.objects.count(), Entry.objects.count()) == (0, 0, 0)
    with transaction.atomic():
        note(now)
    with databases.acting_as_owner(), pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
        connection.cursor().execute("DELETE FROM journal_entry")


@pytest.mark.django_db(transaction=True)
def test_a_table_that_was_analysed_is_made_anew(cast):
    with databases.acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE access_user")
    databases.restore_database()
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'access_user'")
        assert (User.objects.count(), cursor.fetchone()) == (0, (-1,))
