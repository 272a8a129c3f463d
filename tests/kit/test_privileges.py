"""The product works without the right to change a table, and a report sees nobody."""

from __future__ import annotations

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from recobra.insight import reporting_views
from recobra.kit.database_roles import APPLICATION, OWNER, REPORTING
from tests import databases

pytestmark = pytest.mark.django_db
GROWS_ONLY = {"journal_entry", "journal_seal", "portfolio_posting"}
TELLS_WHO = {
    *("name", "national_id", "tax_id", "value", "address", "text", "html", "body", "subject", "note", "external_id"),
    *("content", "detail", "raw", "secrets", "settings", "payload", "reference", "username", "email", "password"),
    *("attributes", "contract", "figures", "row", "said", "sender", "recipients", "title", "tracking"),
}
"""Columns of the product's tables that may say who somebody is or what they wrote, or hold a secret."""
TELLS_OF_THINGS = {"creditors.name", "portfolios.name", "campaigns.name", "kpi_days.value"}


def _ask(query, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()


def test_the_suite_and_the_product_work_as_a_role_that_owns_nothing():
    assert _ask("SELECT session_user, current_user") == [(APPLICATION, APPLICATION)]
    rights = "rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
    assert _ask(f"SELECT {rights} FROM pg_roles WHERE rolname = current_user") == [(False,) * 5]
    owners = _ask("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'maintenance')")
    assert owners == [(OWNER,)]
    assert _ask("SELECT has_parameter_privilege('session_replication_role', 'SET')") == [(True,)]


def test_what_only_grows_can_neither_be_changed_nor_deleted_nor_emptied():
    rights = _ask(
        """SELECT table_name, privilege_type FROM information_schema.table_privileges
           WHERE grantee = current_user AND privilege_type IN ('UPDATE', 'DELETE')"""
    )
    assert not GROWS_ONLY & {name for name, _right in rights}
    # A person who is anonymised is taken out of the ledger of consent: its guard lets that through, and nothing else.
    assert [right for name, right in rights if name == "consent_consententry"] == ["UPDATE"]
    partitions = _ask(
        """SELECT inhrelid::regclass::text FROM pg_inherits
           WHERE inhparent = 'journal_entry'::regclass AND has_table_privilege(inhrelid, 'INSERT, UPDATE, DELETE')"""
    )
    assert partitions == [], "a month is written to through its table alone"
    beyond_rows = _ask(
        """SELECT table_name, privilege_type FROM information_schema.table_privileges
           WHERE grantee = current_user AND privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE')"""
    )
    assert beyond_rows == []


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE journal_entry DISABLE TRIGGER ALL",
        "TRUNCATE journal_seal",
        "DROP TABLE portfolio_posting",
        "CREATE TABLE mine (id int)",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION append_only CASCADE",
        "UPDATE django_migrations SET name = ''",
        "UPDATE maintenance.dropped_index SET statement = 'DROP TABLE journal_seal'",
        "COPY portfolio_debtor FROM PROGRAM 'id'",
        "COPY portfolio_debtor TO '/tmp/debtors'",
        "SELECT pg_read_file('postgresql.conf')",
        "ALTER SYSTEM SET archive_command = 'id'",
        "CREATE ROLE mine SUPERUSER",
        "SELECT rolpassword FROM pg_authid",
    ],
)
def test_what_is_beyond_rows_is_refused(statement):
    with (
        psycopg.connect(databases.url_of(), autocommit=True) as other,
        pytest.raises(psycopg.Error, match=r"permission denied|must be owner"),
    ):
        other.execute(statement)


def test_a_report_reads_the_views_and_no_table():
    everything = _ask(
        """SELECT format('%%I.%%I', nspname, relname) FROM pg_class JOIN pg_namespace space ON space.oid = relnamespace
           WHERE relkind IN ('r', 'p', 'v', 'm') AND nspname IN ('public', 'maintenance', 'reporting')"""
    )
    seen = set()
    with psycopg.connect(databases.url_of(REPORTING), autocommit=True) as other:
        for (name,) in everything:
            try:
                other.execute(sql.SQL("SELECT * FROM {}").format(sql.SQL(name)))
                seen.add(name)
            except psycopg.errors.InsufficientPrivilege:
                pass
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            other.execute("SELECT maintenance.drop_indexes('portfolio_debtor')")
        with pytest.raises(psycopg.Error, match=r"read-only|permission denied"):
            other.execute("DELETE FROM contacts")
    assert seen == {f"reporting.{name}" for name in reporting_views.VIEWS}


def test_no_column_of_a_report_says_who_somebody_is():
    columns = _ask(
        """SELECT relname || '.' || attname FROM pg_attribute JOIN pg_class view ON view.oid = attrelid
           WHERE relnamespace = 'reporting'::regnamespace AND attnum > 0"""
    )
    telling = {name for (name,) in columns if name.partition(".")[2] in TELLS_WHO}
    assert telling == TELLS_OF_THINGS
    assert {"debtors.id", "contacts.status"} <= {name for (name,) in columns}
