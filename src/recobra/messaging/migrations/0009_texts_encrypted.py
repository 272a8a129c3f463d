"""Texts that hold links of debtors, places of payment and what people wrote are encrypted from now on."""

from django.db import migrations

import recobra.kit.encrypted_field
from recobra.kit.key_rotation import decrypt_texts

MODELS = ("contact", "letter", "mailboxmessage", "template", "webhookcall")


def decrypt(apps, schema_editor):
    """Put the texts back in plain."""
    for name in MODELS:
        decrypt_texts(apps.get_model("messaging", name))
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("UPDATE messaging_letter SET content = '{}' WHERE content = ''")


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0008_sendingstop"),
    ]

    operations = [
        migrations.AlterField(
            model_name="contact",
            name="answer",
            field=recobra.kit.encrypted_field.EncryptedTextField(default="", row="public_id", was_plain=True),
        ),
        migrations.AlterField(
            model_name="contact",
            name="body",
            field=recobra.kit.encrypted_field.EncryptedTextField(default="", row="public_id", was_plain=True),
        ),
        migrations.AlterField(
            model_name="contact",
            name="html",
            field=recobra.kit.encrypted_field.EncryptedTextField(
                db_default="", default="", row="public_id", was_plain=True
            ),
        ),
        migrations.AlterField(
            model_name="contact",
            name="subject",
            field=recobra.kit.encrypted_field.EncryptedTextField(default="", row="public_id", was_plain=True),
        ),
        migrations.AlterField(
            model_name="letter",
            name="content",
            field=recobra.kit.encrypted_field.EncryptedJSONField(default=dict, row="reference", was_plain=True),
        ),
        migrations.AlterField(
            model_name="mailboxmessage",
            name="raw",
            field=recobra.kit.encrypted_field.EncryptedBinaryField(row="contact_public_id", was_plain=True),
        ),
        migrations.AlterField(
            model_name="template",
            name="html",
            field=recobra.kit.encrypted_field.EncryptedTextField(row="code", was_plain=True),
        ),
        migrations.AlterField(
            model_name="template",
            name="subject",
            field=recobra.kit.encrypted_field.EncryptedTextField(row="code", was_plain=True),
        ),
        migrations.AlterField(
            model_name="template",
            name="text",
            field=recobra.kit.encrypted_field.EncryptedTextField(row="code", was_plain=True),
        ),
        migrations.AlterField(
            model_name="webhookcall",
            name="body",
            field=recobra.kit.encrypted_field.EncryptedBinaryField(row="digest", was_plain=True),
        ),
        migrations.AlterField(
            model_name="webhookcall",
            name="error",
            field=recobra.kit.encrypted_field.EncryptedTextField(default="", row="digest", was_plain=True),
        ),
        # The rows stay as they are: the pass of the installation encrypts them, a few at a time.
        migrations.RunPython(migrations.RunPython.noop, decrypt),
    ]
