"""A column that is named like a secret is encrypted or hashed; what is neither is named here with its reason."""

from __future__ import annotations

import dataclasses
import re

from django.apps import apps
from django.db import models

from recobra.journal.facts import declared_kinds
from recobra.kit.encrypted_field import EncryptedTextField

SECRET = re.compile(
    r"(^|_)(tokens?|secrets?|passwords?|passphrase|pins?|otp|totp|seed|credentials?|iban|cbu|clabe|cvu"
    r"|account_number|bank_account|payment_instructions|(api|private|session|secret|signing|access)_?key)(_|$)"
)
HASHED = re.compile(r"(^|_)(digest|hash|hashed)(_|$)")
TEXTS = (models.CharField, models.TextField, models.BinaryField, models.JSONField)
ALLOWED = {
    "access.User.password": "Hashed by Django, with a salt and many rounds.",
}


def is_secret(name):
    return SECRET.search(name) is not None and HASHED.search(name) is None


def plain_columns():
    """Yield the columns that are named like secrets and hold plain values."""
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_fields:
            is_text = isinstance(field, TEXTS) and not isinstance(field, EncryptedTextField)
            if is_text and is_secret(field.name):
                yield f"{model._meta.app_label}.{model.__name__}.{field.name}"


def test_no_column_holds_a_secret_in_plain():
    assert set(plain_columns()) - set(ALLOWED) == set()


def test_what_is_allowed_is_there_and_says_why():
    names = {
        f"{model._meta.app_label}.{model.__name__}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.local_fields
    }
    assert set(ALLOWED) <= names
    assert all(reason.endswith(".") for reason in ALLOWED.values())


def test_the_rule_knows_a_secret_by_its_name():
    for name in ("token", "webhook_secret", "api_key", "cbu", "account_number", "private_key", "seed", "tokens"):
        assert is_secret(name), name
    for name in ("step_key", "event_key", "token_digest", "pinned_at", "description", "account_id"):
        assert not is_secret(name), name


def test_no_fact_of_the_journal_carries_a_secret():
    # The journal is never encrypted anew and never forgets.
    carried = {
        f"{kind}.{field.name}"
        for kind, fact in declared_kinds().items()
        for field in dataclasses.fields(fact)
        if is_secret(field.name) and "int" not in str(field.type)
    }
    assert carried == set()
