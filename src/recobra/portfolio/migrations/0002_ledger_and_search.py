"""The ledger only grows; people, numbers and documents are found fast over millions of rows."""

from django.db import migrations

LEDGER = """
CREATE TRIGGER posting_append_only BEFORE UPDATE OR DELETE ON portfolio_posting
    FOR EACH ROW EXECUTE FUNCTION append_only();
"""
SEARCH = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS unaccent;

-- unaccent() is only STABLE; naming its dictionary makes the promise that an index needs.
CREATE FUNCTION lower_unaccent(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS
    $$ SELECT lower(public.unaccent('public.unaccent', value)) $$;

CREATE INDEX debtor_name_search ON portfolio_debtor USING gin (lower_unaccent(name) gin_trgm_ops);
CREATE INDEX debtor_external_id_search ON portfolio_debtor (external_id text_pattern_ops);
CREATE INDEX debtor_national_id_search ON portfolio_debtor (national_id text_pattern_ops)
    WHERE national_id <> '';
CREATE INDEX account_external_id_search ON portfolio_account (external_id text_pattern_ops);
"""


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0001_initial"), ("journal", "0002_entry_table")]
    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '5s'", ""),
        migrations.RunSQL(LEDGER, "DROP TRIGGER posting_append_only ON portfolio_posting"),
        migrations.RunSQL(
            SEARCH,
            "DROP INDEX debtor_name_search, debtor_external_id_search, debtor_national_id_search,"
            " account_external_id_search; DROP FUNCTION lower_unaccent;",
        ),
    ]
