from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workbench", "0001_initial"),
    ]

    operations = [
        migrations.AddField("task", "queue", models.TextField(db_default="", default="")),
    ]
