"""People at their screens: a signed-in client per member of the cast, and a world to look at."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.conf import settings as installed
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIRequest
from django.http import QueryDict
from django.test import Client

from recobra.kit import clock
from tests import databases, people
from tests.environment import WORKER

from . import identity_provider, screens
from . import world as worlds


@pytest.fixture(scope="session", autouse=True)
def _static_root():
    """WhiteNoise warns of a missing folder for collected files; in tests none are collected."""
    installed.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _empty_cache():
    """Failed sign-ins and lists of segments of one test are nothing to the next."""
    cache.clear()


@pytest.fixture(scope="module", autouse=True)
def _empty_database_afterwards(django_db_setup):
    """Leave the worker's empty database to the modules that follow."""
    yield
    databases.connect_django_to(WORKER)


@pytest.fixture
def built(request, django_db_setup, django_db_blocker):
    """Choose the test's database: the one with people and a world in it, or the empty one.

    Gives the objects of that database, or None to a test that builds its own. `db` asks for it first.
    """
    with django_db_blocker.unblock():
        if "world" in request.fixturenames and not request.node.get_closest_marker("own_world"):
            return screens.connect()
        databases.connect_django_to(WORKER)
    return None


@pytest.fixture
def db(built, db):
    """Ask for the test's database."""


@pytest.fixture
def transactional_db(built, transactional_db):
    """Ask for the test's database, to commit to."""


@pytest.fixture
def company(db, built):
    if built:
        return built.company
    databases.restart_ids()
    return people.create_company()


@pytest.fixture
def cast(built, company):
    return built.cast if built else people.create_cast(company)


@pytest.fixture
def world(built, company):
    return built.world if built else worlds.build(company, clock.now())


@pytest.fixture
def at_desk(built, cast):
    """Give the client of a member of the cast, signed in: `at_desk("ana").get(...)`."""

    def sit(name: str) -> Client:
        return screens.resume_session(built.sessions[name]) if built else screens.sign_in(cast[name])

    return sit


@pytest.fixture
def clock_at(monkeypatch):
    """Let screens, jobs and tests read a clock that stands at a moment: `clock_at(moment)`."""

    def stand(moment: datetime) -> None:
        monkeypatch.setattr(clock, "now", lambda: moment)

    return stand


@pytest.fixture
def tuesday(clock_at):
    """Let the clock stand at ten in the morning in Lima; a test that asks for it builds its own world after it."""
    clock_at(datetime(2026, 11, 24, 15, 0, tzinfo=UTC))


@pytest.fixture
def asked_for(monkeypatch):
    """Give the set of the names that views ask the address and the form for."""
    names = set()

    class Noting(QueryDict):
        def __getitem__(self, key):
            names.add(key)
            return super().__getitem__(key)

        def getlist(self, key, default=None):
            names.add(key)
            return super().getlist(key, default)

        def __contains__(self, key):
            names.add(key)
            return super().__contains__(key)

    def noting(fields):
        noted = Noting(mutable=True)
        for name, values in fields.lists():
            noted.setlist(name, values)
        return noted

    read_form = WSGIRequest._get_post
    monkeypatch.setattr(WSGIRequest, "GET", property(lambda self: noting(QueryDict(self.META["QUERY_STRING"]))))
    monkeypatch.setattr(WSGIRequest, "POST", property(lambda self: noting(read_form(self))))
    return names


@pytest.fixture(scope="session")
def identity_server():
    """The company's sign-in service, which the installation does not know yet."""
    server = identity_provider.IdentityProvider()
    yield server
    server.close()


@pytest.fixture
def provider(identity_server, cast):
    """The same, in use in an installation that wants no second person for it."""
    identity_server.reset()
    identity_provider.configure(identity_server)
    return identity_server
