"""A step may ask for the words of a tone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0015_template_without_provider"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="tone",
            field=models.CharField(blank=True, db_default="", default="", max_length=10),
        ),
    ]
