"""The ledger of consent cannot be emptied at once: TRUNCATE fires no trigger of rows."""

from django.db import migrations

GUARD = """
CREATE TRIGGER consent_no_truncate BEFORE TRUNCATE ON consent_consententry
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
ALTER TABLE consent_consententry ENABLE ALWAYS TRIGGER consent_no_truncate;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0002_guard_always"),
    ]

    operations = [
        migrations.RunSQL(GUARD, "DROP TRIGGER consent_no_truncate ON consent_consententry"),
    ]
