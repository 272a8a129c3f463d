"""What the linter said of a text is kept, and asked for again where the text, the law or the linter is another."""

from __future__ import annotations

from datetime import date

import pytest

from recobra.messaging.models import Template
from recobra.messaging.templates import selection
from recobra.messaging.templates.library import load_starter_templates
from recobra_core.law.content import Finding

STARTER = next(
    template
    for template in load_starter_templates("es")
    if (template["code"], template["channel"], template["country"]) == ("recordatorio", "sms", "")
)
GOOD = Template(channel="sms", language="es", text=STARTER["text"])
THREAT = Template(channel="sms", language="es", text="Lo vamos a embargar mañana.")
DAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """A cache of this test's own; the folder of what is kept."""
    monkeypatch.setenv("RECOBRA_CACHE_DIR", str(tmp_path))
    yield tmp_path / "lawful"
    selection._is_lawful_text.cache_clear()


@pytest.fixture
def asked(monkeypatch):
    """The texts that the linter was asked about."""
    texts = []
    lint = selection.lint_for_country

    def ask(**question):
        texts.append(question["text"])
        return lint(**question)

    monkeypatch.setattr(selection, "lint_for_country", ask)
    return texts


def is_lawful_to_a_new_process(template, country, on):
    selection._is_lawful_text.cache_clear()
    return selection.is_lawful(template, country, on)


def test_the_next_process_need_not_ask_again(asked):
    for _process in range(3):
        assert is_lawful_to_a_new_process(GOOD, "PE", DAY)
        assert not is_lawful_to_a_new_process(THREAT, "PE", DAY)
    assert asked == [GOOD.text, THREAT.text]


def test_another_day_of_the_same_law_is_the_same_question(asked):
    assert is_lawful_to_a_new_process(GOOD, "PE", DAY)
    assert is_lawful_to_a_new_process(GOOD, "PE", date(2026, 12, 24))
    assert asked == [GOOD.text]


def test_another_version_of_the_law_is_another_question(asked, monkeypatch):
    assert is_lawful_to_a_new_process(GOOD, "PE", DAY)
    before = selection.files.find_content("PE", on=DAY)
    versions = {DAY: before, date(2026, 12, 24): None}
    monkeypatch.setattr(selection.files, "find_content", lambda _country, *, on: versions[on])
    assert not is_lawful_to_a_new_process(GOOD, "PE", date(2026, 12, 24))
    assert is_lawful_to_a_new_process(GOOD, "PE", DAY)
    assert asked == [GOOD.text, GOOD.text]


@pytest.mark.parametrize(
    "change", [{"country": "MX"}, {"legal": True}, {"language": "pt"}, {"channel": "whatsapp"}, {"html": "<p>x</p>"}]
)
def test_another_text_country_or_channel_is_another_question(asked, change):
    is_lawful_to_a_new_process(GOOD, "PE", DAY)
    values = {"channel": "sms", "language": "es", "text": GOOD.text, **change}
    country = values.pop("country", "PE")
    is_lawful_to_a_new_process(Template(**values), country, DAY)
    assert len(asked) == 2


def test_another_linter_is_asked_anew(asked, monkeypatch):
    assert is_lawful_to_a_new_process(GOOD, "PE", DAY)
    monkeypatch.setattr(selection, "_linter_digest", lambda: b"of the next release")
    threat = Finding(code="threat", severity="block", start=0, end=1, excerpt="", sentence="", article="", source="")
    monkeypatch.setattr(selection, "lint_for_country", lambda **_question: (threat,))
    assert not is_lawful_to_a_new_process(GOOD, "PE", DAY)


def test_what_a_power_cut_left_half_is_asked_anew(asked, kept):
    assert not is_lawful_to_a_new_process(THREAT, "PE", DAY)
    (answer,) = kept.iterdir()
    answer.write_bytes(b"yes")
    assert not is_lawful_to_a_new_process(THREAT, "PE", DAY)
    assert asked == [THREAT.text, THREAT.text]
