"""Every text a person sees exists in Spanish, with the same places for its values."""

from __future__ import annotations

import io
import re
from collections import Counter

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation import template as django_templates

from .conftest import ROOT, tracked

CATALOGUE = ROOT / "src" / "recobra" / "locale" / "es" / "LC_MESSAGES" / "django.po"
KEYWORDS = {
    "_": None,
    "CommandRefused": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")


def _python_of(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    if name.endswith(".py"):
        return text
    # What Django makes of a template are calls between filler; only their indentation would offend Python.
    return "\n".join(line.lstrip() for line in django_templates.templatize(text, origin=name).splitlines())


def _texts():
    """Yield (where, context, text) of every translatable string, templates included."""
    names = tracked("src/recobra/**/*.py", "src/recobra/**/*.html", "src/recobra/**/*.txt")
    for name in names:
        if "/migrations/" in name:
            continue
        source = io.BytesIO(_python_of(name).encode())
        for line, message, _comments, context in extract("python", source, keywords=KEYWORDS):
            for text in message if isinstance(message, tuple) else (message,):
                if text:
                    yield f"{name}:{line}", context, text


@pytest.fixture(scope="module")
def texts():
    found = list(_texts())
    assert len(found) > 50
    return found


@pytest.fixture(scope="module")
def catalogue():
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="es")


def _spanish(catalogue, text, context):
    message = catalogue.get(text, context)
    if message is None:
        plurals = (each for each in catalogue if isinstance(each.id, tuple) and text in each.id)
        message = next(plurals, None)
    return message


def test_every_text_is_translated(texts, catalogue):
    missing = {
        f"{where}: {text}"
        for where, context, text in texts
        if (found := _spanish(catalogue, text, context)) is None
        or found.fuzzy
        or not all(found.string if isinstance(found.string, tuple) else (found.string,))
    }
    assert not missing, "\n".join(sorted(missing))


def test_translations_keep_the_places_of_values(catalogue):
    wrong = [
        str(message.id)
        for message in catalogue
        if isinstance(message.id, str)
        and message.id
        and message.string
        and sorted(PLACES.findall(message.id)) != sorted(PLACES.findall(str(message.string)))
    ]
    assert not wrong, "\n".join(wrong)


def test_a_text_is_translated_once():
    # Of two translations the last one counts, and nobody sees the other.
    entries = re.findall(r'^(?:msgctxt .*\n)?msgid (?:".*"\n)+', CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(entries) > 50
    assert [entry for entry, times in Counter(entries).items() if times > 1] == []


def test_the_compiled_catalogue_says_the_same(catalogue):
    """`makemessages` needs gettext's tools; ours compiles with Babel, and must have been run."""
    from django.utils.translation import (  # noqa: PLC0415
        gettext,
        override,
        pgettext,
    )

    with override("es"):
        differing = [
            message.id
            for message in catalogue
            if isinstance(message.id, str)
            and message.id
            and message.string
            and (pgettext(message.context, message.id) if message.context else gettext(message.id)) != message.string
        ]
    assert not differing
