"""A mapping that opens a portfolio says where debtors pay: its document is encrypted from now on."""

import json

from django.db import migrations

import recobra.kit.encrypted_field
from recobra.kit.encryption import PREFIX


def encrypt(apps, schema_editor):
    """Encrypt the documents that stand there in plain."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, document FROM intake_mapping WHERE document <> ''")
        rows = cursor.fetchall()
    for mapping_id, text in rows:
        if not text.startswith(PREFIX):
            mapping = apps.get_model("intake", "Mapping").objects.get(pk=mapping_id)
            mapping.document = json.loads(text)
            mapping.save(update_fields=["document"])


def decrypt(apps, schema_editor):
    """Put the documents back in plain, as text that the column's former type takes."""
    for mapping in apps.get_model("intake", "Mapping").objects.all():
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "UPDATE intake_mapping SET document = %s WHERE id = %s", [json.dumps(mapping.document), mapping.pk]
            )


class Migration(migrations.Migration):
    dependencies = [("intake", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="mapping",
            name="document",
            field=recobra.kit.encrypted_field.EncryptedJSONField(),
        ),
        migrations.RunPython(encrypt, decrypt),
    ]
