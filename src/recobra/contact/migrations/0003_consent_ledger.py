"""The ledger of consent only grows; what was opted out before it existed is its first page."""

from django.db import migrations

GUARD = """
    CREATE TRIGGER consent_append_only BEFORE UPDATE OR DELETE ON contact_consententry
        FOR EACH ROW EXECUTE FUNCTION append_only();
"""
UNGUARD = "DROP TRIGGER consent_append_only ON contact_consententry"
FIRST_PAGE = """
    INSERT INTO contact_consententry (at, kind, value, channel, act, source, text_shown, said, debtor_id, actor)
    SELECT DISTINCT ON (p.kind, p.value) p.opted_out_at, p.kind, p.value, '', 'OPTED_OUT', 'LINK', '', '',
        p.debtor_id, 'migration'
    FROM portfolio_contactpoint p WHERE p.opted_out_at IS NOT NULL ORDER BY p.kind, p.value, p.opted_out_at;
    INSERT INTO contact_silence (kind, value, since, entry_id)
    SELECT e.kind, e.value, e.at, e.id FROM contact_consententry e WHERE e.act = 'OPTED_OUT'
"""


class Migration(migrations.Migration):
    dependencies = [("contact", "0002_contact_plane"), ("journal", "0002_entry_table")]

    operations = [
        migrations.RunSQL(FIRST_PAGE, migrations.RunSQL.noop),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
