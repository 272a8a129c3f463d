from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("installation", "0002_status_label"),
    ]

    operations = [
        migrations.CreateModel(
            name="EncryptionPass",
            fields=[
                ("table", models.TextField(primary_key=True, serialize=False)),
                ("key_id", models.TextField(default="")),
                ("last_pk", models.TextField(default="")),
                ("finished_at", models.DateTimeField(null=True)),
            ],
        ),
    ]
