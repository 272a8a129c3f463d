"""Contact points that staff took out of use, when a file names them again; `intake_point` holds what it names."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from django.db import connection

from recobra.intake.load_context import LoadContext
from recobra.kit import tables
from recobra.portfolio import address_forms
from recobra.tabular.sql_text import literal

FRESH: Final = 50
"""Quality of a contact point that the file names."""
SUPERSEDED: Final = 25
"""Quality of a contact point that the file no longer names, or that a later one names otherwise."""
_IDS: Final = pa.schema([("id", pa.int64())])


def retire_other_spellings() -> None:
    """Take what the file brought out of use where the debtor's number is retired in another spelling."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE portfolio_contactpoint point SET retired_at = retired.retired_at,
                retired_because = retired.retired_because, corrected_by = retired.corrected_by, quality = 0
            FROM intake_point stated, portfolio_contactpoint retired
            WHERE stated.kind = 'PHONE' AND cardinality({address_forms.forms_sql("stated.value")}) > 1
                AND (point.debtor_id, point.kind, point.value) = (stated.debtor_id, stated.kind, stated.value)
                AND point.load_id = stated.load_id AND point.retired_at IS NULL
                AND retired.debtor_id = stated.debtor_id AND retired.kind = stated.kind
                AND retired.value <> stated.value AND retired.retired_at IS NOT NULL
                AND retired.value = ANY({address_forms.forms_sql("stated.value")})
            """
        )


def use_again(context: LoadContext, *, load_id: int) -> pa.Table:
    """Put in use again what staff had retired before the day of the file, and return the debtors (id).

    What is somebody else's is not: the ledger of consent says so.
    """
    return tables.fetch(
        f"""
        WITH again AS (
            SELECT point.id, point.corrected_by FROM portfolio_contactpoint point
            JOIN intake_point stated USING (debtor_id, kind, value)
            WHERE point.retired_because IN ('OUT_OF_SERVICE', 'NO_LONGER', 'DOUBLE', 'CORRECTED') AND stated.valid
                AND (point.retired_at AT TIME ZONE {literal(context.portfolio.time_zone)})::date
                    < DATE '{context.as_of}'
        ),
        -- What took its place was right until then: it comes second.
        yielding AS (
            UPDATE portfolio_contactpoint point SET quality = {SUPERSEDED} FROM again
            WHERE point.id = again.corrected_by AND point.quality > {SUPERSEDED}
        )
        UPDATE portfolio_contactpoint point SET retired_at = NULL, retired_because = '', corrected_by = NULL,
            source = 'LOAD', quality = {FRESH}, load_id = {load_id}
        FROM again WHERE point.id = again.id
        RETURNING point.debtor_id
        """,
        [],
        _IDS,
    )
