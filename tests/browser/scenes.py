"""The scenes in which a page is looked at, and what axe and the layout are asked in each.

In the long run a page is loaded anew in each scene and asked for every rule, as a person would meet it. In the daily
run it is loaded once, at a desk by light, and asked for every rule; then it is shown, by turns with the others, in the
dark or on a phone where it is, and asked what can be otherwise there: colours in the dark; on a phone how large targets are, what can be
reached, and the names of what shows only there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from playwright.sync_api import Page

from tests import extent

Address = TypeVar("Address")
# By its address Chromium keeps it compiled from page to page.
AXE = f"/{settings.STATIC_URL.strip('/')}/vendor/axe-core/axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
COLOURS = ["color-contrast", "link-in-text-block"]
SMALL_SCREEN = [
    "target-size",
    "scrollable-region-focusable",
    "aria-hidden-focus",
    "button-name",
    "link-name",
    "label",
    "select-name",
    "summary-name",
]
DESK = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Scene:
    """A screen by light or in the dark, and axe's options for a page that was judged by light at a desk before."""

    viewport: dict[str, int]
    colours: str
    remaining: dict


EVERY_RULE = {"runOnly": WCAG}
SCENES = {
    "claro": Scene(DESK, "light", EVERY_RULE),
    "oscuro": Scene(DESK, "dark", {"runOnly": COLOURS}),
    "telefono": Scene(PHONE, "light", {"runOnly": SMALL_SCREEN}),
}


def choose_pages(pages: dict[str, Address]) -> dict[str, Address]:
    """Return the pages that this run judges: every third one day by day, all in the long run."""
    return dict(list(pages.items())[:: extent.choose(daily=3, whole=1)])


LOADED = extent.choose(daily=["claro"], whole=list(SCENES))
"""The scenes in which pages are loaded in this run."""


# A request of the page dims what it will replace, and a delayed or polling one can start while axe looks: those wait
# until axe is done. A colour on its way to another, as of a button just enabled, is no colour that anybody reads.
RUN_AXE = """async (options) => {
  const waiting = [];
  const hold = (event) => { event.preventDefault(); waiting.push(() => event.detail.issueRequest(true)); };
  document.addEventListener('htmx:confirm', hold);
  try {
    while (document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')) {
      await new Promise((resume) => setTimeout(resume, 20));
    }
    document.getAnimations().filter((each) => each instanceof CSSTransition).forEach((each) => each.finish());
    return await axe.run(document, options);
  } finally {
    document.removeEventListener('htmx:confirm', hold);
    waiting.forEach((issue) => issue());
  }
}"""


def find_violations(page: Page, options: dict) -> list[dict]:
    """Return what axe finds on a page: rule, help and up to four places, each with the reason."""
    # After a click the next page may still be arriving: half of a link has no name yet.
    page.wait_for_load_state("load")
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(url=AXE)
    # No style sheet comes from elsewhere, and of what is right nothing but that it was looked at is asked.
    lean = {**options, "resultTypes": ["violations"], "preload": False}
    found = page.evaluate(RUN_AXE, lean)
    assert found["passes"], "axe ran over an empty page"
    return [
        {
            "rule": each["id"],
            "help": each["help"],
            "where": [(node["html"][:160], node["failureSummary"]) for node in each["nodes"]][:4],
        }
        for each in found["violations"]
    ]


def visit(page: Page, address: str) -> None:
    """Open a page. Fails where the address answers with an error or leads elsewhere, as to the door."""
    answer = page.goto(address)
    assert answer.ok, f"{address} answered {answer.status}"
    assert page.url.endswith(address), f"{address} led to {page.url}"


def show(page: Page, scene: Scene) -> None:
    """Show a loaded page in another scene, with no transition on the way: its colours are the scene's at once."""
    page.set_viewport_size(scene.viewport)
    page.emulate_media(color_scheme=scene.colours, reduced_motion="reduce")
    # The console hears of it through an event of the next frame; the portal's style sheet asks for itself.
    page.wait_for_function(
        "colours => [undefined, colours].includes(document.documentElement.dataset.bsTheme)", arg=scene.colours
    )


def assert_accessible(page: Page, options: dict = EVERY_RULE) -> None:
    """Fail with every violation of WCAG 2.2 A and AA that axe finds, each with its place on the page."""
    violations = find_violations(page, options)
    assert violations == [], json.dumps(violations, indent=1, ensure_ascii=False)


def assert_fits(page: Page) -> None:
    """Fail where the page is wider than the screen."""
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{page.url} is wider than the screen by {overflow} px"
