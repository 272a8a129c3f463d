"""Tabs of Chromium that the tests of a worker share, one per person and scene.

A tab that is used again keeps its static files and its compiled scripts, which is most of what loading a page costs.
Nothing else stays from test to test: cookies and storage are emptied.
"""

from __future__ import annotations

from django.conf import settings
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

from .scenes import PHONE, SCENES

REST = f"/{settings.STATIC_URL.strip('/')}/console/logo.svg"
"""Where a tab waits for the next test: on the same server, for leaving it would end Chromium's warm process."""


class Tabs:
    """The tabs, and what went wrong in them since they were last cleared."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.problems: list[str] = []
        self._browser, self._address = browser, address
        self._pages: dict[tuple[str, str], Page] = {}
        self._used: list[Page] = []

    def open(self, name: str, scene: str, *, session_key: str | None) -> Page:
        """Return a person's blank tab in a scene, signed in by the session."""
        page = self._pages.get((name, scene)) or self._create(name, scene)
        self._used.append(page)
        page.set_viewport_size(SCENES[scene].viewport)
        page.emulate_media(color_scheme=SCENES[scene].colours, reduced_motion="null")
        if session_key:
            cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_key, "url": self._address}
            page.context.add_cookies([cookie])
        return page

    def clear(self) -> list[str]:
        """Blank the tabs in use and return what went wrong in them."""
        for page in self._used:
            page.goto(REST)
            page.evaluate("sessionStorage.clear()")
            session = page.context.new_cdp_session(page)
            session.send("Storage.clearDataForOrigin", {"origin": self._address, "storageTypes": "all"})
            session.detach()
        problems = self.problems.copy()
        self.problems.clear()
        self._used.clear()
        return problems

    def _create(self, name: str, scene: str) -> Page:
        context = self._browser.new_context(
            has_touch=SCENES[scene].viewport is PHONE, base_url=self._address, locale="es-PE"
        )
        page = self._pages[name, scene] = context.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda said: self.problems.extend(_broken_policy(said)))
        page.on("requestfailed", lambda failed: self.problems.extend(_failure(failed)))
        page.on("response", lambda got: self.problems.append(f"{got.status} {got.url}") if got.status >= 500 else None)
        return page


def _broken_policy(said: ConsoleMessage) -> list[str]:
    """Chromium says on the console what a page's Content-Security-Policy kept from it."""
    return [said.text] if "Content Security Policy" in said.text else []


def _failure(request: Request) -> list[str]:
    """Leaving a page aborts what it was still loading; every other failure counts."""
    return [] if "ERR_ABORTED" in (request.failure or "") else [f"{request.url}: {request.failure}"]
