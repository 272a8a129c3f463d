"""The states that a planned day changes are kept as they were, and a run may be taken back."""

from django.db import migrations, models

STATUS = [("RUNNING", "In progress"), ("DONE", "Done"), ("FAILED", "Failed"), ("UNDONE", "Taken back")]


class Migration(migrations.Migration):
    dependencies = [
        ("strategy", "0002_status_label"),
    ]

    operations = [
        migrations.CreateModel(
            name="StateBefore",
            fields=[
                ("account_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("as_of", models.DateField()),
                ("balance_minor", models.BigIntegerField()),
                ("overdue_minor", models.BigIntegerField()),
                ("oldest_due_date", models.DateField(null=True)),
                ("next_due_date", models.DateField(null=True)),
                ("bucket", models.CharField(max_length=16)),
                ("stage", models.CharField(max_length=14)),
                ("segment", models.TextField()),
                ("cycle_date", models.DateField(null=True)),
                ("stage_since", models.DateField()),
            ],
        ),
        migrations.AlterField(
            model_name="cyclerun",
            name="status",
            field=models.CharField(choices=STATUS, max_length=7),
        ),
        migrations.AlterField(
            model_name="cyclestep",
            name="status",
            field=models.CharField(choices=STATUS, max_length=7),
        ),
    ]
