from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("installation", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="backuprun",
            name="status",
            field=models.CharField(
                choices=[("RUNNING", "In progress"), ("DONE", "Done"), ("FAILED", "Failed")],
                default="RUNNING",
                max_length=7,
            ),
        ),
    ]
