"""What a file names by the key of somebody who was joined with another: it goes back with him if they are parted."""

from __future__ import annotations

from typing import Final

from django.db import connection

from recobra.intake.load.current_state import copy_to_temporary
from recobra.intake.load_context import LoadContext
from recobra.intake.relations import AssignedIds, ExaminedFile
from recobra.intake.stage.people import is_party_named, party_key
from recobra.tabular.workspace import Relation, Workspace

_NAMED: Final = "model text, row_id bigint, kept_id bigint, joined_id bigint"
# Rows that a file names by another key now are no longer those of who was joined.
_TAKE_OUT: Final = """
    DELETE FROM portfolio_joinedrow origin USING intake_named named
    WHERE origin.model = named.model AND origin.row_id = named.row_id
        AND origin.join_id IN (SELECT join_id FROM intake_join WHERE kept_id = named.kept_id)
        AND origin.join_id NOT IN (SELECT join_id FROM intake_join WHERE joined_id = named.joined_id)
    """
_NOTE: Final = """
    INSERT INTO portfolio_joinedrow (join_id, model, row_id)
    SELECT through.join_id, named.model, named.row_id
    FROM intake_named named JOIN intake_join through ON through.joined_id = named.joined_id
    ON CONFLICT (join_id, model, row_id) DO NOTHING
    """
# A number that who stays had already is his; he may also be named by both keys.
_NOTE_POINTS: Final = """
    INSERT INTO portfolio_joinedrow (join_id, model, row_id)
    SELECT through.join_id, 'portfolio.ContactPoint', point.id
    FROM intake_named_point named
    JOIN intake_join through ON through.joined_id = named.joined_id
    JOIN portfolio_contactpoint point
        ON point.value = named.value AND point.kind = named.kind AND point.debtor_id = named.kept_id
    WHERE point.load_id = %(load)s AND NOT EXISTS (
        SELECT FROM intake_named_point own
        WHERE own.kept_id = named.kept_id AND own.joined_id IS NULL
            AND (own.kind, own.value) = (named.kind, named.value)
    )
    ON CONFLICT (join_id, model, row_id) DO NOTHING
    """
_NOTE_PARTIES: Final = """
    INSERT INTO portfolio_joinedrow (join_id, model, row_id)
    SELECT through.join_id, 'portfolio.Party', party.id
    FROM intake_named_party named
    JOIN intake_join through ON through.joined_id = named.joined_id
    JOIN portfolio_party party
        ON party.account_id = named.account_id AND party.debtor_id = named.kept_id AND party.part = named.part
    ON CONFLICT (join_id, model, row_id) DO NOTHING
    """


def note_origins(
    context: LoadContext, duck: Workspace, examined: ExaminedFile, ids: AssignedIds, *, load_id: int
) -> None:
    """Note which accounts, contact points and parts the file names by the keys of those who were joined.

    Must come after they are written. Where a creditor has no joins, there is nothing to do.
    """
    if not duck.count(ids.joins):
        return
    # The keys of those who were joined, and of those who stay.
    concerned = duck.create(
        "joined_keys", f"SELECT key, id, joined_id FROM {ids.debtors} SEMI JOIN {ids.joins} ON kept_id = id"
    )
    copy_to_temporary(
        duck, "intake_join", "join_id bigint, joined_id bigint, kept_id bigint", f"SELECT * FROM {ids.joins}"
    )
    copy_to_temporary(
        duck,
        "intake_named",
        _NAMED,
        f"""
        SELECT 'portfolio.Account' AS model, accounts.id AS row_id, joined.id AS kept_id, joined.joined_id
        FROM {ids.accounts} accounts JOIN {concerned} joined ON joined.key = accounts.debtor
        """,
    )
    copy_to_temporary(
        duck,
        "intake_named_point",
        "kept_id bigint, joined_id bigint, kind text, value text",
        f"""
        SELECT joined.id AS kept_id, joined.joined_id, kind, value
        FROM {examined.people.points} JOIN {concerned} joined USING (key)
        """,
    )
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_OUT)
        cursor.execute(_NOTE)
        cursor.execute(_NOTE_POINTS, {"load": load_id})
    if context.document.parties:
        _note_parties(context, duck, examined, ids, concerned)


def _note_parties(
    context: LoadContext, duck: Workspace, examined: ExaminedFile, ids: AssignedIds, concerned: Relation
) -> None:
    """Note the parts in accounts of others, as `store.link_parties` wrote them."""
    queries = [
        f"""
        SELECT accounts.id AS account_id, joined.id AS kept_id, joined.joined_id, '{party.part}' AS part
        FROM {examined.checked.good} good
        JOIN {ids.accounts} accounts USING (account)
        JOIN {concerned} joined ON joined.key = good.{party_key(position)}
        WHERE {is_party_named(position)} AND joined.joined_id IS NOT NULL
        """
        for position, party in enumerate(context.document.parties)
    ]
    copy_to_temporary(
        duck,
        "intake_named_party",
        "account_id bigint, kept_id bigint, joined_id bigint, part text",
        " UNION ".join(queries),
    )
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_PARTIES)
