"""The bot understands phrases it never saw, and does not silence anybody who only sounds like it."""

from __future__ import annotations

import re

import pytest

from recobra.conversations.bot import classifier, evaluation, interpretation, phrasebook
from recobra.conversations.bot.intents import LEARNT, MAIN
from tests.house.conftest import ROOT


def test_every_main_intent_has_its_phrases_in_every_variant():
    phrases = phrasebook.load_phrases()
    for intent in MAIN:
        mine = [phrase for phrase in phrases if phrase.intent == intent]
        assert len(mine) >= 120
        assert {phrase.variant for phrase in mine} == set(phrasebook.VARIANTS)
    assert {phrase.intent for phrase in phrases} == set(LEARNT)


def test_no_phrase_and_no_near_copy_of_it_is_on_both_sides():
    phrases = phrasebook.load_phrases()
    rest, test = classifier.split_groups(phrases, parts=5)[0]
    assert {phrases[n].group for n in rest} & {phrases[n].group for n in test} == set()
    assert {phrases[n].text.casefold() for n in rest} & {phrases[n].text.casefold() for n in test} == set()
    assert len(test) * 5 in range(len(phrases) - 100, len(phrases) + 100)


def test_no_hard_negative_is_trained_on():
    known = {phrase.text.casefold() for phrase in phrasebook.load_phrases()}
    assert [negative.text for negative in phrasebook.load_hard_negatives() if negative.text.casefold() in known] == []


@pytest.mark.long
def test_the_held_out_fifth_is_understood(measured):
    assert measured["accuracy_without_threshold"] >= 0.85
    assert measured["accuracy_when_answered"] >= 0.90
    assert measured["accuracy_main_intents"] >= 0.87
    assert measured["not_understood"] <= 0.20
    assert measured["every_fifth"]["accuracy_when_answered"] >= 0.91
    assert all(of["accuracy_when_answered"] >= 0.90 for of in measured["every_fifth"]["variants"].values())


@pytest.mark.long
def test_a_wish_for_silence_is_heard(measured):
    for figures in (measured, measured["every_fifth"]):
        assert figures["silencing"]["opt_out"]["recall"] >= 0.97
        assert figures["silencing"]["opt_out"]["silenced_or_asked"] >= 0.99
        assert figures["silencing"]["wrong_person"]["silenced_or_asked"] >= 0.95


@pytest.mark.long
def test_what_only_sounds_like_it_is_not_acted_on(measured):
    assert {name: of["acted_on"] for name, of in measured["hard_negatives"].items()} == dict.fromkeys(
        ["opt_out", "wrong_person", "promise", "already_paid", "dispute"], 0
    )


def test_no_hard_negative_is_acted_on_by_the_classifier_in_use():
    acted = [
        negative.text
        for negative in phrasebook.load_hard_negatives()
        if interpretation.interpret_message(text=negative.text, today=evaluation.AS_OF, country="PE").intent
        == negative.never
    ]
    assert acted == []


@pytest.mark.long
def test_the_thresholds_in_use_are_those_measured(measured):
    assert interpretation.THRESHOLDS.act == measured["threshold_act"]
    assert interpretation.THRESHOLDS.say == measured["threshold_say"]


@pytest.mark.long
def test_the_page_prints_the_figures_of_this_code(measured):
    page = (ROOT / "docs" / "bot.md").read_text(encoding="utf-8")
    printed = dict(re.findall(r"^\| `(\w+)` \|[^|]*\| ([\d.]+) \|", page, re.MULTILINE))
    assert printed
    assert printed == {name: str(measured[name]) for name in printed}


def test_the_classifier_answers_the_same_twice():
    phrases = phrasebook.load_phrases()[::4]
    texts = ["kiero pagar", "no me escriban más", "cuánto debo"]
    assert classifier.train_classifier(on=phrases).predict(texts) == classifier.train_classifier(on=phrases).predict(
        texts
    )
