"""Each instalment knows the load and the line of its file that last said something new of it.

What was loaded before keeps none: its lines were not kept. Both columns are empty, so no row is written.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0009_debtor_erased")]

    operations = [
        migrations.AddField(model_name="instalment", name="load_id", field=models.BigIntegerField(null=True)),
        migrations.AddField(model_name="instalment", name="line", field=models.BigIntegerField(null=True)),
    ]
