"""The journal's guards stay on for whoever writes without row checks: they fire whatever the session's role is."""

from django.db import migrations

# Partitions follow, those to come too.
ALWAYS = """
ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER journal_write_digest;
ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER journal_append_only;
"""
USUAL = """
ALTER TABLE journal_entry ENABLE TRIGGER journal_write_digest;
ALTER TABLE journal_entry ENABLE TRIGGER journal_append_only;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("journal", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(ALWAYS, USUAL),
    ]
