"""The cast and the company that every test works with."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from xdist.scheduler import LoadScopeScheduling

from recobra.access.models import Role, Scope, User
from recobra.portfolio.models import Creditor, Portfolio

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


CAST = {
    "ana": Role.GESTOR,
    "bruno": Role.SUPERVISOR,
    "carla": Role.MANAGER,
    "dario": Role.ADMINISTRATOR,
    "hilda": Role.AUDITOR,
    "zoe": Role.GESTOR,
}


@pytest.fixture(autouse=True)
def _fast_passwords(settings):
    """Six people per test need no slow hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _static_files_when_asked_for(settings):
    """Every new client would list the thousands of files of the icon set first; this looks up the one asked for."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture
def now():
    """A Monday morning in Lima."""
    return datetime(2026, 11, 23, 15, 0, tzinfo=UTC)


@pytest.fixture
def company(db):
    """Creditor «Banco Sur» with a consumer portfolio in Peru."""
    creditor = Creditor.objects.create(code="SUR", name="Banco Sur", payment_instructions="Pague en bancosur.example")
    return Portfolio.objects.create(
        creditor=creditor, code="PE-CONSUMO", name="Consumo Perú", industry=Portfolio.Industry.CONSUMER,
        country="PE", currency="PEN", time_zone="America/Lima",
    )  # fmt: skip


@pytest.fixture
def cast(company):
    """Ana and Bruno work for the company, Carla, Darío and Hilda see all of it, Zoe must see nothing."""
    people = {
        name: User.objects.create_user(username=name, password="una-clave-larga", role=role)
        for name, role in CAST.items()
    }
    for name in ("ana", "bruno"):
        Scope.objects.create(user=people[name], portfolio_code=company.code)
    return people
