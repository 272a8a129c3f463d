"""An entry of the ledger may lose the number and the words of a person who is anonymised, and nothing else."""

from django.db import migrations

# A digest never goes back to a number, and what was said is only taken out: neither can be written anew.
GUARD = """
CREATE FUNCTION consent_only_digests() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE'
        AND (NEW.value = OLD.value OR (starts_with(NEW.value, 'hmac:') AND NOT starts_with(OLD.value, 'hmac:')))
        AND (NEW.said = OLD.said OR NEW.said = '')
        AND to_jsonb(NEW) - 'value' - 'said' = to_jsonb(OLD) - 'value' - 'said'
    THEN RETURN NEW; END IF;
    RAISE EXCEPTION 'The table % only grows: % is refused.', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

DROP TRIGGER consent_append_only ON consent_consententry;
CREATE TRIGGER consent_append_only BEFORE UPDATE OR DELETE ON consent_consententry
    FOR EACH ROW EXECUTE FUNCTION consent_only_digests();
ALTER TABLE consent_consententry ENABLE ALWAYS TRIGGER consent_append_only;
"""
BACK = """
DROP TRIGGER consent_append_only ON consent_consententry;
CREATE TRIGGER consent_append_only BEFORE UPDATE OR DELETE ON consent_consententry
    FOR EACH ROW EXECUTE FUNCTION append_only();
ALTER TABLE consent_consententry ENABLE ALWAYS TRIGGER consent_append_only;
DROP FUNCTION consent_only_digests;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("consent", "0004_address_key"),
    ]

    operations = [
        migrations.RunSQL(GUARD, BACK),
    ]
