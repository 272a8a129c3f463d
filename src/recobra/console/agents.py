"""Browsers in words: what a session list says of the device."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

# The first that is found: others name themselves after Chrome and Safari too.
_BROWSERS: Final = {
    "Edg": "Edge",
    "OPR": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS: Final = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def describe_agent(agent: str) -> str:
    """Return the browser and the system that a User-Agent header names, such as «Firefox · Windows»."""
    browser = next((name for sign, name in _BROWSERS.items() if sign in agent), "")
    system = next((name for sign, name in _SYSTEMS.items() if sign in agent), "")
    return " · ".join(filter(None, (browser, system))) or _("Another program")
