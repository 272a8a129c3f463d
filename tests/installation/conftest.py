"""What tests of keys and backups share."""

from __future__ import annotations

import pytest

from tests import databases


@pytest.fixture(scope="module", autouse=True)
def no_leftovers(django_db_setup, django_db_blocker):
    """The built-in mailbox commits also in a test that rolls back, and its values are of other keys."""
    with django_db_blocker.unblock():
        databases.restore_database()
