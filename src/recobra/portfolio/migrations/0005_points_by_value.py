"""A contact point is found by its value or by its debtor; the debtor stood in two long indexes, and stands in one.

Builds both indexes anew, under a lock of the table: some 5 s for a million accounts with 1.6 million points, which then
take some 55 bytes less per account.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0004_numbers_found_by_their_key")]

    operations = [
        migrations.RemoveIndex(model_name="contactpoint", name="contact_point_value"),
        migrations.RemoveConstraint(model_name="contactpoint", name="contact_point_once"),
        migrations.AddConstraint(
            model_name="contactpoint",
            constraint=models.UniqueConstraint(
                fields=("value", "kind", "debtor"),
                name="contact_point_once",
                opclasses=["text_pattern_ops", "text_ops", "int8_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="contactpoint", index=models.Index(fields=["debtor"], name="contact_point_of_debtor")
        ),
    ]
