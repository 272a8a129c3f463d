"""The cast and the company that every test works with."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.conf import settings
from xdist.scheduler import LoadScopeScheduling

from tests import databases, people
from tests.environment import WORKER

TOGETHER = ("tests/browser/", "tests/providers/")
"""Folders whose tests share something dear: one Chromium with its event loop, a mock server per document."""
BY_FILE = ("tests/cli/", "tests/core/", "tests/contact/bot/")
"""Folders of files that do: a data directory with its database, tables that were judged, a trained classifier."""


class BySharedThings(LoadScopeScheduling):
    """Gives one worker what shares something; xdist 3.8 ignores its own groups under pytest 9."""

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        folder = next((each for each in TOGETHER if file.startswith(each)), None)
        return folder or (file if file.startswith(BY_FILE) else nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Schedule a parallel run."""
    return BySharedThings(config, log)


# Six people per test need no slow hash, and no client lists the thousands of files of the icon set first.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker) -> None:
    """Give this worker its empty database; it goes with the server at the end of the run."""
    with django_db_blocker.unblock():
        databases.create_database(WORKER, template=databases.EMPTY)
        databases.connect_django_to(WORKER)
        databases.restore_after_commits()


@pytest.fixture
def now():
    """A Monday morning in Lima."""
    return datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.fixture
def company(db):
    """Creditor «Banco Sur» with a consumer portfolio in Peru."""
    return people.create_company()


@pytest.fixture
def cast(company):
    """Ana and Bruno work for the company, Carla, Darío and Hilda see all of it, Zoe must see nothing."""
    return people.create_cast(company)
