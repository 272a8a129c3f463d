"""What providers say of our accounts and templates, and what of their calls led to nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0010_one_stop_in_force"),
    ]

    operations = [
        migrations.AddField(model_name="provider", name="stopped_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="provider", name="stopped_reason", field=models.TextField(db_default="", default="")
        ),
        migrations.AddField(model_name="provider", name="warned_at", field=models.DateTimeField(null=True)),
        migrations.AddField(
            model_name="provider", name="warned_reason", field=models.TextField(db_default="", default="")
        ),
        migrations.AddField(
            model_name="template", name="provider_quality", field=models.TextField(db_default="", default="")
        ),
        migrations.AddField(
            model_name="webhookcall",
            name="unused",
            field=models.JSONField(db_default=models.Value([], models.JSONField()), default=list),
        ),
    ]
