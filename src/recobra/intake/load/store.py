"""Write what the comparison found into the final tables, set by set, inside the caller's transaction."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from django.db import connection

from recobra.intake.load import current_state
from recobra.intake.load.bulk_copy import copy
from recobra.intake.stage.columns import literal
from recobra.intake.stage.load_context import Job
from recobra.intake.stage.people import party_key, party_named
from recobra.kit import tables

_SUPERSEDED: Final = 25  # quality of a point that the source no longer gives; one just given has 50
_IDS: Final = pa.schema([("id", pa.int64())])


def new_debtors(job: Job, *, load_id: int) -> None:
    """Insert debtors that the creditor did not have."""
    zone = "coalesce(time_zone, '')"
    copy(
        job,
        "portfolio_debtor",
        f"SELECT d.id, {job.owner.creditor_id} AS creditor_id, key AS external_id, kind, coalesce(name, '') AS name, "
        "coalesce(national_id_kind, '') AS national_id_kind, coalesce(national_id, '') AS national_id, "
        f"national_id_valid, '{job.owner.country}' AS country, coalesce(subdivision, '') AS subdivision, "
        f"{zone} AS time_zone, {load_id} AS load_id FROM people JOIN debtor_ids d USING (key) WHERE new ORDER BY d.id",
    )


def changed_debtors(job: Job) -> None:
    """Make `changed_debtors` (id): known debtors about whom the file says something else; empty cells say nothing."""
    current_state.send(
        job,
        "intake_debtor",
        "id bigint, name text, kind text, national_id_kind text, national_id text, national_id_valid boolean, "
        "subdivision text, time_zone text",
        f"SELECT d.id, name, {'kind' if 'debtor.kind' in job.document.fields else 'NULL::VARCHAR AS kind'}, "
        "national_id_kind, national_id, national_id_valid, subdivision, time_zone "
        "FROM people JOIN debtor_ids d USING (key) WHERE NOT new",
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
    job.put(
        "changed_debtors",
        _returning(
            f"UPDATE portfolio_debtor d SET ({names}) = ROW ({new}) FROM intake_debtor t WHERE d.id = t.id "
            f"AND ({old}) IS DISTINCT FROM ({new}) RETURNING d.id"
        ),
    )


def points(job: Job, *, load_id: int) -> None:
    """Insert contact points; make `changed_points` (id): known debtors who got one more."""
    chosen = (
        "SELECT d.id AS debtor_id, kind, value, coalesce(line, '') AS line, 'LOAD' AS source, valid, 50 AS quality, "
        f"{load_id} AS load_id FROM points JOIN debtor_ids d USING (key)"
    )
    copy(job, "portfolio_contactpoint", f"{chosen} WHERE new ORDER BY d.id")
    current_state.send(
        job,
        "intake_point",
        "debtor_id bigint, kind text, value text, line text, source text, valid boolean, quality "
        "smallint, load_id bigint",
        f"{chosen} WHERE NOT new",
    )
    names = "debtor_id, kind, value, line, source, valid, quality, load_id"
    # A corrected e-mail comes before the one it corrects: that one may be somebody else's.
    job.put(
        "changed_points",
        _returning(
            f"WITH added AS (INSERT INTO portfolio_contactpoint ({names}) SELECT {names} FROM intake_point "
            "ON CONFLICT (debtor_id, kind, value) DO NOTHING RETURNING debtor_id, kind), "
            f"superseded AS (UPDATE portfolio_contactpoint p SET quality = {_SUPERSEDED} FROM added a "
            f"WHERE p.debtor_id = a.debtor_id AND p.kind = a.kind AND p.source = 'LOAD' AND p.quality > {_SUPERSEDED} "
            "AND (p.debtor_id, p.kind, p.value) NOT IN (SELECT debtor_id, kind, value FROM intake_point)) "
            "SELECT debtor_id FROM added"
        ),
    )


def accounts(job: Job, *, load_id: int) -> None:
    """Insert new accounts and update known ones; make `changed_accounts` (id)."""
    status = "CASE WHEN amount_minor = 0 THEN 'PAID' ELSE 'OPEN' END"
    copy(
        job,
        "portfolio_account",
        f"SELECT id, {job.owner.portfolio_id} AS portfolio_id, debtor_id, account AS external_id, product, "
        f"{status} AS status, opened AS opened_date, coalesce(contract, '') AS contract, attributes, "
        f"{load_id} AS load_id FROM account_ids WHERE new ORDER BY id",
    )
    current_state.send(
        job,
        "intake_account",
        "id bigint, debtor_id bigint, product text, status text, opened date, contract text, attributes jsonb",
        "SELECT id, debtor_id, stated_product AS product, CASE WHEN status = 'WRITTEN_OFF' THEN "
        f"status ELSE {status} END "
        "AS status, opened, contract, attributes FROM account_ids WHERE NOT new",
    )
    new = (
        "t.debtor_id, coalesce(t.product, a.product), t.status, coalesce(t.opened, a.opened_date), "
        "coalesce(t.contract, a.contract), a.attributes || t.attributes"
    )
    names = "debtor_id, product, status, opened_date, contract, attributes"
    old = ", ".join(f"a.{name}" for name in names.split(", "))
    job.put(
        "changed_accounts",
        _returning(
            f"UPDATE portfolio_account a SET ({names}) = ROW ({new}) FROM intake_account t WHERE a.id = t.id "
            f"AND ({old}) IS DISTINCT FROM ({new}) RETURNING a.id"
        ),
    )


def instalments(job: Job) -> None:
    """Insert new instalments and move the due dates that changed; make `moved` (id of the account)."""
    copy(
        job,
        "portfolio_instalment",
        "SELECT id, account_id, number, due AS due_date FROM instalment_ids WHERE new ORDER BY id",
    )
    current_state.send(job, "intake_due", "id bigint, due date", "SELECT id, due FROM instalment_ids WHERE moved")
    job.put(
        "moved",
        _returning(
            "UPDATE portfolio_instalment i SET due_date = t.due FROM intake_due t WHERE i.id = t.id "
            "RETURNING i.account_id"
        ),
    )


def charges(job: Job, *, load_id: int) -> None:
    """Post what is owed more than before, and the shifts and reductions that are no payments."""
    adjusting = "true" if job.document.options.lower_balance == "adjustment" else "false"
    copy(
        job,
        "portfolio_posting",
        f"SELECT account_id, instalment_id, CASE WHEN shift OR delta < 0 THEN 'ADJUSTMENT' ELSE 'CHARGE' END AS kind, "
        "concept, delta AS amount_minor, "
        f"{_value_date(job)} AS value_date, {literal(job.now.isoformat())} AS booked_at, {load_id} AS load_id "
        f"FROM deltas WHERE delta > 0 OR shift OR {adjusting} ORDER BY account_id",
    )


def realign(job: Job, *, load_id: int) -> None:
    """Let the concepts of paid accounts be the file's own where the waterfall split the payment otherwise."""
    (several,) = job.one(
        "SELECT count(*) FROM (SELECT account_id FROM (SELECT account_id, number, concept FROM told UNION "
        "SELECT account_id, number, concept FROM owed UNION SELECT account_id, number, concept FROM unread) "
        "GROUP BY account_id HAVING count(*) > 1) "
        "SEMI JOIN (SELECT account_id FROM deltas WHERE delta < 0 AND NOT shift) USING (account_id)"
    )
    if not several or job.document.options.lower_balance != "payment":
        return
    current_state.ledger(job, of="SELECT DISTINCT account_id FROM deltas WHERE delta < 0 AND NOT shift")
    concept = "'PRINCIPAL'" if job.document.one_amount else "concept"
    copy(
        job,
        "portfolio_posting",
        "SELECT account_id, instalment_id, 'ADJUSTMENT' AS kind, concept, delta AS amount_minor, "
        f"DATE '{job.as_of}' AS value_date, {literal(job.now.isoformat())} AS booked_at, {load_id} AS load_id FROM ("
        "SELECT account_id, coalesce(o.instalment_id, i.id) AS instalment_id, concept, "
        "coalesce(t.amount_minor, 0) - coalesce(o.amount_minor, 0) AS delta FROM "
        "(SELECT * FROM (SELECT account_id, number, concept, amount_minor FROM told UNION ALL FROM unread) "
        "SEMI JOIN known_ledger USING (account_id)) t FULL JOIN "
        f"(SELECT account_id, number, any_value(instalment_id) AS instalment_id, {concept} AS concept, "
        "sum(amount_minor)::BIGINT AS amount_minor FROM known_ledger WHERE concept IS NOT NULL GROUP BY ALL) o "
        "USING (account_id, number, concept) LEFT JOIN instalment_ids i USING (account_id, number)) "
        "WHERE delta <> 0 ORDER BY account_id",
    )


def gone(job: Job, *, doubtful: bool) -> None:
    """Give accounts that the file no longer names their new status, as the mapping says.

    Where rows of the file could not be told apart (`doubtful`), nothing is settled: the account is missing for now.
    """
    statuses = {"paid": "MISSING" if doubtful else "PAID", "recalled": "RECALLED", "missing": "MISSING"}
    status = statuses.get(job.document.options.gone)
    if status is None or not job.count("gone"):
        return
    current_state.send(job, "intake_gone", "id bigint", "SELECT id FROM gone")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE portfolio_account a SET status = %s FROM intake_gone g WHERE a.id = g.id AND a.status <> %s",
            [status, status],
        )


def parties(job: Job) -> None:
    """Link co-debtors and guarantors to their accounts, each once."""
    unions = [
        f"SELECT a.id AS account_id, d.id AS debtor_id, '{party.part}' AS part FROM (SELECT account, "
        f"{party_key(job, n)} AS party FROM good WHERE {party_named(n)}) g JOIN account_ids a USING (account) "
        "JOIN debtor_ids d ON d.key = g.party"
        for n, party in enumerate(job.document.parties)
    ]
    if not unions:
        return
    current_state.send(job, "intake_party", "account_id bigint, debtor_id bigint, part text", " UNION ".join(unions))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO portfolio_party (account_id, debtor_id, part) SELECT account_id, debtor_id, part "
            "FROM intake_party ON CONFLICT (account_id, debtor_id, part) DO NOTHING"
        )


def rejected(job: Job, *, load_id: int) -> None:
    """Keep every rejected row as it came, with all that is wrong in it."""
    names = ", ".join(f"{literal(name)}, cells[{n + 1}]" for n, name in enumerate(job.sheet.headers))
    columns = ", ".join(f"c{n}" for n in range(job.sheet.width))
    known_cells = (
        f"SELECT line, [{columns}] AS cells FROM wrong UNION ALL "
        "SELECT line, from_json(cells, '[\"VARCHAR\"]') FROM broken"
    )
    error = "json_object('column', col, 'code', code, 'params', json(params), 'value', value, 'target', target)"
    copy(
        job,
        "intake_rejectedrow",
        f"SELECT {load_id} AS load_id, line, CAST(json_object({names}) AS VARCHAR) AS row, errors FROM ({known_cells}) "
        f"JOIN (SELECT line, CAST(to_json(list({error})) AS VARCHAR) AS errors FROM errors GROUP BY line) USING (line) "
        "ORDER BY line",
    )


def _value_date(job: Job) -> str:
    day = f"DATE '{job.as_of}'"
    return f"least(coalesce(issued, {day}), {day})"


def _returning(statement: str) -> pa.Table:
    return tables.fetch(statement, [], _IDS)
