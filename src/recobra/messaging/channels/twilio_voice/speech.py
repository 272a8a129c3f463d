"""TwiML of one turn of a call, in the voice of a country."""

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
def _load_phrases() -> Mapping[str, Any]:
    document: Mapping[str, Any] = yaml_text.load(Path(__file__).with_name("phrases.yaml").read_text(encoding="utf-8"))
    return document


class Speech:
    """Writes one answer to Twilio."""

    def __init__(self, *, country: str, url: str) -> None:
        self._voice, self._language = _load_phrases()["voices"].get(country, _load_phrases()["voices"]["other"])
        self._words = _load_phrases()[self._language[:2]]
        self._url = url
        self._root = Element("Response")

    def phrase(self, key: str, **values: str | int) -> str:
        """Return a phrase with its values filled in."""
        return str(self._words[key]).format(**values)

    def format_day(self, day: date) -> str:
        """Return a day as it is spoken, without the year."""
        return str(self._words["day"]).format(day=day.day, month=self._words["months"][day.month - 1])

    def say(self, text: str, *, into: Element | None = None) -> None:
        """Say a text."""
        element = SubElement(self._root if into is None else into, "Say", voice=self._voice, language=self._language)
        element.text = text

    def ask(self, *texts: str, step: str, digits: int | None, tries: int, **extra: int) -> None:
        """Say texts and wait for keys; `digits` None waits for #."""
        end = {"numDigits": str(digits)} if digits else {"finishOnKey": "#"}
        attributes = {"input": "dtmf", "action": self._step_url(step, tries=tries, **extra), "method": "POST"}
        gather = SubElement(self._root, "Gather", {**attributes, "timeout": str(WAIT_SECONDS), **end})
        for text in texts:
            self.say(text, into=gather)
        # Reached only if nothing was pressed: the step is served once more, and counts a try.
        redirect = SubElement(self._root, "Redirect", method="POST")
        redirect.text = self._step_url(step, tries=tries, silent=1, **extra)

    def dial(self, number: str, caller: str) -> None:
        """Connect the debtor with a number; `caller` is the company's own number, which is shown."""
        dial = SubElement(self._root, "Dial", callerId=caller)
        SubElement(dial, "Number").text = number

    def hang_up(self) -> None:
        """End the call."""
        SubElement(self._root, "Hangup")

    def xml(self) -> str:
        """Return the whole answer."""
        return '<?xml version="1.0" encoding="UTF-8"?>' + tostring(self._root, encoding="unicode")

    def _step_url(self, step: str, **extra: int) -> str:
        return f"{self._url}?{urlencode({'step': step, **extra})}"
