"""Debtors, co-debtors and their contact points in the good rows, each once and checked for validity."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from recobra.intake.load_context import LoadContext
from recobra.intake.relations import CheckedRows, People
from recobra.kit import email_address
from recobra.tabular import identity, phones
from recobra.tabular.sql_text import literal
from recobra.tabular.workspace import Relation, Workspace

from . import debtor_keys

LONGEST_POINT: Final = 500  # the index on values holds no more than some 2,700 bytes
# Several numbers in a cell, «987654321 / 912345678», without a word beside them.
_SEVERAL_NUMBERS: Final = r"[\s\d+().*-]*([;,|/\r\n][\s\d+().*-]*)+"


def collect_people(context: LoadContext, duck: Workspace, checked: CheckedRows) -> People:
    """Return one row for each person or company of the good rows, and their contact points."""
    names = ("name", "kind", "national_id_kind", "national_id", "subdivision", "time_zone")
    debtors = f"SELECT debtor AS key, line, {', '.join(names)} FROM {checked.good}"
    parties = [_party_query(context, checked, position) for position in range(len(context.document.parties))]
    # Of several rows about one person, the first that gives a value counts.
    first = ", ".join(f"arg_min({name}, line) AS {name}" for name in names)
    people = duck.create("people", f"SELECT key, {first} FROM ({' UNION ALL '.join([debtors, *parties])}) GROUP BY key")
    return People(_validate_ids(duck, people), _collect_points(context, duck, checked))


def _party_query(context: LoadContext, checked: CheckedRows, position: int) -> str:
    """Return SQL for what the rows say of one co-debtor or guarantor, in the columns of a debtor."""
    # The id of such a person is taken for that of a person, not of a company.
    id_kind = ""
    if context.portfolio.country in identity.KINDS:
        person, _company = identity.KINDS[context.portfolio.country]
        id_kind = person.code
    # Half a line later, so that what a row says of its debtor comes before what it says of others.
    return f"""
        SELECT
            {party_key(context, position)} AS key,
            line + 0.5 AS line,
            party_{position}_name AS name,
            'PERSON' AS kind,
            CASE WHEN party_{position}_national_id IS NULL THEN '' ELSE {literal(id_kind)} END AS national_id_kind,
            {_bare_id(position)} AS national_id,
            NULL AS subdivision,
            NULL AS time_zone
        FROM {checked.good} WHERE {is_party_named(position)}
        """


def party_key(context: LoadContext, position: int) -> str:
    """Return SQL for the debtor key of a co-debtor or guarantor: the national id, else account and place.

    Never a customer number, which may be another person's: that of a debtor with the same figures.
    """
    by_id = debtor_keys.id_key(_bare_id(position), context.document.options.id_zeros)
    return f"coalesce({by_id}, 'party:' || account || ':{position + 1}')"


def is_party_named(position: int) -> str:
    """Return SQL for whether a row names the co-debtor or guarantor at all."""
    return f"coalesce(party_{position}_name, party_{position}_national_id) IS NOT NULL"


def _bare_id(position: int) -> str:
    """Return SQL for the national id of a co-debtor or guarantor without blanks, points and dashes."""
    return f"nullif(regexp_replace(upper(party_{position}_national_id), '[^0-9A-ZÑ&]', '', 'g'), '')"


def _validate_ids(duck: Workspace, people: Relation) -> Relation:
    """Return the people with `national_id_valid`: patterns in SQL, check digits by stdnum on distinct values."""
    patterns = identity.pattern_kinds()
    cases = " ".join(
        f"WHEN national_id_kind = {literal(code)} THEN regexp_full_match(national_id, {literal(pattern)})"
        for code, pattern in patterns.items()
    )
    by_library = ", ".join(literal(code) for code in identity.catalogue() if code not in patterns)
    ids = duck.fetch_all(
        f"SELECT DISTINCT national_id_kind, national_id FROM {people} WHERE national_id IS NOT NULL "
        f"AND national_id_kind IN ({by_library})"
    )
    checked_ids = duck.create_from_arrow(
        "checked_ids",
        pa.table(
            {
                "national_id_kind": pa.array([code for code, _value in ids], pa.string()),
                "national_id": pa.array([value for _code, value in ids], pa.string()),
                "verdict": pa.array(identity.are_valid(ids), pa.bool_()),
            }
        ),
    )
    return duck.create(
        people,
        f"SELECT {people}.*, CASE {cases} ELSE verdict END AS national_id_valid "
        f"FROM {people} LEFT JOIN {checked_ids} USING (national_id_kind, national_id)",
    )


def _collect_points(context: LoadContext, duck: Workspace, checked: CheckedRows) -> Relation:
    """Return the contact points of everyone in the good rows, each once: key, kind, value, line, valid."""
    texts = duck.create("point_texts", _point_texts_query(context, checked))
    has_several = f"kind = 'PHONE' AND regexp_full_match(raw, '{_SEVERAL_NUMBERS}')"
    duck.execute(
        f"""
        INSERT INTO {texts}
        SELECT DISTINCT key, kind, part FROM (
            SELECT key, kind, trim(unnest(string_split_regex(raw, '[;,|/\\r\\n]'))) AS part
            FROM {texts} WHERE {has_several}
        )
        WHERE part <> ''
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
            SELECT key, kind, left(value, {LONGEST_POINT}) AS value, line, valid
            FROM {texts} JOIN {phone_numbers} USING (raw)
            WHERE kind = 'PHONE' AND value <> ''
            UNION ALL
            SELECT key, kind, left(value, {LONGEST_POINT}), '', valid
            FROM {texts} JOIN {addresses} USING (raw) WHERE kind = 'EMAIL'
            UNION ALL
            -- Nobody can check an address.
            SELECT key, kind, {address}, '', true FROM {texts} WHERE kind = 'ADDRESS'
        )
        SELECT key, kind, value, any_value(line) AS line, any_value(valid) AS valid
        FROM points GROUP BY key, kind, value
        """,
    )
    duck.drop(texts)
    return points


def _point_texts_query(context: LoadContext, checked: CheckedRows) -> str:
    """Return SQL for the texts of all contact points, as the file has them: key, kind, raw."""
    document = context.document
    columns = [("PHONE", f"phone_{position}") for position in range(len(document.phones))]
    columns += [("EMAIL", f"email_{position}") for position in range(len(document.emails))]
    columns.append(("ADDRESS", "address"))
    queries = [
        f"SELECT debtor AS key, '{kind}' AS kind, {column} AS raw FROM {checked.good} WHERE {column} IS NOT NULL"
        for kind, column in columns
    ]
    for position, party in enumerate(document.parties):
        for kind, part in (("PHONE", "phone"), ("EMAIL", "email")):
            if part in party.sources:
                column = f"party_{position}_{part}"
                queries.append(
                    f"SELECT {party_key(context, position)} AS key, '{kind}' AS kind, {column} AS raw "
                    f"FROM {checked.good} WHERE {column} IS NOT NULL AND {is_party_named(position)}"
                )
    return f"SELECT DISTINCT key, kind, raw FROM ({' UNION ALL '.join(queries)})"


def _parse_emails(duck: Workspace, texts: Relation) -> Relation:
    """Return the addresses of every distinct cell with e-mail: raw, value, valid; several where it holds several."""
    pattern = email_address.PLAIN_PATTERN.replace("'", "''")
    is_short = (
        f"length(raw) <= {email_address.LENGTH_MAX} AND position('@' IN raw) <= {email_address.USER_LENGTH_MAX} + 1"
    )
    addresses = duck.create(
        "email_addresses",
        f"""
        SELECT DISTINCT raw, lower(raw) AS value, true AS valid FROM {texts}
        WHERE kind = 'EMAIL' AND {is_short} AND regexp_full_match(lower(raw), '{pattern}')
        """,
    )
    undecided = duck.fetch_all(
        f"SELECT DISTINCT raw FROM {texts} ANTI JOIN {addresses} USING (raw) WHERE kind = 'EMAIL'"
    )
    # What holds no address at all is kept as it is, for a person to mend.
    found = [(raw, email_address.find_addresses(raw)) for (raw,) in undecided]
    rows = [(raw, value, True) for raw, values in found for value in values]
    rows += [(raw, raw.lower(), False) for raw, values in found if not values]
    raws, values, valid = zip(*rows, strict=True) if rows else ((), (), ())
    duck.append_arrow(
        addresses,
        pa.table(
            {
                "raw": pa.array(raws, pa.string()),
                "value": pa.array(values, pa.string()),
                "valid": pa.array(valid, pa.bool_()),
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
