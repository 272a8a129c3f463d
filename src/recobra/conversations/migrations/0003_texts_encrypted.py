"""Texts that hold links of debtors, places of payment and what people wrote are encrypted from now on."""

from django.db import migrations

import recobra.kit.encrypted_field
from recobra.kit.key_rotation import decrypt_texts

MODELS = ("cannedanswer", "conversationmessage")


def decrypt(apps, schema_editor):
    """Put the texts back in plain."""
    for name in MODELS:
        decrypt_texts(apps.get_model("conversations", name))


class Migration(migrations.Migration):
    dependencies = [
        ("conversations", "0002_attempts_and_disputes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="cannedanswer",
            name="text",
            field=recobra.kit.encrypted_field.EncryptedTextField(row="code", was_plain=True),
        ),
        migrations.AlterField(
            model_name="conversationmessage",
            name="text",
            field=recobra.kit.encrypted_field.EncryptedTextField(default="", row="conversation_id", was_plain=True),
        ),
        # The rows stay as they are: the pass of the installation encrypts them, a few at a time.
        migrations.RunPython(migrations.RunPython.noop, decrypt),
    ]
