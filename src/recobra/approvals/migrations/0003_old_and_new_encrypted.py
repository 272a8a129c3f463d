"""What changes may name bank accounts: `old` and `new` hold encrypted values from now on."""

import json

from django.db import migrations

import recobra.kit.encrypted_field
from recobra.kit.encryption import PREFIX


def encrypt(apps, schema_editor):
    """Encrypt the documents that stand there in plain; the change of the column's type left them as their text."""
    approval_model = apps.get_model("approvals", "Approval")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT id, old, new FROM approvals_approval ORDER BY id")
        rows = cursor.fetchall()
    for approval_id, old, new in rows:
        if old.startswith(PREFIX) or new.startswith(PREFIX):
            continue
        approval = approval_model.objects.defer("old", "new").get(pk=approval_id)
        approval.old = json.loads(old)
        approval.new = json.loads(new)
        approval.save(update_fields=["old", "new"])


def decrypt(apps, schema_editor):
    """Put the documents back in plain, as text that the column's old type takes."""
    for approval in apps.get_model("approvals", "Approval").objects.all():
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "UPDATE approvals_approval SET old = %s, new = %s WHERE id = %s",
                [json.dumps(approval.old), json.dumps(approval.new), approval.pk],
            )


class Migration(migrations.Migration):
    dependencies = [
        ("approvals", "0002_secondpersonrule"),
        # It writes approvals as they were until now.
        ("messaging", "0003_approvals_decide_about_templates"),
    ]

    operations = [
        migrations.AlterField(
            model_name="approval",
            name="old",
            field=recobra.kit.encrypted_field.EncryptedJSONField(default=dict),
        ),
        migrations.AlterField(
            model_name="approval",
            name="new",
            field=recobra.kit.encrypted_field.EncryptedJSONField(default=dict),
        ),
        migrations.RunPython(encrypt, decrypt),
    ]
