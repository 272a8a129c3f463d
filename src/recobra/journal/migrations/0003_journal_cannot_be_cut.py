"""Seals that follow each other within a day and are signed; no table that only grows can be emptied or rewritten."""

from django.db import migrations, models

SEALS = """
ALTER TABLE journal_seal
    ADD COLUMN number bigint,
    ADD COLUMN last_id bigint,
    ADD COLUMN signature bytea NOT NULL DEFAULT '',
    ADD COLUMN signer text NOT NULL DEFAULT '';
UPDATE journal_seal s SET number = n.number
    FROM (SELECT day, row_number() OVER (ORDER BY day) AS number FROM journal_seal) n WHERE n.day = s.day;
ALTER TABLE journal_seal
    DROP CONSTRAINT journal_seal_pkey,
    ALTER COLUMN number SET NOT NULL,
    ADD CONSTRAINT journal_seal_pkey PRIMARY KEY (number);
CREATE INDEX seal_by_last_id ON journal_seal (last_id);
"""
# More than one seal of a day cannot go back.
SEALS_BACK = """
DROP INDEX seal_by_last_id;
ALTER TABLE journal_seal
    DROP CONSTRAINT journal_seal_pkey,
    DROP COLUMN number, DROP COLUMN last_id, DROP COLUMN signature, DROP COLUMN signer,
    ADD CONSTRAINT journal_seal_pkey PRIMARY KEY (day);
"""
GUARDS = """
CREATE TRIGGER seal_append_only BEFORE UPDATE OR DELETE ON journal_seal
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER seal_no_truncate BEFORE TRUNCATE ON journal_seal
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON journal_entry
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
ALTER TABLE journal_seal ENABLE ALWAYS TRIGGER seal_append_only;
ALTER TABLE journal_seal ENABLE ALWAYS TRIGGER seal_no_truncate;
ALTER TABLE journal_entry ENABLE ALWAYS TRIGGER journal_no_truncate;

-- Partitions inherit triggers of rows only: each needs its own against TRUNCATE.
CREATE FUNCTION journal_guard_partition(part regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    role_name text;
BEGIN
    EXECUTE format('CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON %s
                    FOR EACH STATEMENT EXECUTE FUNCTION append_only()', part);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER journal_no_truncate', part);
    -- What a role may do it may do through the table: default privileges of a database must not open the partition.
    FOR role_name IN
        SELECT DISTINCT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END
        FROM pg_class c, aclexplode(c.relacl) acl WHERE c.oid = part AND acl.grantee <> c.relowner
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', part, role_name);
    END LOOP;
END $$;
SELECT journal_guard_partition(inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'journal_entry'::regclass;

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

-- Ids are given before the commit: with the lock, every entry up to the newest is there or will never be.
CREATE FUNCTION journal_latest_id() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE journal_entry IN SHARE MODE;
    RETURN (SELECT coalesce(max(id), 0) FROM journal_entry);
END $$;

-- Who may only read and insert opens a month, and waits for open facts, in the name of the table's owner.
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION journal_open_month(date) SECURITY DEFINER SET search_path = %I, pg_temp',
                   current_schema());
    EXECUTE format('ALTER FUNCTION journal_latest_id() SECURITY DEFINER SET search_path = %I, pg_temp',
                   current_schema());
END $$;
"""
GUARDS_BACK = """
ALTER FUNCTION journal_open_month(date) SECURITY INVOKER RESET search_path;
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
END $$;
DROP FUNCTION journal_latest_id();
DROP FUNCTION journal_guard_partition(regclass);
DROP TRIGGER journal_no_truncate ON journal_entry;
DROP TRIGGER seal_no_truncate ON journal_seal;
DROP TRIGGER seal_append_only ON journal_seal;
DO $$
DECLARE part regclass;
BEGIN
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'journal_entry'::regclass LOOP
        EXECUTE format('DROP TRIGGER IF EXISTS journal_no_truncate ON %s', part);
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("journal", "0002_guards_always"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(SEALS, SEALS_BACK)],
            state_operations=[
                migrations.DeleteModel("Seal"),
                migrations.CreateModel(
                    name="Seal",
                    fields=[
                        ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("day", models.DateField()),
                        ("entries", models.BigIntegerField()),
                        ("last_id", models.BigIntegerField(null=True)),
                        ("leaves", models.BinaryField()),
                        ("digest", models.BinaryField()),
                        ("previous", models.BinaryField()),
                        ("sealed_at", models.DateTimeField()),
                        ("signature", models.BinaryField(default=b"")),
                        ("signer", models.TextField(default="")),
                    ],
                    options={
                        "ordering": ["number"],
                        "indexes": [models.Index(fields=["last_id"], name="seal_by_last_id")],
                    },
                ),
            ],
        ),
        migrations.RunSQL(GUARDS, GUARDS_BACK),
    ]
