"""The database gives a contact its public id where none comes with the row, as by COPY. Reads and writes no row."""

import uuid

import django.contrib.postgres.functions
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0004_status_label")]

    operations = [
        migrations.AlterField(
            model_name="contact",
            name="public_id",
            field=models.UUIDField(
                db_default=django.contrib.postgres.functions.RandomUUID(), default=uuid.uuid4, unique=True
            ),
        ),
    ]
