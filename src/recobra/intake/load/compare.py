"""Set the file beside the portfolio: what is new, changed, unchanged, gone, and what each account now owes."""

from __future__ import annotations

import pyarrow as pa

from recobra.intake.stage import keys
from recobra.intake.stage.columns import literal
from recobra.intake.stage.load_context import Job


def choose_hot(job: Job) -> None:
    """Make `hot` (line): rows to read. Left out: rows as in the last load whose account nobody touched."""
    keys.fingerprint(job)
    keys.by_account(job)
    keys.duplicates(job)
    job.run(
        "CREATE OR REPLACE TABLE unchanged AS SELECT account, p.amount_minor FROM prints JOIN previous p "
        "USING (account, print) JOIN (SELECT account FROM known_accounts WHERE status IN ('OPEN', "
        "'PAID', 'WRITTEN_OFF') "
        "AND id NOT IN (SELECT id FROM touched)) USING (account)"
    )
    job.run(
        "CREATE OR REPLACE TABLE hot AS SELECT line FROM keys WHERE account IS NULL OR account NOT IN "
        "(SELECT account FROM unchanged)"
    )
    position = job.columns.positions.get(next(iter(job.document.fields["account.external_id"].columns), ""), 0)
    job.run(
        "CREATE OR REPLACE TABLE present AS SELECT DISTINCT account FROM (SELECT account FROM keys UNION ALL "
        f"SELECT trim(cells->>'$[{position}]') FROM broken) WHERE account <> ''"
    )


def unidentified(job: Job) -> int:
    """Return how many rows do not say, or not surely, which account they mean."""
    position = job.columns.positions.get(next(iter(job.document.fields["account.external_id"].columns), ""), 0)
    (count,) = job.one(
        "SELECT (SELECT count(*) FROM keys WHERE account IS NULL) + (SELECT count(*) FROM broken WHERE "
        f"coalesce(trim(cells->>'$[{position}]'), '') NOT IN (SELECT account FROM known_accounts))"
    )
    return int(count)


def collect(job: Job) -> None:
    """Make `due` (what the good rows say is owed), `incoming` (their accounts) and `accepted` (all good accounts)."""
    parts = " UNION ALL ".join(
        f"SELECT account, number, line, '{concept}' AS concept, "
        f"CAST(d_{concept} * {10**job.owner.decimals} AS BIGINT) AS amount_minor, due, issued FROM good"
        for concept in job.document.amounts()
    )
    job.run(f"CREATE OR REPLACE TABLE due AS {parts}")
    fields = job.document.fields
    product = "product" if "account.product" in fields else "NULL"
    names = {
        "debtor": "debtor",
        "product": "product",
        "stated_product": product,
        "contract": "contract",
        "opened": "opened",
        "attributes": "attributes",
    }
    if keys.several(job):
        chosen = ", ".join(f"arg_min({source}, line) AS {name}" for name, source in names.items())
        job.run(f"CREATE OR REPLACE TABLE incoming AS SELECT account, {chosen} FROM good GROUP BY account")
    else:
        chosen = ", ".join(f"{source} AS {name}" for name, source in names.items())
        job.run(f"CREATE OR REPLACE TABLE incoming AS SELECT account, {chosen} FROM good")
    job.run(
        "CREATE OR REPLACE TABLE accepted AS SELECT account, sum(amount_minor)::BIGINT AS amount_minor FROM due "
        "GROUP BY account UNION ALL SELECT account, amount_minor FROM unchanged WHERE account NOT IN "
        "(SELECT account FROM keys JOIN rejected USING (line) WHERE account IS NOT NULL)"
    )
    if keys.several(job):
        _keep_halved_accounts_whole(job)


def _keep_halved_accounts_whole(job: Job) -> None:
    """Forget the memory of accounts of which some row was rejected: they must be read again tomorrow."""
    job.run(
        "DELETE FROM prints WHERE account IN (SELECT account FROM keys JOIN rejected USING (line) "
        "WHERE account IS NOT NULL)"
    )


def number_accounts(job: Job, *, first_account: int, first_debtor: int) -> None:
    """Make `debtor_ids` (key, id, new) and `account_ids` (account, id, debtor_id, new, status, ...)."""
    job.run(
        "CREATE OR REPLACE TABLE debtor_ids AS SELECT key, id, false AS new FROM known_debtors UNION ALL "
        f"SELECT key, {first_debtor} - 1 + row_number() OVER () AS id, true AS new FROM people "
        "ANTI JOIN known_debtors USING (key)"
    )
    wanted = "i.*, d.id AS debtor_id, a.amount_minor"
    joined = "incoming i JOIN debtor_ids d ON d.key = i.debtor JOIN accepted a ON a.account = i.account"
    job.run(
        f"CREATE OR REPLACE TABLE account_ids AS SELECT {wanted}, k.id AS id, false AS new, k.status FROM {joined} "
        f"JOIN known_accounts k ON k.account = i.account UNION ALL SELECT {wanted}, {first_account} - 1 + "
        f"row_number() OVER () AS id, true AS new, NULL AS status FROM {joined} "
        "ANTI JOIN known_accounts k ON k.account = i.account"
    )


def find_gone(job: Job) -> int:
    """Make `gone` (id, account, debtor_id): open accounts that the file does not name; return how many."""
    if job.document.options.partial:
        job.run("CREATE OR REPLACE TABLE gone AS SELECT * FROM known_accounts WHERE false")
        return 0
    statuses = ["OPEN"] if job.document.options.gone in {"missing", "keep"} else ["OPEN", "MISSING"]
    listed = ", ".join(map(literal, statuses))
    job.run(
        f"CREATE OR REPLACE TABLE gone AS SELECT * FROM known_accounts WHERE status IN ({listed}) "
        "AND account NOT IN (SELECT account FROM present)"
    )
    return job.count("gone")


def instalments(job: Job, *, first: int) -> None:
    """Make `instalment_ids` (account_id, number, id, new, due, moved) of the accounts that the file names."""
    job.run(
        "CREATE OR REPLACE TABLE known_instalments AS SELECT account_id, number, any_value(instalment_id) AS id, "
        "any_value(due) AS due FROM known_ledger GROUP BY account_id, number"
    )
    job.run(
        "CREATE OR REPLACE TABLE due_now AS SELECT a.id AS account_id, g.number, g.due FROM good g "
        "JOIN account_ids a USING (account)"
    )
    job.run(
        "CREATE OR REPLACE TABLE instalment_ids AS SELECT s.*, k.id AS id, false AS new, "
        "s.due IS NOT NULL AND s.due IS DISTINCT FROM k.due AS moved FROM due_now s "
        "JOIN known_instalments k USING (account_id, number) UNION ALL "
        f"SELECT s.*, {first} - 1 + row_number() OVER () AS id, true AS new, false AS moved FROM due_now s "
        "ANTI JOIN known_instalments k USING (account_id, number)"
    )


def differences(job: Job) -> None:
    """Make `deltas`: by how much the file differs from the ledger, per instalment and concept.

    A shift between concepts of one instalment that adds up to nothing is marked `shift`: no money came in.
    """
    concept = "'PRINCIPAL'" if job.document.one_amount else "concept"
    job.run(
        "CREATE OR REPLACE TABLE told AS SELECT a.id AS account_id, d.number, d.concept, d.amount_minor, d.issued "
        "FROM due d JOIN account_ids a USING (account)"
    )
    job.run(
        "CREATE OR REPLACE TABLE owed AS SELECT account_id, number, any_value(instalment_id) AS instalment_id, "
        f"{concept} AS concept, sum(amount_minor)::BIGINT AS amount_minor FROM known_ledger "
        "WHERE concept IS NOT NULL AND account_id IN (SELECT id FROM account_ids) GROUP BY ALL"
    )
    _leave_unread_instalments(job)
    job.run(
        "CREATE OR REPLACE TABLE deltas AS SELECT *, sum(delta) OVER (PARTITION BY account_id, "
        "number) = 0 AS shift FROM ("
        "SELECT account_id, number, coalesce(o.instalment_id, i.id) AS instalment_id, concept, t.issued, "
        "coalesce(t.amount_minor, 0) - coalesce(o.amount_minor, 0) AS delta FROM told t "
        "FULL JOIN owed o USING (account_id, number, concept) LEFT JOIN instalment_ids i USING (account_id, number)) "
        "WHERE delta <> 0"
    )


def _leave_unread_instalments(job: Job) -> None:
    """Say nothing about instalments that the file may have meant in a row that was rejected, or leaves to another part.

    Without this a bad row would look like a payment. Makes `unread`: what they owe, which a payment must not change.
    """
    position = job.columns.positions.get(next(iter(job.document.fields["account.external_id"].columns), ""), 0)
    halved = (
        "account_id IN (SELECT id FROM account_ids WHERE account IN (SELECT account FROM keys JOIN rejected USING "
        f"(line) UNION ALL SELECT trim(cells->>'$[{position}]') FROM broken))"
    )
    doubtful = "true" if job.document.options.partial else halved
    job.run(
        "CREATE OR REPLACE TABLE unread AS SELECT account_id, number, concept, amount_minor FROM owed "
        f"WHERE {doubtful} AND (account_id, number) NOT IN (SELECT (account_id, number) FROM told)"
    )
    job.run("DELETE FROM owed WHERE (account_id, number) IN (SELECT (account_id, number) FROM unread)")


def payments(job: Job, *, load_id: int, settle_gone: bool) -> pa.Table:
    """Return the payments that lower balances and settled accounts tell of."""
    of_gone = (
        "SELECT k.account_id, sum(k.amount_minor) AS amount FROM known_ledger k JOIN gone g ON g.id = k.account_id "
        "GROUP BY k.account_id HAVING sum(k.amount_minor) > 0"
    )
    of_lower = "SELECT account_id, -sum(delta) AS amount FROM deltas WHERE delta < 0 AND NOT shift GROUP BY account_id"
    chosen = []
    if job.document.options.lower_balance == "payment":
        chosen.append(of_lower)
    if job.document.options.gone == "paid" and settle_gone:
        chosen.append(of_gone)
    union = " UNION ALL ".join(chosen) or "SELECT 0::BIGINT AS account_id, 0 AS amount WHERE false"
    return job.arrow(
        "SELECT n.debtor_id, p.account_id, p.amount::BIGINT AS amount_minor, "
        f"DATE '{job.as_of}' AS paid_date, '{load_id}:' || n.account AS reference FROM ({union}) p JOIN "
        "(SELECT id, account, debtor_id FROM account_ids UNION ALL SELECT id, account, debtor_id FROM gone) n "
        "ON n.id = p.account_id ORDER BY p.account_id"
    )
