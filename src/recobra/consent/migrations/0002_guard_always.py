"""The guard of consent stays on for whoever writes without row checks: it fires whatever the session's role is."""

from django.db import migrations

ALWAYS = "ALTER TABLE consent_consententry ENABLE ALWAYS TRIGGER consent_append_only"
USUAL = "ALTER TABLE consent_consententry ENABLE TRIGGER consent_append_only"


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(ALWAYS, USUAL),
    ]
