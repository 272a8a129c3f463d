"""Chromium on the real console: a page of each of the cast, signed in, and axe to judge what it shows."""

from __future__ import annotations

import os
import shutil
from itertools import cycle
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import override_settings
from playwright.sync_api import Page, sync_playwright
from tools.setup import BROWSERS

from tests import databases, extent
from tests.console import screens
from tests.environment import WORKER

from .scenes import EVERY_RULE, SCENES, assert_accessible, assert_fits, show
from .tabs import Tabs

# Playwright's sync API runs an event loop in this thread; Django would refuse the database beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
DISABLED_FEATURES = [
    # Processes that nobody looks at: the address bar's suggestions in each window, and one in reserve.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "SpareRendererForSitePerProcess",
    # Chromium heeds one such list only, the last: what Playwright's own keeps quiet stays so.
    "AimEnabled",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(DISABLED_FEATURES)}",
    # A page is left before what its scripts gain by being optimised has paid for the optimising.
    "--js-flags=--no-turbofan --no-maglev --single-threaded",
]


@pytest.fixture(scope="package")
def browser():
    """Give Chromium while the tests of this package run: its event loop must be gone when others start theirs."""
    program = os.environ.get("RECOBRA_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    assert program, "Chromium is needed: install it or name it with RECOBRA_CHROMIUM."
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session", autouse=True)
def _static_root():
    """WhiteNoise warns of a missing folder for collected files; in tests none are collected."""
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="package", autouse=True)
def _empty_database_afterwards(django_db_setup):
    """Leave the worker's empty database to the packages that follow."""
    yield
    databases.connect_django_to(WORKER)


@pytest.fixture
def built(request, django_db_setup, django_db_blocker):
    """Give the people and the world of this test's database, which is given back as it was.

    For a test that asks for `world_with_strategy`, the world follows one, with templates and a load of today.
    """
    cache.clear()
    with django_db_blocker.unblock():
        return screens.connect(with_strategy="world_with_strategy" in request.fixturenames)


@pytest.fixture
def transactional_db(built, transactional_db):
    """Ask for the test's database, to commit to: the served process must see it."""


@pytest.fixture
def people(built, transactional_db):
    return built.cast


@pytest.fixture
def world(built, transactional_db):
    return built.world


@pytest.fixture
def world_with_strategy(built, transactional_db):
    return built.world


@pytest.fixture(scope="package")
def _served_axe():
    """Serve axe beside the product's own files, from the place where the pages' policy lets scripts come from."""
    finder = "django.contrib.staticfiles.finders.FileSystemFinder"
    place = ("vendor/axe-core", settings.BASE_DIR.parent.parent / "node_modules" / "axe-core")
    with override_settings(STATICFILES_FINDERS=[*settings.STATICFILES_FINDERS, finder], STATICFILES_DIRS=[place]):
        yield


@pytest.fixture(scope="package")
def tabs(browser, _served_axe, live_server):
    return Tabs(browser, live_server.url)


@pytest.fixture
def page_for(tabs, built, people):
    """Give the blank tab of a person whose session goes on: `page_for("ana", "telefono")`."""

    def open_page(name: str, scene: str = "claro", *, is_signed_in: bool = True) -> Page:
        return tabs.open(name, scene, session_key=built.sessions[name] if is_signed_in else None)

    yield open_page
    assert tabs.clear() == []


@pytest.fixture
def look():
    """Write a screenshot to $RECOBRA_SCREENSHOTS, where that is set."""

    def shoot(page: Page, name: str) -> None:
        folder = os.environ.get("RECOBRA_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(Path(folder) / f"{name}.png"))

    return shoot


@pytest.fixture
def assert_usable(scene, look):
    """Fail where a page cannot be used by everybody: `assert_usable(page, "cartera")`.

    The long run asks a page everything in the scene in which it was loaded; the daily run shows it in one more, by
    turns in the dark and on a phone, and gives it back as it was loaded.
    """
    turns = cycle([other for other in SCENES if other != scene])

    def judge(page: Page, name: str) -> None:
        if extent.is_whole():
            look(page, f"{name}-{scene}")
            assert_accessible(page, EVERY_RULE)
            assert_fits(page)
            return
        for shown in (scene, next(turns)):
            if shown != scene:
                show(page, SCENES[shown])
            look(page, f"{name}-{shown}")
            assert_accessible(page, SCENES[shown].remaining)
            assert_fits(page)
        show(page, SCENES[scene])

    return judge
