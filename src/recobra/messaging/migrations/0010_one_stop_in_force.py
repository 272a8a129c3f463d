"""At most one stop of sending is in force."""

from django.db import migrations, models

# Two that began in the same instant: the earlier one goes on.
END_OTHERS = """
UPDATE messaging_sendingstop SET ended_at = began_at, ended_by = began_by
WHERE ended_at IS NULL AND id <> (SELECT min(id) FROM messaging_sendingstop WHERE ended_at IS NULL)
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0009_texts_encrypted")]

    operations = [
        migrations.RunSQL(END_OTHERS, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="sendingstop",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at__isnull", True)),
                fields=("ended_at",),
                name="sending_stop_one_in_force",
                nulls_distinct=False,
            ),
        ),
    ]
