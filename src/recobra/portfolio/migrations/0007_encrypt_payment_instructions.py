"""Where debtors pay names bank accounts: the column holds encrypted values from now on."""

from django.db import migrations

import recobra.kit.encrypted_field
from recobra.kit.encryption import PREFIX


def encrypt(apps, schema_editor):
    """Encrypt the texts that stand there in plain."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, payment_instructions FROM portfolio_creditor WHERE payment_instructions <> ''")
        rows = cursor.fetchall()
    for creditor_id, text in rows:
        if not text.startswith(PREFIX):
            creditor = apps.get_model("portfolio", "Creditor").objects.get(pk=creditor_id)
            creditor.payment_instructions = text
            creditor.save(update_fields=["payment_instructions"])


def decrypt(apps, schema_editor):
    """Put the texts back in plain."""
    for creditor in apps.get_model("portfolio", "Creditor").objects.exclude(payment_instructions=""):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "UPDATE portfolio_creditor SET payment_instructions = %s WHERE id = %s",
                [creditor.payment_instructions, creditor.pk],
            )


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0006_few_postings_reverse")]

    operations = [
        migrations.AlterField(
            model_name="creditor",
            name="payment_instructions",
            field=recobra.kit.encrypted_field.EncryptedTextField(default="", row="code"),
        ),
        migrations.RunPython(encrypt, decrypt),
    ]
