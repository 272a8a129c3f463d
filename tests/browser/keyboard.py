"""Keys pressed on a page."""

from __future__ import annotations

from playwright.sync_api import Page


def press(page: Page, *keys: str) -> None:
    """Press keys one after the other on a page that listens: its script runs after its words are on the screen."""
    page.wait_for_load_state()
    for key in keys:
        page.keyboard.press(key)
