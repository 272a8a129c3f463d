"""Debtors, co-debtors and their contact points in the good rows, each once and checked for validity."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from recobra.intake.load_context import LoadContext
from recobra.intake.relations import CheckedRows, People
from recobra.kit import email_address
from recobra.tabular import identity, phones
from recobra.tabular.workspace import Relation, Workspace

LONGEST_POINT: Final = 500  # the index on values holds no more than some 2,700 bytes
# Several numbers in a cell, «987654321 / 912345678», without a word beside them.
_SEVERAL_NUMBERS: Final = r"[\s\d+().*-]*([;,|/\r\n][\s\d+().*-]*)+"
_PLACES: Final = 10_000  # of what one cell holds


def collect_people(context: LoadContext, duck: Workspace, checked: CheckedRows) -> People:
    """Return one row for each person or company of the good rows, and their contact points."""
    names = ("name", "kind", "subdivision", "time_zone")
    identities = ("national_id_kind", "national_id", "verdict")
    columns = ", ".join((*names, *identities))
    place = context.row_order
    debtors = f"SELECT debtor AS key, {place} AS place, {columns} FROM {checked.good}"
    parties = [_party_query(checked, position, place, columns) for position in range(len(context.document.parties))]
    # Of several rows about one person, that of the first account that gives a value counts, wherever it stands; an id
    # that is none comes last.
    is_given = f"WHERE national_id IS NOT NULL AND verdict IS DISTINCT FROM '{identity.STAND_IN}'"
    firsts = [f"arg_min({name}, place) AS {name}" for name in names]
    for name in identities:
        first_given = f"arg_min({name}, place) FILTER ({is_given})"
        any_given = f"arg_min({name}, place) FILTER (WHERE national_id IS NOT NULL)"
        firsts.append(f"coalesce({first_given}, {any_given}) AS {name}")
    every = " UNION ALL ".join([debtors, *parties])
    people = duck.create("people", f"SELECT key, {', '.join(firsts)} FROM ({every}) GROUP BY key")
    settled = _settle_ids(duck, people)
    points = _collect_points(context, duck, checked)
    unreachable = duck.create(
        "unreachable_people",
        f"SELECT key FROM {settled} WHERE key NOT IN (SELECT key FROM {points} WHERE valid)",
    )
    return People(settled, points, unreachable)


def _party_query(checked: CheckedRows, position: int, place: str, columns: str) -> str:
    """Return SQL for what the rows say of one co-debtor or guarantor: key, place and the columns of a debtor."""
    # What a row says of its debtor comes before what it says of others.
    return f"""
        SELECT key, place, {columns} FROM (
            SELECT
                {party_key(position)} AS key,
                {place} || chr(31) || '{position}' AS place,
                party_{position}_name AS name,
                'PERSON' AS kind,
                party_{position}_id_kind AS national_id_kind,
                party_{position}_bare_id AS national_id,
                party_{position}_verdict AS verdict,
                NULL AS subdivision,
                NULL AS time_zone
            FROM {checked.good} WHERE {is_party_named(position)}
        )
        """


def party_key(position: int) -> str:
    """Return SQL for the debtor key of a co-debtor or guarantor in the good rows."""
    return f"party_{position}_key"


def is_party_named(position: int) -> str:
    """Return SQL for whether a row names the co-debtor or guarantor at all; what stands in for no id names nobody."""
    stand_in = f"party_{position}_verdict = '{identity.STAND_IN}'"
    return (
        f"(party_{position}_name IS NOT NULL "
        f"OR party_{position}_bare_id IS NOT NULL AND {stand_in} IS DISTINCT FROM true)"
    )


def _settle_ids(duck: Workspace, people: Relation) -> Relation:
    """Return the people with `national_id_valid`; an id that stands in for none becomes an empty one.

    NULL: there is none, or nobody can tell whether it is valid.
    """
    is_stand_in = f"coalesce(verdict = '{identity.STAND_IN}', false)"
    return duck.create(
        people,
        f"""
        SELECT * REPLACE (
            CASE WHEN {is_stand_in} THEN '' ELSE national_id END AS national_id,
            CASE WHEN {is_stand_in} THEN '' ELSE national_id_kind END AS national_id_kind
        ), CASE verdict WHEN '{identity.PROOF}' THEN true WHEN '{identity.INVALID}' THEN false END AS national_id_valid
        FROM {people}
        """,
    )


def _collect_points(context: LoadContext, duck: Workspace, checked: CheckedRows) -> Relation:
    """Return the contact points of everyone in the good rows, each once: key, kind, value, line, valid, place.

    `place` is the order in which a row names them, by columns and within a cell.
    """
    texts = duck.create("point_texts", _point_texts_query(context, checked))
    has_several = f"kind = 'PHONE' AND regexp_full_match(raw, '{_SEVERAL_NUMBERS}')"
    duck.execute(
        f"""
        INSERT INTO {texts}
        SELECT DISTINCT key, kind, trim(parts[nth]), place + nth FROM (
            SELECT key, kind, place, parts, unnest(range(1, len(parts) + 1)) AS nth FROM (
                SELECT key, kind, place, string_split_regex(raw, '[;,|/\\r\\n]') AS parts
                FROM {texts} WHERE {has_several}
            )
        )
        WHERE trim(parts[nth]) <> ''
        """
    )
    duck.execute(f"DELETE FROM {texts} WHERE {has_several}")
    phone_numbers = _parse_phones(context, duck, texts)
    addresses = _parse_emails(duck, texts)
    address = f"left(regexp_replace(raw, '\\s+', ' ', 'g'), {LONGEST_POINT})"
    points = duck.create(
        "contact_points",
        f"""
        WITH points AS (
            SELECT key, kind, left(value, {LONGEST_POINT}) AS value, line, valid, place
            FROM {texts} JOIN {phone_numbers} USING (raw)
            WHERE kind = 'PHONE' AND value <> ''
            UNION ALL
            SELECT key, kind, left(value, {LONGEST_POINT}), '', valid, place + nth
            FROM {texts} JOIN {addresses} USING (raw) WHERE kind = 'EMAIL'
            UNION ALL
            -- Nobody can check an address.
            SELECT key, kind, {address}, '', true, place FROM {texts} WHERE kind = 'ADDRESS'
        )
        SELECT key, kind, value, any_value(line) AS line, any_value(valid) AS valid, min(place) AS place
        FROM points GROUP BY key, kind, value
        """,
    )
    duck.drop(texts)
    return points


def _point_texts_query(context: LoadContext, checked: CheckedRows) -> str:
    """Return SQL for the texts of all contact points, as the file has them: key, kind, raw, place.

    Places leave room for as many as a cell may hold.
    """
    document = context.document
    columns = [("PHONE", f"phone_{position}") for position in range(len(document.phones))]
    columns += [("EMAIL", f"email_{position}") for position in range(len(document.emails))]
    columns.append(("ADDRESS", "address"))
    queries = [
        f"SELECT debtor AS key, '{kind}' AS kind, {column} AS raw, {place * _PLACES} AS place "
        f"FROM {checked.good} WHERE {column} IS NOT NULL"
        for place, (kind, column) in enumerate(columns)
    ]
    for position, party in enumerate(document.parties):
        for kind, part in (("PHONE", "phone"), ("EMAIL", "email")):
            if part in party.sources:
                column = f"party_{position}_{part}"
                queries.append(
                    f"SELECT {party_key(position)} AS key, '{kind}' AS kind, {column} AS raw, "
                    f"{(len(columns) + position) * _PLACES} AS place "
                    f"FROM {checked.good} WHERE {column} IS NOT NULL AND {is_party_named(position)}"
                )
    return f"SELECT key, kind, raw, min(place) AS place FROM ({' UNION ALL '.join(queries)}) GROUP BY key, kind, raw"


def _parse_emails(duck: Workspace, texts: Relation) -> Relation:
    """Return the addresses of every distinct cell with e-mail: raw, value, valid, nth of those that it holds."""
    pattern = email_address.PLAIN_PATTERN.replace("'", "''")
    is_short = (
        f"length(raw) <= {email_address.LENGTH_MAX} AND position('@' IN raw) <= {email_address.USER_LENGTH_MAX} + 1"
    )
    addresses = duck.create(
        "email_addresses",
        f"""
        SELECT DISTINCT raw, lower(raw) AS value, true AS valid, 0 AS nth FROM {texts}
        WHERE kind = 'EMAIL' AND {is_short} AND regexp_full_match(lower(raw), '{pattern}')
        """,
    )
    undecided = duck.fetch_all(
        f"SELECT DISTINCT raw FROM {texts} ANTI JOIN {addresses} USING (raw) WHERE kind = 'EMAIL'"
    )
    # What holds no address at all is kept as it is, for a person to mend.
    found = [(raw, email_address.find_addresses(raw)) for (raw,) in undecided]
    rows = [(raw, value, True, nth) for raw, values in found for nth, value in enumerate(values)]
    rows += [(raw, raw.lower(), False, 0) for raw, values in found if not values]
    raws, values, valid, nths = zip(*rows, strict=True) if rows else ((), (), (), ())
    duck.append_arrow(
        addresses,
        pa.table(
            {
                "raw": pa.array(raws, pa.string()),
                "value": pa.array(values, pa.string()),
                "valid": pa.array(valid, pa.bool_()),
                "nth": pa.array(nths, pa.int32()),
            }
        ),
    )
    return addresses


def _parse_phones(context: LoadContext, duck: Workspace, texts: Relation) -> Relation:
    """Return every distinct phone: raw, value, line, valid."""
    country = context.portfolio.country
    numbers = duck.create(
        "phone_texts",
        "SELECT DISTINCT raw, regexp_replace(regexp_replace(raw, '\\.0+$', ''), '[\\s().\\-]', '', 'g') AS plain "
        f"FROM {texts} WHERE kind = 'PHONE'",
    )
    sql = phones.phone_sql(country)
    if sql is None:
        parsed = duck.create_empty("phone_numbers", "raw VARCHAR, value VARCHAR, line VARCHAR, valid BOOLEAN")
    else:
        parsed = duck.create(
            "phone_numbers",
            rf"""
            WITH nationals AS (
                SELECT raw, {sql.national} AS national
                FROM {numbers} WHERE regexp_full_match(plain, '\+?\d{{4,17}}')
            ), decided AS (
                SELECT raw, national, {sql.valid} AS valid, {sql.line} AS line
                FROM nationals WHERE {sql.decides}
            )
            SELECT
                raw,
                CASE
                    WHEN valid THEN '+{sql.calling_code}' || national ELSE regexp_replace(raw, '\D', '', 'g')
                END AS value,
                CASE WHEN valid THEN line ELSE '' END AS line,
                valid
            FROM decided
            """,
        )
    # What SQL does not decide, the library does: slower, and only a few.
    undecided = [raw for (raw,) in duck.fetch_all(f"SELECT raw FROM {numbers} ANTI JOIN {parsed} USING (raw)")]
    # «.0» is left where a workbook held the number as a figure.
    cells = phones.parse_many([raw.removesuffix(".0") for raw in undecided], country)
    answers = [(raw, answer) for raw, cell in zip(undecided, cells, strict=True) for answer in cell]
    duck.append_arrow(
        parsed,
        pa.table(
            {
                "raw": pa.array([raw for raw, _answer in answers], pa.string()),
                "value": pa.array([answer.value for _raw, answer in answers], pa.string()),
                "line": pa.array([answer.line for _raw, answer in answers], pa.string()),
                "valid": pa.array([answer.valid for _raw, answer in answers], pa.bool_()),
            }
        ),
    )
    duck.drop(numbers)
    return parsed
