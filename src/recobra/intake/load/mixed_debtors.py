"""Debtors that earlier versions joined by an id that proves nobody: this file's rows part them.

The key of such a debtor is its id. Where all that is known of it stays together, it keeps its history and gets the new
key; otherwise each account gets a debtor of its own, with its payments, the pauses of the old one and what was said at
its contact points, and nobody is written to by the mixed one again.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from django.db import connection

from recobra.intake.facts import DebtorParted
from recobra.intake.load.current_state import copy_to_temporary
from recobra.intake.load_context import LoadContext
from recobra.intake.relations import CheckedRows, ExaminedFile
from recobra.intake.stage.debtor_keys import old_id_key
from recobra.journal.operations import record_facts
from recobra.kit import tables
from recobra.payments.operations import move_with_accounts
from recobra.tabular.workspace import Relation, Workspace

_PARTED: Final = pa.schema([("debtor_id", pa.int64()), ("accounts", pa.int64())])

# A debtor of whom every account and every part is in this file under one new key is renamed.
_KEEP_WHOLE: Final = """
    WITH parted AS (
        SELECT debtor.id, debtor.creditor_id, min(stated.key) AS key
        FROM intake_unproved stated
        JOIN portfolio_account account ON account.portfolio_id = %(portfolio)s AND account.external_id = stated.account
        LEFT JOIN portfolio_party party ON party.account_id = account.id AND party.part = stated.part
        JOIN portfolio_debtor debtor
            ON debtor.id = CASE WHEN stated.part = '' THEN account.debtor_id ELSE party.debtor_id END
        WHERE debtor.creditor_id = %(creditor)s AND debtor.external_id = stated.old_key
        GROUP BY debtor.id
        HAVING count(DISTINCT stated.key) = 1
            AND count(DISTINCT (account.id, stated.part)) =
                (SELECT count(*) FROM portfolio_account known WHERE known.debtor_id = debtor.id)
                + (SELECT count(*) FROM portfolio_party known WHERE known.debtor_id = debtor.id)
    ), heirs AS (
        SELECT DISTINCT ON (key) id, key FROM parted
        WHERE NOT EXISTS (
            SELECT FROM portfolio_debtor taken
            WHERE taken.creditor_id = parted.creditor_id AND taken.external_id = parted.key
        )
        ORDER BY key, id
    )
    UPDATE portfolio_debtor debtor SET external_id = heirs.key FROM heirs WHERE debtor.id = heirs.id
    """
_FIND_MIXED: Final = """
    CREATE TEMP TABLE intake_mixed ON COMMIT DROP AS
    SELECT account.id AS account_id, stated.part, stated.key, debtor.id AS debtor_id
    FROM intake_unproved stated
    JOIN portfolio_account account ON account.portfolio_id = %(portfolio)s AND account.external_id = stated.account
    LEFT JOIN portfolio_party party ON party.account_id = account.id AND party.part = stated.part
    JOIN portfolio_debtor debtor
        ON debtor.id = CASE WHEN stated.part = '' THEN account.debtor_id ELSE party.debtor_id END
    WHERE debtor.creditor_id = %(creditor)s AND debtor.external_id = stated.old_key
    """
_HOLD_COLUMNS: Final = "reason, disputed_minor, starts_on, ends_on, note, author, created_at, lifted_at, lifted_by"
_FOLLOW: Final = f"""
    WITH heirs AS (
        SELECT mixed.debtor_id AS old_id, account.debtor_id AS new_id
        FROM intake_mixed mixed JOIN portfolio_account account ON account.id = mixed.account_id WHERE mixed.part = ''
        UNION
        SELECT mixed.debtor_id, party.debtor_id
        FROM intake_mixed mixed JOIN portfolio_party party
            ON party.account_id = mixed.account_id AND party.part = mixed.part AND party.debtor_id <> mixed.debtor_id
    ), moved_holds AS (
        -- A pause of one account goes with it.
        UPDATE portfolio_hold hold SET debtor_id = account.debtor_id
        FROM intake_mixed mixed JOIN portfolio_account account ON account.id = mixed.account_id
        WHERE hold.account_id = account.id AND hold.debtor_id = mixed.debtor_id AND mixed.part = ''
    ), copied_holds AS (
        -- Nobody can tell which of them asked for a pause of the whole debtor, so all keep it.
        INSERT INTO portfolio_hold (public_id, debtor_id, account_id, {_HOLD_COLUMNS})
        SELECT gen_random_uuid(), heirs.new_id, NULL, {_HOLD_COLUMNS}
        FROM heirs JOIN portfolio_hold hold ON hold.debtor_id = heirs.old_id
        WHERE hold.account_id IS NULL AND hold.lifted_at IS NULL
    ), consents AS (
        UPDATE portfolio_contactpoint point SET
            -- The heir may have been known before: what was refused to either stays refused.
            consent = coalesce(point.consent AND old.consent, point.consent, old.consent),
            opted_out_at = coalesce(point.opted_out_at, old.opted_out_at),
            unusable_for = ARRAY(SELECT DISTINCT unnest(point.unusable_for || old.unusable_for)),
            granted_for = ARRAY(
                SELECT unnest(point.granted_for || old.granted_for)
                EXCEPT SELECT unnest(point.denied_for || old.denied_for)
            ),
            denied_for = ARRAY(SELECT DISTINCT unnest(point.denied_for || old.denied_for)),
            retired_at = coalesce(point.retired_at, CASE WHEN old.quality = 0 THEN old.retired_at END),
            quality = least(point.quality, old.quality)
        FROM heirs JOIN portfolio_contactpoint old ON old.debtor_id = heirs.old_id
        WHERE point.debtor_id = heirs.new_id AND point.kind = old.kind AND point.value = old.value
    ), unlinked AS (
        DELETE FROM portfolio_party party USING intake_mixed mixed
        WHERE party.account_id = mixed.account_id AND party.part = mixed.part AND party.debtor_id = mixed.debtor_id
    )
    SELECT debtor_id, count(DISTINCT account_id) FROM intake_mixed GROUP BY debtor_id
    """
# Its points may be those of any of them. A wrong number has quality 0; these keep theirs, so that whoever leaves later
# does not take the end along.
_RETIRE: Final = """
    UPDATE portfolio_contactpoint SET retired_at = %s
    WHERE retired_at IS NULL AND debtor_id IN (SELECT debtor_id FROM intake_mixed)
    """


def rename_kept(context: LoadContext, duck: Workspace, examined: ExaminedFile) -> bool:
    """Give debtors whose id proves nobody their new key, and return whether some of them have to be parted.

    Must come before the debtors of the file are looked for.
    """
    unproved = _list_unproved(context, duck, examined.checked)
    if not duck.count(unproved):
        return False
    copy_to_temporary(
        duck, "intake_unproved", "account text, part text, key text, old_key text", f"SELECT * FROM {unproved}"
    )
    parameters = {"portfolio": context.portfolio.pk, "creditor": context.portfolio.creditor_id}
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_WHOLE, parameters)
        cursor.execute("DROP TABLE IF EXISTS intake_mixed")
        cursor.execute(_FIND_MIXED, parameters)
        return cursor.rowcount > 0


def part_mixed(context: LoadContext) -> None:
    """Let everything follow the accounts that left a mixed debtor, and tell the journal.

    Must come after the accounts and the parts of the file are written.
    """
    parted = tables.fetch(_FOLLOW, [], _PARTED)
    with connection.cursor() as cursor:
        cursor.execute(_RETIRE, [context.actor.now])
    move_with_accounts(debtor_ids=parted["debtor_id"].to_pylist())
    portfolio = pa.array([context.portfolio.pk] * parted.num_rows, pa.int64())
    record_facts(DebtorParted, parted.append_column("portfolio_id", portfolio), actor=context.actor)


def _list_unproved(context: LoadContext, duck: Workspace, checked: CheckedRows) -> Relation:
    """Return the ids of the good rows that make another key now: account, part ('' of the debtor), key, old_key."""
    zeros = context.document.options.id_zeros
    debtors = f"""
        SELECT account, '' AS part, arg_min(debtor, line) AS key, arg_min(old_debtor, line) AS old_key
        FROM {checked.good} WHERE debtor <> old_debtor GROUP BY account
        """
    queries = [debtors]
    for n, party in enumerate(context.document.parties):
        old_key = old_id_key(f"party_{n}_bare_id", zeros)
        queries.append(
            f"""
            SELECT account, '{party.part}', arg_min(party_{n}_key, line), arg_min({old_key}, line)
            FROM {checked.good} WHERE party_{n}_bare_id IS NOT NULL GROUP BY account
            """
        )
    return duck.create("unproved_ids", f"SELECT * FROM ({' UNION ALL '.join(queries)}) WHERE key <> old_key")
