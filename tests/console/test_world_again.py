"""The database behind the screens is given back with its rows after a test that committed."""

import pytest
from django.db import connection

from recobra.portfolio.models import ContactPoint, Debtor, Posting
from recobra.workbench.models import Task
from tests import databases


@pytest.mark.django_db(transaction=True)
def test_what_was_changed_deleted_and_added_is_taken_back(world):
    def told():
        return [list(model.objects.order_by("pk").values()) for model in (Debtor, ContactPoint, Posting, Task)]

    before = told()
    Debtor.objects.update(name="Otra")
    ContactPoint.objects.filter(kind="PHONE").delete()
    Debtor.objects.create(creditor=world.portfolio.creditor, external_id="NEW", name="Nueva", country="PE")
    Task.objects.all().delete()
    databases.restore_database()
    assert told() == before


@pytest.mark.django_db(transaction=True)
def test_after_a_change_of_its_tables_it_is_copied_anew(world):
    with databases.acting_as_owner(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE one_more (id int)")
    databases.restore_database()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('one_more')")
        assert cursor.fetchone() == (None,)
    assert Debtor.objects.count() == len(world.debtors)
