"""The cast and the company that every test works with."""

from __future__ import annotations

import gc
from datetime import UTC, datetime

import hypothesis
import pytest
from django.conf import settings
from xdist.scheduler import LoadScopeScheduling

from recobra.kit import file_cache, privileges
from tests import databases, extent, people
from tests.environment import WORKER
from tests.worlds import Post, World

TOGETHER = ("tests/browser/", "tests/providers/")
"""Folders whose files share something dear: a browser with its warm tabs, a mock server per document."""
HEAVIEST = (
    "tests/browser/",
    "tests/cli/test_demo",
    "tests/providers/",
    "tests/console/test_scope.py",
    "tests/cli/",
    "tests/messaging/test_crash.py",
    "tests/core/law/test_a_million_contacts.py",
    "tests/conversations/bot/",
)
"""What takes longest is handed out first, so that no worker is left alone with it at the end."""


class ByFile(LoadScopeScheduling):
    """Hands out whole files, so that fixtures of a module are made once; xdist 3.8 ignores its groups under pytest 9."""

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if file.startswith(folder)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Schedule a parallel run."""
    return ByFile(config, log)


def pytest_collection_finish():
    """Spare the collector what stays until the end: the modules and the tests themselves."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 30, 30)
    gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Order a run by the weight of its files."""
    items.sort(key=lambda item: next((n for n, path in enumerate(HEAVIEST) if item.nodeid.startswith(path)), 99))


# How long an example takes says how busy the machine is; what takes long is measured by `recobra bench`.
hypothesis.settings.register_profile(
    "untimed",
    max_examples=extent.choose(daily=50, whole=100),
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("untimed")
# Six people per test need no slow hash, and no client lists the thousands of files of the icon set first.
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
settings.WHITENOISE_AUTOREFRESH = True
# A run has the policies of hundreds of installations, which its workers compile for each other.
file_cache.MAX_CACHED_FILES = 10_000


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker):
    """Give this worker its empty database; it goes with the server at the end of the run."""
    with django_db_blocker.unblock():
        databases.create_database(WORKER, template=databases.EMPTY)
        databases.connect_django_to(WORKER)
        databases.restore_after_commits()
    yield
    databases.leave_databases()


@pytest.fixture
def as_migration(db):
    """Act as migrations do, as the owner of the tables and without views over them; the rollback takes it back."""
    with databases.acting_as_owner():
        privileges.drop_reporting()
        yield


@pytest.fixture
def now():
    """A Monday morning in Lima."""
    return datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.fixture
def company(db):
    """Creditor «Banco Sur» with a consumer portfolio in Peru."""
    databases.restart_ids()
    return people.create_company()


@pytest.fixture
def cast(company):
    """Ana and Bruno work for the company, Carla, Darío and Hilda see all of it, Zoe must see nothing."""
    return people.create_cast(company)


@pytest.fixture
def world(company, now):
    """Debtors of the company, and the outbox that they are written to through."""
    return World(company, now)


@pytest.fixture
def post(company, now):
    """Debtors with an address, and letters that were handed over."""
    return Post(company, now)


@pytest.fixture
def other_keys(tmp_path, monkeypatch):
    """Give this process the keys of another installation, from when the test calls it."""
    return lambda: monkeypatch.setenv("RECOBRA_KEYS_DIR", str(tmp_path / "other-keys"))
