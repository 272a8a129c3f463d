"""What people said is encrypted, and the guard of the ledger lets a pass encrypt it anew.

A text of that form which the keys did not write does not open, so nobody can put words into the ledger by it.
"""

from django.db import migrations

import recobra.kit.encrypted_field
from recobra.kit.key_rotation import decrypt_texts

GUARD = """
CREATE OR REPLACE FUNCTION consent_only_digests() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND (NEW.value = OLD.value OR (starts_with(NEW.value, 'hmac:') AND NOT starts_with(OLD.value, 'hmac:')))
        AND (NEW.said = OLD.said OR NEW.said = '' OR (OLD.said <> '' AND NEW.said ~ '^enc[12][.][0-9a-f]{8}[.]'))
        AND to_jsonb(NEW) - 'value' - 'said' = to_jsonb(OLD) - 'value' - 'said'
    THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'The table % only grows: % is refused.', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
BACK = """
CREATE OR REPLACE FUNCTION consent_only_digests() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND (NEW.value = OLD.value OR (starts_with(NEW.value, 'hmac:') AND NOT starts_with(OLD.value, 'hmac:')))
        AND (NEW.said = OLD.said OR NEW.said = '')
        AND to_jsonb(NEW) - 'value' - 'said' = to_jsonb(OLD) - 'value' - 'said'
    THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'The table % only grows: % is refused.', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""


def decrypt(apps, schema_editor):
    """Put the texts back in plain."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("ALTER TABLE consent_consententry DISABLE TRIGGER consent_append_only")
        decrypt_texts(apps.get_model("consent", "consententry"))
        cursor.execute("ALTER TABLE consent_consententry ENABLE ALWAYS TRIGGER consent_append_only")


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0005_guard_lets_digests"),
    ]

    operations = [
        migrations.RunSQL(GUARD, BACK),
        migrations.AlterField(
            model_name="consententry",
            name="said",
            field=recobra.kit.encrypted_field.EncryptedTextField(default="", row="at", was_plain=True),
        ),
        # The rows stay as they are: the pass of the installation encrypts them, a few at a time.
        migrations.RunPython(migrations.RunPython.noop, decrypt),
    ]
