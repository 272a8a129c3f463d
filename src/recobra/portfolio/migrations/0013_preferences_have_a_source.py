"""It is known who stated a debtor's preferences: what a person set is not undone by a file."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0012_points_kept_by_people")]

    operations = [
        migrations.AddField(
            model_name="debtor",
            name="preferences_source",
            field=models.CharField(blank=True, db_default="", default="", max_length=6),
        ),
    ]
