"""The ledger cannot be emptied at once: TRUNCATE fires no trigger of rows."""

from django.db import migrations

GUARD = """
CREATE TRIGGER posting_no_truncate BEFORE TRUNCATE ON portfolio_posting
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
ALTER TABLE portfolio_posting ENABLE ALWAYS TRIGGER posting_no_truncate;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("portfolio", "0007_encrypt_payment_instructions"),
    ]

    operations = [
        migrations.RunSQL(GUARD, "DROP TRIGGER posting_no_truncate ON portfolio_posting"),
    ]
