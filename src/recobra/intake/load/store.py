"""Writes of a load into the tables of the portfolio, set by set, inside the caller's transaction."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from django.db import connection

from recobra.intake.load.compare import concept_sql
from recobra.intake.load.current_state import copy_to_temporary, fetch_ledger
from recobra.intake.load_context import LoadContext
from recobra.intake.relations import AssignedIds, CheckedRows, FileRows, LedgerDifferences, People
from recobra.intake.stage.columns import literal
from recobra.intake.stage.people import is_party_named, party_key
from recobra.intake.workspace import Relation, Workspace
from recobra.kit import tables

_SUPERSEDED: Final = 25  # quality of a point that the source no longer gives; one just given has 50
_IDS: Final = pa.schema([("id", pa.int64())])


def insert_debtors(context: LoadContext, duck: Workspace, people: People, ids: AssignedIds, *, load_id: int) -> None:
    """Insert debtors that the creditor did not have."""
    duck.copy_to_postgres(
        "portfolio_debtor",
        f"SELECT d.id, {context.portfolio.creditor_id} AS creditor_id, key AS external_id, kind, "
        "coalesce(name, '') AS name, coalesce(national_id_kind, '') AS national_id_kind, "
        f"coalesce(national_id, '') AS national_id, national_id_valid, "
        f"'{context.portfolio.country}' AS country, coalesce(subdivision, '') AS subdivision, "
        f"coalesce(time_zone, '') AS time_zone, {load_id} AS load_id "
        f"FROM {people.debtors} JOIN {ids.debtors} d USING (key) WHERE new ORDER BY d.id",
    )


def update_debtors(context: LoadContext, duck: Workspace, people: People, ids: AssignedIds) -> Relation:
    """Update known debtors and return those that changed (id); an empty cell leaves what is known."""
    copy_to_temporary(
        duck,
        "intake_debtor",
        "id bigint, name text, kind text, national_id_kind text, national_id text, national_id_valid boolean, "
        "subdivision text, time_zone text",
        f"SELECT d.id, name, {'kind' if 'debtor.kind' in context.document.fields else 'NULL::VARCHAR AS kind'}, "
        "national_id_kind, national_id, national_id_valid, subdivision, time_zone "
        f"FROM {people.debtors} JOIN {ids.debtors} d USING (key) WHERE NOT new",
    )
    new = (
        "coalesce(t.name, d.name), coalesce(t.kind, d.kind), "
        "CASE WHEN t.national_id IS NULL THEN d.national_id_kind ELSE t.national_id_kind END, "
        "coalesce(t.national_id, d.national_id), "
        "CASE WHEN t.national_id IS NULL THEN d.national_id_valid ELSE t.national_id_valid END, "
        "coalesce(t.subdivision, d.subdivision), coalesce(t.time_zone, d.time_zone)"
    )
    names = "name, kind, national_id_kind, national_id, national_id_valid, subdivision, time_zone"
    old = ", ".join(f"d.{name}" for name in names.split(", "))
    return duck.create_from_arrow(
        "changed_debtors",
        _fetch_ids(
            f"UPDATE portfolio_debtor d SET ({names}) = ROW ({new}) FROM intake_debtor t WHERE d.id = t.id "
            f"AND ({old}) IS DISTINCT FROM ({new}) RETURNING d.id"
        ),
    )


def insert_contact_points(duck: Workspace, people: People, ids: AssignedIds, *, load_id: int) -> Relation:
    """Insert contact points and return the known debtors who got one more (id)."""
    points = (
        "SELECT d.id AS debtor_id, kind, value, coalesce(line, '') AS line, 'LOAD' AS source, valid, 50 AS quality, "
        f"{load_id} AS load_id FROM {people.points} JOIN {ids.debtors} d USING (key)"
    )
    duck.copy_to_postgres("portfolio_contactpoint", f"{points} WHERE new ORDER BY d.id")
    copy_to_temporary(
        duck,
        "intake_point",
        "debtor_id bigint, kind text, value text, line text, source text, valid boolean, quality "
        "smallint, load_id bigint",
        f"{points} WHERE NOT new",
    )
    names = "debtor_id, kind, value, line, source, valid, quality, load_id"
    # A corrected e-mail comes before the one it corrects: that one may be somebody else's.
    return duck.create_from_arrow(
        "changed_points",
        _fetch_ids(
            f"WITH added AS (INSERT INTO portfolio_contactpoint ({names}) SELECT {names} FROM intake_point "
            "ON CONFLICT (debtor_id, kind, value) DO NOTHING RETURNING debtor_id, kind), "
            f"superseded AS (UPDATE portfolio_contactpoint p SET quality = {_SUPERSEDED} FROM added a "
            f"WHERE p.debtor_id = a.debtor_id AND p.kind = a.kind AND p.source = 'LOAD' AND p.quality > {_SUPERSEDED} "
            "AND (p.debtor_id, p.kind, p.value) NOT IN (SELECT debtor_id, kind, value FROM intake_point)) "
            "SELECT debtor_id FROM added"
        ),
    )


def upsert_accounts(context: LoadContext, duck: Workspace, ids: AssignedIds, *, load_id: int) -> Relation:
    """Insert new accounts, update known ones and return those that changed (id)."""
    status = "CASE WHEN amount_minor = 0 THEN 'PAID' ELSE 'OPEN' END"
    duck.copy_to_postgres(
        "portfolio_account",
        f"SELECT id, {context.portfolio.pk} AS portfolio_id, debtor_id, account AS external_id, product, "
        f"{status} AS status, opened AS opened_date, coalesce(contract, '') AS contract, attributes, "
        f"{load_id} AS load_id FROM {ids.accounts} WHERE new ORDER BY id",
    )
    copy_to_temporary(
        duck,
        "intake_account",
        "id bigint, debtor_id bigint, product text, status text, opened date, contract text, attributes jsonb",
        "SELECT id, debtor_id, stated_product AS product, CASE WHEN status = 'WRITTEN_OFF' THEN "
        f"status ELSE {status} END "
        f"AS status, opened, contract, attributes FROM {ids.accounts} WHERE NOT new",
    )
    new = (
        "t.debtor_id, coalesce(t.product, a.product), t.status, coalesce(t.opened, a.opened_date), "
        "coalesce(t.contract, a.contract), a.attributes || t.attributes"
    )
    names = "debtor_id, product, status, opened_date, contract, attributes"
    old = ", ".join(f"a.{name}" for name in names.split(", "))
    return duck.create_from_arrow(
        "changed_accounts",
        _fetch_ids(
            f"UPDATE portfolio_account a SET ({names}) = ROW ({new}) FROM intake_account t WHERE a.id = t.id "
            f"AND ({old}) IS DISTINCT FROM ({new}) RETURNING a.id"
        ),
    )


def upsert_instalments(duck: Workspace, differences: LedgerDifferences) -> Relation:
    """Insert new instalments, move the due dates that changed and return the accounts of the moved ones (id)."""
    duck.copy_to_postgres(
        "portfolio_instalment",
        f"SELECT id, account_id, number, due AS due_date FROM {differences.instalments} WHERE new ORDER BY id",
    )
    moved = f"SELECT id, due FROM {differences.instalments} WHERE moved"
    copy_to_temporary(duck, "intake_due", "id bigint, due date", moved)
    return duck.create_from_arrow(
        "moved_instalments",
        _fetch_ids(
            "UPDATE portfolio_instalment i SET due_date = t.due FROM intake_due t WHERE i.id = t.id "
            "RETURNING i.account_id"
        ),
    )


def post_charges(context: LoadContext, duck: Workspace, differences: LedgerDifferences, *, load_id: int) -> None:
    """Post what is owed more than before, and the shifts and reductions that are no payments."""
    is_adjustment = "true" if context.document.options.lower_balance == "adjustment" else "false"
    as_of = f"DATE '{context.as_of}'"
    duck.copy_to_postgres(
        "portfolio_posting",
        f"SELECT account_id, instalment_id, CASE WHEN shift OR delta < 0 THEN 'ADJUSTMENT' ELSE 'CHARGE' END AS kind, "
        "concept, delta AS amount_minor, "
        # A charge takes effect when its document was issued, but never after the day of the file.
        f"least(coalesce(issued, {as_of}), {as_of}) AS value_date, "
        f"{literal(context.now.isoformat())} AS booked_at, {load_id} AS load_id "
        f"FROM {differences.deltas} WHERE delta > 0 OR shift OR {is_adjustment} ORDER BY account_id",
    )


def realign_concepts(context: LoadContext, duck: Workspace, differences: LedgerDifferences, *, load_id: int) -> None:
    """Move amounts of paying accounts to the concepts of the file, where the waterfall split the payment otherwise."""
    paid = f"SELECT DISTINCT account_id FROM {differences.deltas} WHERE delta < 0 AND NOT shift"
    (ambiguous,) = duck.fetch_row(
        "SELECT count(*) FROM (SELECT account_id FROM (SELECT account_id, number, concept FROM "
        f"{differences.stated} UNION SELECT account_id, number, concept FROM {differences.owed} UNION "
        f"SELECT account_id, number, concept FROM {differences.unread}) GROUP BY account_id HAVING count(*) > 1) "
        f"SEMI JOIN (SELECT account_id FROM {differences.deltas} WHERE delta < 0 AND NOT shift) USING (account_id)"
    )
    # Where no account has two places for a payment, the waterfall had nothing to choose.
    if not ambiguous or context.document.options.lower_balance != "payment":
        return
    ledger = fetch_ledger(duck, "ledger_after_payments", accounts=paid)
    duck.copy_to_postgres(
        "portfolio_posting",
        "SELECT account_id, instalment_id, 'ADJUSTMENT' AS kind, concept, delta AS amount_minor, "
        f"DATE '{context.as_of}' AS value_date, {literal(context.now.isoformat())} AS booked_at, "
        f"{load_id} AS load_id FROM ("
        "SELECT account_id, coalesce(o.instalment_id, i.id) AS instalment_id, concept, "
        "coalesce(t.amount_minor, 0) - coalesce(o.amount_minor, 0) AS delta FROM "
        f"(SELECT * FROM (SELECT account_id, number, concept, amount_minor FROM {differences.stated} "
        f"UNION ALL FROM {differences.unread}) SEMI JOIN {ledger} USING (account_id)) t FULL JOIN "
        f"(SELECT account_id, number, any_value(instalment_id) AS instalment_id, {concept_sql(context)} AS concept, "
        f"sum(amount_minor)::BIGINT AS amount_minor FROM {ledger} WHERE concept IS NOT NULL GROUP BY ALL) o "
        f"USING (account_id, number, concept) LEFT JOIN {differences.instalments} i USING (account_id, number)) "
        "WHERE delta <> 0 ORDER BY account_id",
    )


def mark_gone_accounts(context: LoadContext, duck: Workspace, gone_accounts: Relation, *, is_doubtful: bool) -> None:
    """Set the status of accounts that the file no longer names, as the mapping says.

    `is_doubtful`: some row did not say which account it means, so nothing is settled and the account is missing.
    """
    statuses = {"paid": "MISSING" if is_doubtful else "PAID", "recalled": "RECALLED", "missing": "MISSING"}
    status = statuses.get(context.document.options.gone)
    if status is None or not duck.count(gone_accounts):
        return
    copy_to_temporary(duck, "intake_gone", "id bigint", f"SELECT id FROM {gone_accounts}")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE portfolio_account a SET status = %s FROM intake_gone g WHERE a.id = g.id AND a.status <> %s",
            [status, status],
        )


def link_parties(context: LoadContext, duck: Workspace, checked: CheckedRows, ids: AssignedIds) -> None:
    """Link co-debtors and guarantors to their accounts, each once."""
    unions = [
        f"SELECT a.id AS account_id, d.id AS debtor_id, '{party.part}' AS part FROM (SELECT account, "
        f"{party_key(context, n)} AS party FROM {checked.good} WHERE {is_party_named(n)}) g "
        f"JOIN {ids.accounts} a USING (account) JOIN {ids.debtors} d ON d.key = g.party"
        for n, party in enumerate(context.document.parties)
    ]
    if not unions:
        return
    copy_to_temporary(duck, "intake_party", "account_id bigint, debtor_id bigint, part text", " UNION ".join(unions))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO portfolio_party (account_id, debtor_id, part) SELECT account_id, debtor_id, part "
            "FROM intake_party ON CONFLICT (account_id, debtor_id, part) DO NOTHING"
        )


def insert_rejected_rows(duck: Workspace, file: FileRows, checked: CheckedRows, *, load_id: int) -> None:
    """Insert every rejected row as it came, with all of its errors."""
    names = ", ".join(f"{literal(name)}, cells[{n + 1}]" for n, name in enumerate(file.headers))
    columns = ", ".join(f"c{n}" for n in range(len(file.headers)))
    cells = (
        f"SELECT line, [{columns}] AS cells FROM {checked.wrong} UNION ALL "
        f"SELECT line, from_json(cells, '[\"VARCHAR\"]') FROM {file.broken}"
    )
    error = "json_object('column', col, 'code', code, 'params', json(params), 'value', value, 'target', target)"
    duck.copy_to_postgres(
        "intake_rejectedrow",
        f"SELECT {load_id} AS load_id, line, CAST(json_object({names}) AS VARCHAR) AS row, errors FROM ({cells}) "
        f"JOIN (SELECT line, CAST(to_json(list({error})) AS VARCHAR) AS errors FROM {checked.errors} GROUP BY line) "
        "USING (line) ORDER BY line",
    )


def _fetch_ids(statement: str) -> pa.Table:
    return tables.fetch(statement, [], _IDS)
