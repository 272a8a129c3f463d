"""A month that cannot be opened at once is not waited for: everybody who writes to the journal would wait behind it."""

from django.db import migrations

FORWARDS = """
-- To open one takes the whole table for a moment: behind a backup that is being made that would be long.
CREATE OR REPLACE FUNCTION journal_open_month(day date) RETURNS void LANGUAGE plpgsql
SET lock_timeout = '2s' AS $$
DECLARE
    first date := date_trunc('month', day)::date;
    name text := 'journal_entry_' || to_char(first, 'YYYY_MM');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
    PERFORM pg_advisory_xact_lock(hashtext('journal_open_month'));
    IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
    IF EXISTS (SELECT FROM journal_entry_default
               WHERE at >= first AND at < first + interval '1 month') THEN RETURN; END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF journal_entry FOR VALUES FROM (%L) TO (%L)',
                   name, first::timestamptz, (first + interval '1 month')::timestamptz);
    PERFORM journal_guard_partition(to_regclass(name));
EXCEPTION WHEN lock_not_available THEN
    RETURN; -- its facts are kept in the partition of all other months
END $$;
"""
BACKWARDS = """
CREATE OR REPLACE FUNCTION journal_open_month(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', day)::date;
    name text := 'journal_entry_' || to_char(first, 'YYYY_MM');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
    PERFORM pg_advisory_xact_lock(hashtext('journal_open_month'));
    IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
    IF EXISTS (SELECT FROM journal_entry_default
               WHERE at >= first AND at < first + interval '1 month') THEN RETURN; END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF journal_entry FOR VALUES FROM (%L) TO (%L)',
                   name, first::timestamptz, (first + interval '1 month')::timestamptz);
    PERFORM journal_guard_partition(to_regclass(name));
END $$;
"""
# A function that is replaced keeps its owner and loses the rest.
SECURITY = """
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION journal_open_month(date) SECURITY DEFINER SET search_path = %I, pg_temp',
                   current_schema());
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("journal", "0003_journal_cannot_be_cut"),
    ]

    operations = [
        migrations.RunSQL(f"{FORWARDS}{SECURITY}", f"{BACKWARDS}{SECURITY}"),
    ]
