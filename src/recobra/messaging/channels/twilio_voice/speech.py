"""Writing TwiML: what is said, in which voice, and what is waited for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from xml.etree.ElementTree import Element, SubElement, tostring

from recobra_core import yaml_text

WAIT_SECONDS = 8


@cache
def _file() -> Mapping[str, Any]:
    document: Mapping[str, Any] = yaml_text.load(Path(__file__).with_name("phrases.yaml").read_text(encoding="utf-8"))
    return document


class Speech:
    """One answer to Twilio, in the voice of a country."""

    def __init__(self, *, country: str, url: str) -> None:
        self._voice, self._language = _file()["voices"].get(country, _file()["voices"]["other"])
        self._words = _file()[self._language[:2]]
        self._url = url
        self._root = Element("Response")

    def phrase(self, key: str, **values: str | int) -> str:
        """Return a phrase with its values filled in."""
        return str(self._words[key]).format(**values)

    def day(self, day: date) -> str:
        """Return a day as it is said; the year goes without saying."""
        return str(self._words["day"]).format(day=day.day, month=self._words["months"][day.month - 1])

    def say(self, text: str, *, into: Element | None = None) -> None:
        """Say a text."""
        said = SubElement(self._root if into is None else into, "Say", voice=self._voice, language=self._language)
        said.text = text

    def ask(self, *texts: str, step: str, digits: int | None, tries: int, **carried: int) -> None:
        """Say texts and wait for keys; silence asks once more."""
        until = {"numDigits": str(digits)} if digits else {"finishOnKey": "#"}
        waiting = {"input": "dtmf", "action": self._at(step, tries=tries, **carried), "method": "POST"}
        gather = SubElement(self._root, "Gather", {**waiting, "timeout": str(WAIT_SECONDS), **until})
        for text in texts:
            self.say(text, into=gather)
        again = SubElement(self._root, "Redirect", method="POST")
        again.text = self._at(step, tries=tries, silent=1, **carried)

    def dial(self, number: str, caller: str) -> None:
        """Put the debtor through, showing our own number."""
        dial = SubElement(self._root, "Dial", callerId=caller)
        SubElement(dial, "Number").text = number

    def hang_up(self) -> None:
        """End the call."""
        SubElement(self._root, "Hangup")

    def xml(self) -> str:
        """Return the whole answer."""
        return '<?xml version="1.0" encoding="UTF-8"?>' + tostring(self._root, encoding="unicode")

    def _at(self, step: str, **carried: int) -> str:
        return f"{self._url}?{urlencode({'step': step, **carried})}"
