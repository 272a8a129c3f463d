"""Debtors, co-debtors and their contact points in the good rows, each once and checked for validity."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from recobra.intake.load_context import LoadContext
from recobra.intake.relations import CheckedRows, People
from recobra.intake.workspace import Relation, Workspace

from . import identity, phones
from .columns import literal

LONGEST_POINT: Final = 500  # the index on values holds no more than some 2,700 bytes
_EMAIL: Final = (
    r"[a-z0-9!#$%&''*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&''*+/=?^_`{|}~-]+)*"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)


def collect_people(context: LoadContext, duck: Workspace, checked: CheckedRows) -> People:
    """Return one row for each person or company of the good rows, and their contact points."""
    names = ("name", "kind", "national_id_kind", "national_id", "subdivision", "time_zone")
    debtors = f"SELECT debtor AS key, line, {', '.join(names)} FROM {checked.good}"
    # The id of a co-debtor or guarantor is taken for that of a person.
    id_kind = literal(identity.KINDS.get(context.portfolio.country, (identity.Kind("", ""),))[0].code)
    # Half a line later, so that what a row says of its debtor comes before what it says of others.
    parties = [
        f"SELECT {party_key(context, n)} AS key, line + 0.5, party_{n}_name, 'PERSON', "
        f"CASE WHEN party_{n}_national_id IS NULL THEN '' ELSE {id_kind} END, {_bare_id(n)}, NULL, NULL "
        f"FROM {checked.good} WHERE {is_party_named(n)}"
        for n in range(len(context.document.parties))
    ]
    first = ", ".join(f"arg_min({name}, line) AS {name}" for name in names)
    people = duck.create("people", f"SELECT key, {first} FROM ({' UNION ALL '.join([debtors, *parties])}) GROUP BY key")
    return People(_validate_ids(duck, people), _collect_points(context, duck, checked))


def party_key(context: LoadContext, position: int) -> str:
    """Return SQL for the debtor key of a co-debtor or guarantor: the national id, else account and place.

    Never a customer number, which may be another person's: that of a debtor with the same figures.
    """
    by_id = identity.id_key(_bare_id(position), context.document.options.id_zeros)
    return f"coalesce({by_id}, 'party:' || account || ':{position + 1}')"


def is_party_named(position: int) -> str:
    """Return SQL for whether a row names the co-debtor or guarantor at all."""
    return f"coalesce(party_{position}_name, party_{position}_national_id) IS NOT NULL"


def _bare_id(position: int) -> str:
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
    document = context.document
    columns = [
        *(("PHONE", f"phone_{n}") for n in range(len(document.phones))),
        *(("EMAIL", f"email_{n}") for n in range(len(document.emails))),
        ("ADDRESS", "address"),
    ]
    queries = [
        f"SELECT debtor AS key, '{kind}' AS kind, {column} AS raw FROM {checked.good} WHERE {column} IS NOT NULL"
        for kind, column in columns
    ]
    for n, party in enumerate(document.parties):
        for kind, part in (("PHONE", "phone"), ("EMAIL", "email")):
            if part in party.fields:
                column = f"party_{n}_{part}"
                queries.append(
                    f"SELECT {party_key(context, n)}, '{kind}', {column} FROM {checked.good} "
                    f"WHERE {column} IS NOT NULL AND {is_party_named(n)}"
                )
    texts = duck.create("point_texts", f"SELECT DISTINCT key, kind, raw FROM ({' UNION ALL '.join(queries)})")
    # Some cells hold several numbers or addresses: «987654321 / 912345678».
    has_several = "kind <> 'ADDRESS' AND regexp_matches(raw, '[;,|]|\\s/\\s|\\d{6}/\\d{6}')"
    duck.execute(
        f"INSERT INTO {texts} SELECT DISTINCT key, kind, part FROM (SELECT key, kind, "
        f"trim(unnest(string_split_regex(raw, '[;,|/]'))) AS part FROM {texts} WHERE {has_several}) WHERE part <> ''"
    )
    duck.execute(f"DELETE FROM {texts} WHERE {has_several}")
    phone_numbers = _parse_phones(context, duck, texts)
    address = f"left(regexp_replace(raw, '\\s+', ' ', 'g'), {LONGEST_POINT})"
    points = duck.create(
        "contact_points",
        "SELECT key, kind, value, any_value(line) AS line, any_value(valid) AS valid "
        f"FROM (SELECT key, kind, left(value, {LONGEST_POINT}) AS value, line, valid FROM {texts} JOIN "
        f"{phone_numbers} USING (raw) WHERE kind = 'PHONE' AND value <> '' UNION ALL "
        f"SELECT key, kind, left(lower(raw), {LONGEST_POINT}), '', regexp_full_match(lower(raw), '{_EMAIL}') "
        f"AND length(raw) <= 254 FROM {texts} WHERE kind = 'EMAIL' UNION ALL "
        f"SELECT key, kind, {address}, '', true FROM {texts} WHERE kind = 'ADDRESS') GROUP BY key, kind, value",
    )
    duck.drop(texts)
    return points


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
            "SELECT raw, "
            f"CASE WHEN ok THEN '+{sql.calling_code}' || national ELSE regexp_replace(raw, '\\D', "
            "'', 'g') END AS value, "
            "CASE WHEN ok THEN line ELSE '' END AS line, ok AS valid FROM (SELECT raw, national, "
            f"{sql.valid} AS ok, {sql.line} AS line FROM (SELECT raw, {sql.national} AS national FROM {numbers} "
            f"WHERE regexp_full_match(plain, '\\+?\\d{{4,17}}')) WHERE {sql.decides})",
        )
    # What SQL does not decide, the library does: slower, and only a few.
    undecided = [raw for (raw,) in duck.fetch_all(f"SELECT raw FROM {numbers} ANTI JOIN {parsed} USING (raw)")]
    answers = phones.parse_many([raw.removesuffix(".0") for raw in undecided], country)
    duck.append_arrow(
        parsed,
        pa.table(
            {
                "raw": pa.array(undecided, pa.string()),
                "value": pa.array([value for value, _line, _valid in answers], pa.string()),
                "line": pa.array([line for _value, line, _valid in answers], pa.string()),
                "valid": pa.array([valid for _value, _line, valid in answers], pa.bool_()),
            }
        ),
    )
    duck.drop(numbers)
    return parsed
