"""A mapping keeps no section of its portfolio, so it names no bank account: its document is JSON again."""

import json

from django.db import migrations, models


def decrypt(apps, schema_editor):
    """Put the documents back in plain, as text that the column's type takes."""
    for mapping in apps.get_model("intake", "Mapping").objects.all():
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "UPDATE intake_mapping SET document = %s WHERE id = %s", [json.dumps(mapping.document), mapping.pk]
            )


def encrypt(apps, schema_editor):
    """Encrypt the documents that stand there in plain."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, document FROM intake_mapping")
        rows = cursor.fetchall()
    for mapping_id, text in rows:
        mapping = apps.get_model("intake", "Mapping").objects.get(pk=mapping_id)
        mapping.document = json.loads(text)
        mapping.save(update_fields=["document"])


class Migration(migrations.Migration):
    dependencies = [("intake", "0002_encrypt_mappings")]

    operations = [
        migrations.RunPython(decrypt, encrypt),
        migrations.AlterField(model_name="mapping", name="document", field=models.JSONField()),
    ]
