"""People add those around an account and take them away; the columns have their default in the database."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0013_preferences_have_a_source")]

    operations = [
        migrations.AddField(
            model_name="party",
            name="source",
            field=models.CharField(
                choices=[("LOAD", "Load"), ("STAFF", "Staff"), ("DEBTOR", "Debtor")],
                db_default="LOAD",
                default="LOAD",
                max_length=6,
            ),
        ),
        migrations.AddField(model_name="party", name="retired_at", field=models.DateTimeField(null=True)),
        migrations.AlterField(
            model_name="party",
            name="part",
            field=models.CharField(
                choices=[
                    ("CO_DEBTOR", "Co-debtor"),
                    ("GUARANTOR", "Guarantor"),
                    ("REFERENCE", "Reference"),
                    ("PAYER", "Who pays (accounts payable)"),
                ],
                max_length=9,
            ),
        ),
    ]
