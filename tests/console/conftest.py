"""People at their screens: a signed-in client per member of the cast, and a world to look at."""

from __future__ import annotations

import pytest
from django.conf import settings as installed
from django.core.cache import cache
from django.test import Client

from recobra.kit import clock

from . import world as worlds


@pytest.fixture(autouse=True)
def _fast_passwords(settings):
    """Six people per test need no slow hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def _static_root():
    """WhiteNoise warns of a missing folder for collected files; in tests none are collected."""
    installed.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(autouse=True)
def _forgetful():
    """Failed sign-ins and lists of segments of one test are nothing to the next."""
    cache.clear()


@pytest.fixture
def world(company):
    return worlds.build(company, clock.now())


@pytest.fixture
def at_desk(cast):
    """Give the client of a member of the cast, signed in: `at_desk("ana").get(...)`."""

    def sit(name: str) -> Client:
        client = Client(raise_request_exception=True)
        client.force_login(cast[name])
        return client

    return sit
