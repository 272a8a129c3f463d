"""A status has one label: the one of the model's choices, which the screens add a tone to."""

import dataclasses

import pytest
from django.apps import apps
from django.utils import translation

from recobra.console import labels
from recobra.console.labels.family import field_labels
from recobra.console.navigation import ITEMS
from recobra.journal.facts import declared_kinds
from recobra.messaging.models import Template
from recobra.strategy.models import StrategyVersion
from recobra_core.decide.plan import UNREACHABLE_REASONS


def fields_with_choices():
    for model in apps.get_models():
        if model.__module__.startswith("recobra."):
            for field in model._meta.get_fields():
                if getattr(field, "choices", None):
                    yield f"{model._meta.label}.{field.name}", {str(code): label for code, label in field.flatchoices}


@pytest.mark.parametrize("language", ["en", "es"])
def test_no_family_of_labels_says_the_codes_of_a_model_in_other_words(language):
    drifted = []
    with translation.override(language):
        for name, choices in fields_with_choices():
            for family, words in labels.LABELS.items():
                # Forms for many («Enviados») are another word on purpose.
                if set(words) == set(filter(None, choices)) and family != "contact_many":
                    drifted += [
                        f"{family} {code}: {label}, and {name}: {choices[code]}"
                        for code, (label, _tone) in words.items()
                        if str(label) != str(choices[code])
                    ]
    assert drifted == []


def test_a_version_in_force_and_a_template_that_was_sent_back_are_called_so_everywhere():
    with translation.override("es"):
        assert str(StrategyVersion.Status.PUBLISHED.label) == labels.label_of("version", "PUBLISHED") == "Vigente"
        assert str(Template.Status.REJECTED.label) == labels.label_of("template", "REJECTED") == "Devuelta"


def test_a_tone_of_a_code_that_is_no_choice_does_not_start():
    with pytest.raises(ValueError, match="OPENED"):
        field_labels("portfolio.Account", "status", OPENED="calm")


def test_no_two_entries_of_the_menu_have_one_key():
    keys = [item.key for item in ITEMS]
    assert len(set(keys)) == len(keys)
    assert "g" not in keys, "it begins the others"


def test_every_reason_why_nobody_can_be_reached_asks_for_something_in_words():
    assert set(labels.LABELS["unreachable"]) == set(UNREACHABLE_REASONS.values())


def test_every_detail_of_a_fact_has_a_name_in_words():
    named = {field.name for fact in declared_kinds().values() for field in dataclasses.fields(fact)}
    assert sorted(named - set(labels.LABELS["detail"])) == [], "Auditoría shows them to people"
