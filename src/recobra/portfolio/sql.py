"""The portfolio's rules in SQL for set-based readers, and changes of all contact points of an address at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import pyarrow as pa
from django.db import connection
from django.db.models import Q

from recobra.kit import tables
from recobra.tabular import identity

from .models import Debtor


def hold_in_force(hold: str, *, day: str) -> str:
    """Return the condition that a hold is in force on a day, as `Hold.objects.in_force` has it.

    `hold` is the name of `portfolio_hold` in the query, `day` an SQL expression of type date.
    """
    starts_and_lasts = f"{hold}.starts_on <= {day} AND ({hold}.ends_on IS NULL OR {hold}.ends_on >= {day})"
    return f"{hold}.lifted_at IS NULL AND {starts_and_lasts}"


def stated_consent(point: str) -> str:
    """Return SQL for what was loaded about a whole contact point: granted, denied or NULL."""
    return f"CASE WHEN {point}.consent THEN 'granted' WHEN NOT {point}.consent THEN 'denied' END"


CHANGED_POINTS = pa.schema([("point_id", pa.int64()), ("debtor_id", pa.int64())])
"""Contact points that a statement has changed, with their debtors."""

# NO KEY: planning holds key-share locks on contact points for minutes, and an opt-out must not wait for them.
_MARK_OPTED_OUT = """
    WITH unmarked AS (
        SELECT point.id FROM portfolio_contactpoint point
        WHERE point.value = ANY(%s) AND point.kind = %s AND point.opted_out_at IS NULL
        ORDER BY point.id FOR NO KEY UPDATE)
    UPDATE portfolio_contactpoint point SET opted_out_at = %s FROM unmarked WHERE point.id = unmarked.id
    RETURNING point.id, point.debtor_id"""

_RETIRE_POINTS = """
    -- The same person may be a debtor of several creditors: the number is wrong for all of those. Who was joined with
    -- another has the own document still, and the numbers are with who stays.
    WITH same_person AS (
        SELECT DISTINCT coalesce(debtor.joined_into_id, debtor.id) AS id FROM portfolio_debtor debtor
        WHERE debtor.id = ANY(%s) OR (debtor.country, debtor.national_id_kind, debtor.national_id) IN (
            SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]))
    ), wrong AS (
        SELECT point.id FROM portfolio_contactpoint point JOIN same_person ON same_person.id = point.debtor_id
        WHERE point.value = ANY(%s) AND point.kind = %s AND point.retired_at IS NULL
        ORDER BY point.id FOR NO KEY UPDATE OF point)
    UPDATE portfolio_contactpoint point SET retired_at = %s, retired_because = 'WRONG_PERSON', quality = 0
    FROM wrong WHERE point.id = wrong.id
    RETURNING point.id, point.debtor_id"""

_AUTHORISE_CHANNEL = """
    UPDATE portfolio_contactpoint
    SET granted_for = CASE WHEN %(is_granted)s THEN array_append(array_remove(granted_for, %(channel)s), %(channel)s)
            ELSE array_remove(granted_for, %(channel)s) END,
        denied_for = CASE WHEN %(is_granted)s THEN array_remove(denied_for, %(channel)s)
            ELSE array_append(array_remove(denied_for, %(channel)s), %(channel)s) END
    WHERE kind = %(kind)s AND value = ANY(%(forms)s)"""


_MARK_UNUSABLE = """
    UPDATE portfolio_contactpoint SET unusable_for = array_append(unusable_for, %(channel)s)
    WHERE kind = %(kind)s AND value = ANY(%(forms)s) AND %(channel)s <> ALL (unusable_for)"""


def mark_unusable(*, kind: str, forms: Sequence[str], channel: str) -> None:
    """Note at the contact points of an address that a channel does not reach them any more."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK_UNUSABLE, {"kind": kind, "forms": list(forms), "channel": channel})


# As a foreign key's check does: an anonymisation of the debtor, which locks the whole row, comes before or after.
_KEEP_NAMED = "SELECT id FROM portfolio_debtor WHERE id = ANY(%s) AND erased_at IS NULL ORDER BY id FOR KEY SHARE"


def keep_named(debtor_ids: Collection[int]) -> set[int]:
    """Let nobody anonymise debtors before this transaction ends; return those of whom that was not done already.

    Waits for an anonymisation under way. What was read of the debtors before has to be read again.
    """
    with connection.cursor() as cursor:
        cursor.execute(_KEEP_NAMED, [sorted(debtor_ids)])
        return {debtor_id for (debtor_id,) in cursor.fetchall()}


def mark_opted_out(*, kind: str, forms: Sequence[str], at: datetime) -> pa.Table:
    """Mark the contact points of an address as opted out; return those that were not (schema CHANGED_POINTS)."""
    return tables.fetch(_MARK_OPTED_OUT, [list(forms), kind, at], CHANGED_POINTS)


def retire_points(*, kind: str, forms: Sequence[str], debtor_ids: Sequence[int], at: datetime) -> pa.Table:
    """Retire an address for some debtors and for the same persons at other creditors (schema CHANGED_POINTS)."""
    named = Debtor.objects.filter(Q(pk__in=debtor_ids) | Q(joined_into__in=debtor_ids))
    stated = named.values_list("country", "national_id_kind", "national_id")
    # An id that stands in for none, or is not valid, shows nobody to be the same person.
    proved = [person for person in stated.distinct() if identity.is_proof(*person)]
    countries, kinds, ids = (list(values) for values in zip(*proved, strict=True)) if proved else ([], [], [])
    parameters = [list(debtor_ids), countries, kinds, ids, list(forms), kind, at]
    return tables.fetch(_RETIRE_POINTS, parameters, CHANGED_POINTS)


def authorise_channel(*, kind: str, forms: Sequence[str], channel: str, is_granted: bool) -> None:
    """Note at the contact points of an address that a channel was authorised, or no longer is."""
    values: dict[str, str | bool | list[str]] = {
        "kind": kind,
        "forms": list(forms),
        "channel": channel,
        "is_granted": is_granted,
    }
    with connection.cursor() as cursor:
        cursor.execute(_AUTHORISE_CHANNEL, values)


_IS_NUMBER = "{text} ~ '^-?[0-9]{{1,13}}([.][0-9]{{1,12}})?$'"
OWN_COLUMN_CASTS = {
    "text": "to_jsonb({text})",
    "integer": f"CASE WHEN {_IS_NUMBER} THEN CASE WHEN mod({{text}}::numeric, 1) = 0 "
    "AND abs({text}::numeric) < 10000000000 THEN to_jsonb({text}::numeric::bigint) END END",
    "number": f"CASE WHEN {_IS_NUMBER} THEN to_jsonb({{text}}::float8) END",
    "money": f"CASE WHEN {_IS_NUMBER} THEN CASE WHEN mod({{text}}::numeric * %(minor)s, 1) = 0 "
    "THEN to_jsonb(({text}::numeric * %(minor)s)::bigint) END END",
    "boolean": "CASE WHEN lower({text}) IN ('true', 'si', 'sí', 's', 'yes', 'y', 'x', '1', 'verdadero') "
    "THEN to_jsonb(true) WHEN lower({text}) IN ('false', 'no', 'n', '0', 'falso') THEN to_jsonb(false) END",
    "date": "CASE WHEN {text} ~ '^[0-9]{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$' THEN to_jsonb({text}) END",
}
"""By type of a creditor's own column, SQL for a text as JSON of that type, NULL where it cannot be read so.

An amount in major units becomes minor ones by the parameter `minor`.
"""
