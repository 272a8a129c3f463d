"""People say why a contact point is retired and what took its place, and write notes about debtors.

The columns have their default in the database, so no row is written.
"""

import django.db.models.deletion
from django.db import migrations, models

import recobra.kit.encrypted_field


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0011_debtors_who_are_one")]

    operations = [
        migrations.AddField(
            model_name="contactpoint",
            name="retired_because",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "Not stated"),
                    ("WRONG_PERSON", "It is somebody else's"),
                    ("OUT_OF_SERVICE", "It does not exist, or is out of service"),
                    ("NO_LONGER", "The debtor no longer uses it"),
                    ("DOUBLE", "It is there twice"),
                    ("CORRECTED", "It was corrected"),
                ],
                db_default="",
                default="",
                max_length=14,
            ),
        ),
        migrations.AddField(
            model_name="contactpoint", name="corrected_by", field=models.BigIntegerField(null=True)
        ),
        migrations.CreateModel(
            name="DebtorNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("about_point", models.BigIntegerField(null=True)),
                ("is_reason", models.BooleanField(default=False)),
                ("text", recobra.kit.encrypted_field.EncryptedTextField(default="", row="written_at")),
                ("author", models.TextField()),
                ("author_id", models.BigIntegerField(null=True)),
                ("written_at", models.DateTimeField()),
                (
                    "debtor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="notes",
                        to="portfolio.debtor",
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["debtor", "-id"], name="note_of_debtor")]},
        ),
    ]
