"""The ledger's guard stays on for whoever writes without row checks: it fires whatever the session's role is."""

from django.db import migrations

ALWAYS = "ALTER TABLE portfolio_posting ENABLE ALWAYS TRIGGER posting_append_only"
USUAL = "ALTER TABLE portfolio_posting ENABLE TRIGGER posting_append_only"


class Migration(migrations.Migration):
    dependencies = [
        ("portfolio", "0002_policy_moves"),
    ]

    operations = [
        migrations.RunSQL(ALWAYS, USUAL),
    ]
