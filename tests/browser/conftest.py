"""Chromium on the real console: sign in as a member of the cast, look, and let axe judge."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from django.conf import settings as installed
from django.core.cache import cache
from playwright.sync_api import Browser, Page, Request, sync_playwright

from recobra.kit import clock
from tests.console import world as worlds

# Playwright's sync API runs an event loop in this thread; Django would refuse the database beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
AXE = Path(installed.BASE_DIR).parent.parent / "node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
DESK = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="package")
def browser():
    """Give Chromium while the tests of this package run: its event loop must be gone when others start theirs."""
    program = os.environ.get("RECOBRA_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "Chromium is needed: install it or name it with RECOBRA_CHROMIUM."
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(autouse=True)
def _fast_passwords(settings):
    """Six people per test need no slow hash."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(scope="session", autouse=True)
def _static_root():
    """WhiteNoise warns of a missing folder for collected files; in tests none are collected."""
    installed.STATIC_ROOT.mkdir(parents=True, exist_ok=True)


@pytest.fixture
def people(transactional_db, request):
    """Give the cast; asked for after `transactional_db`, so that the served process sees them."""
    cache.clear()
    return request.getfixturevalue("cast")


@pytest.fixture
def world(people, company):
    return worlds.build(company, clock.now())


def _failure(request: Request) -> list[str]:
    """Leaving a page aborts what it was still loading; every other failure counts."""
    return [] if "ERR_ABORTED" in (request.failure or "") else [f"{request.url}: {request.failure}"]


@pytest.fixture
def page_for(browser: Browser, live_server, people):
    """Give the page of a person who has signed in by the door: `page_for("ana", PHONE, dark=True)`."""
    contexts = []

    def open_page(name: str, viewport: dict[str, int] = DESK, *, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport=viewport, color_scheme="dark" if dark else "light", base_url=live_server.url, locale="es-PE",
            has_touch=viewport is PHONE,
        )  # fmt: skip
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("requestfailed", lambda failed: page.problems.extend(_failure(failed)))
        page.on("response", lambda got: page.problems.append(f"{got.status} {got.url}") if got.status >= 500 else None)
        page.goto("/entrar/")
        page.fill("#username", name)
        page.fill("#password", "una-clave-larga")
        page.keyboard.press("Enter")
        page.wait_for_selector("#main h1")
        return page

    yield open_page
    for context in contexts:
        problems = [problem for page in context.pages for problem in getattr(page, "problems", [])]
        context.close()
        assert problems == []


@pytest.fixture
def assert_accessible():
    """Fail with every violation of WCAG 2.2 A and AA that axe finds, each with its place on the page."""

    def judge(page: Page) -> None:
        page.add_script_tag(path=str(AXE))
        # No style sheet comes from elsewhere, and of what is right nothing but that it was looked at is asked.
        lean = "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], preload: false})"
        found = page.evaluate(lean, RULES)
        assert found["passes"], "axe ran over an empty page"
        said = [
            {"rule": each["id"], "help": each["help"], "where": [node["html"][:160] for node in each["nodes"]][:4]}
            for each in found["violations"]
        ]
        assert said == [], json.dumps(said, indent=1, ensure_ascii=False)

    return judge


@pytest.fixture
def look():
    """Write a screenshot to $RECOBRA_SCREENSHOTS, where that is set."""

    def shoot(page: Page, name: str) -> None:
        folder = os.environ.get("RECOBRA_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(Path(folder) / f"{name}.png"))

    return shoot
