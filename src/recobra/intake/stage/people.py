"""Debtors and their contact points out of the good rows, each once, with what is known about their validity."""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from recobra.intake.stage.load_context import Job

from . import identity, phones
from .columns import literal

LONGEST_POINT: Final = 500  # the index on values holds no more than some 2,700 bytes
_EMAIL: Final = (
    r"[a-z0-9!#$%&''*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&''*+/=?^_`{|}~-]+)*"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)


def gather(job: Job) -> None:
    """Make `people` (one row per debtor key) and `points` (key, kind, value, line, valid)."""
    _people(job)
    _validate_ids(job)
    _points(job)


def _people(job: Job) -> None:
    names = ("name", "kind", "national_id_kind", "national_id", "subdivision", "time_zone")
    own = f"SELECT debtor AS key, line, {', '.join(names)} FROM good"
    parties = [
        f"SELECT {party_key(job, n)} AS key, line + 0.5, party_{n}_name, 'PERSON', "
        f"{_party_kind(job, n)}, {_bare(n)}, NULL, NULL FROM good WHERE {party_named(n)}"
        for n in range(len(job.document.parties))
    ]
    first = ", ".join(f"arg_min({name}, line) AS {name}" for name in names)
    everybody = " UNION ALL ".join([own, *parties])
    job.run(f"CREATE OR REPLACE TABLE people AS SELECT key, {first} FROM ({everybody}) GROUP BY key")


def party_key(job: Job, position: int) -> str:
    """Return SQL for the debtor key of a co-debtor or guarantor: the national id, else account and place.

    Never a customer number, which may be another person's: that of a debtor with the same figures.
    """
    by_id = identity.id_key(_bare(position), job.document.options.id_zeros)
    return f"coalesce({by_id}, 'party:' || account || ':{position + 1}')"


def party_named(position: int) -> str:
    """Return SQL that tells if a row names the person at all."""
    return f"coalesce(party_{position}_name, party_{position}_national_id) IS NOT NULL"


def _bare(position: int) -> str:
    return f"nullif(regexp_replace(upper(party_{position}_national_id), '[^0-9A-ZÑ&]', '', 'g'), '')"


def _party_kind(job: Job, position: int) -> str:
    person = identity.KINDS.get(job.owner.country, (identity.Kind("", ""),))[0].code
    return f"CASE WHEN party_{position}_national_id IS NULL THEN '' ELSE {literal(person)} END"


def _validate_ids(job: Job) -> None:
    """Add `national_id_valid` to `people`: patterns in SQL, check digits by stdnum on distinct values."""
    patterns = identity.pattern_only()
    cases = " ".join(
        f"WHEN national_id_kind = {literal(code)} THEN regexp_full_match(national_id, {literal(pattern)})"
        for code, pattern in patterns.items()
    )
    by_library = ", ".join(literal(code) for code in identity.catalogue() if code not in patterns)
    pairs = job.connection.execute(
        "SELECT DISTINCT national_id_kind, national_id FROM people WHERE national_id IS NOT NULL "
        f"AND national_id_kind IN ({by_library})"
    ).fetchall()
    judged = identity.are_valid(pairs)
    job.put(
        "judged",
        pa.table(
            {
                "national_id_kind": pa.array([code for code, _value in pairs], pa.string()),
                "national_id": pa.array([value for _code, value in pairs], pa.string()),
                "verdict": pa.array(judged, pa.bool_()),
            }
        ),
    )
    job.run(
        f"CREATE OR REPLACE TABLE people AS SELECT people.*, CASE {cases} ELSE verdict END AS national_id_valid "
        "FROM people LEFT JOIN judged USING (national_id_kind, national_id)"
    )


def _points(job: Job) -> None:
    given = [
        f"SELECT debtor AS key, '{kind}' AS kind, {column} AS raw FROM good WHERE {column} IS NOT NULL"
        for kind, column in _point_columns(job)
    ]
    for n, party in enumerate(job.document.parties):
        for kind, part in (("PHONE", "phone"), ("EMAIL", "email")):
            if part in party.fields:
                column = f"party_{n}_{part}"
                given.append(
                    f"SELECT {party_key(job, n)}, '{kind}', {column} FROM good "
                    f"WHERE {column} IS NOT NULL AND {party_named(n)}"
                )
    job.run(f"CREATE OR REPLACE TABLE given AS SELECT DISTINCT key, kind, raw FROM ({' UNION ALL '.join(given)})")
    _split_lists(job)
    _parse_phones(job)
    address = f"left(regexp_replace(raw, '\\s+', ' ', 'g'), {LONGEST_POINT})"
    job.run(
        "CREATE OR REPLACE TABLE points AS SELECT key, kind, value, any_value(line) AS line, any_value(valid) AS valid "
        f"FROM (SELECT key, kind, left(value, {LONGEST_POINT}) AS value, line, valid FROM given JOIN "
        "parsed USING (raw) "
        "WHERE kind = 'PHONE' AND value <> '' UNION ALL "
        f"SELECT key, kind, left(lower(raw), {LONGEST_POINT}), '', regexp_full_match(lower(raw), '{_EMAIL}') "
        f"AND length(raw) <= 254 FROM given WHERE kind = 'EMAIL' UNION ALL "
        f"SELECT key, kind, {address}, '', true FROM given WHERE kind = 'ADDRESS') GROUP BY key, kind, value"
    )
    job.run("DROP TABLE given")


def _point_columns(job: Job) -> list[tuple[str, str]]:
    phones_ = [("PHONE", f"phone_{n}") for n in range(len(job.document.phones))]
    emails = [("EMAIL", f"email_{n}") for n in range(len(job.document.emails))]
    return [*phones_, *emails, ("ADDRESS", "address")]


def _split_lists(job: Job) -> None:
    """Part cells that hold several numbers or addresses: «987654321 / 912345678»."""
    several = "kind <> 'ADDRESS' AND regexp_matches(raw, '[;,|]|\\s/\\s|\\d{6}/\\d{6}')"
    job.run(
        f"INSERT INTO given SELECT DISTINCT key, kind, part FROM (SELECT key, kind, "
        f"trim(unnest(string_split_regex(raw, '[;,|/]'))) AS part FROM given WHERE {several}) WHERE part <> ''"
    )
    job.run(f"DELETE FROM given WHERE {several}")


def _parse_phones(job: Job) -> None:
    """Make `parsed` (raw, value, line, valid) for every distinct phone."""
    job.run(
        "CREATE OR REPLACE TABLE numbers AS SELECT DISTINCT raw, "
        "regexp_replace(regexp_replace(raw, '\\.0+$', ''), '[\\s().\\-]', '', 'g') AS plain FROM "
        "given WHERE kind = 'PHONE'"
    )
    plan = phones.plan(job.owner.country)
    if plan is None:
        job.run("CREATE OR REPLACE TABLE parsed (raw VARCHAR, value VARCHAR, line VARCHAR, valid BOOLEAN)")
    else:
        job.run(
            "CREATE OR REPLACE TABLE parsed AS SELECT raw, "
            f"CASE WHEN ok THEN '+{plan.calling_code}' || national ELSE regexp_replace(raw, '\\D', "
            "'', 'g') END AS value, "
            "CASE WHEN ok THEN line ELSE '' END AS line, ok AS valid FROM (SELECT raw, national, "
            f"{plan.valid} AS ok, {plan.line} AS line FROM (SELECT raw, {plan.national} AS national FROM numbers "
            f"WHERE regexp_full_match(plain, '\\+?\\d{{4,17}}')) WHERE {plan.decides})"
        )
    rest = [raw for (raw,) in job.connection.execute("SELECT raw FROM numbers ANTI JOIN parsed USING (raw)").fetchall()]
    answers = phones.parse_many([raw.removesuffix(".0") for raw in rest], job.owner.country)
    job.put(
        "by_library",
        pa.table(
            {
                "raw": pa.array(rest, pa.string()),
                "value": pa.array([value for value, _line, _valid in answers], pa.string()),
                "line": pa.array([line for _value, line, _valid in answers], pa.string()),
                "valid": pa.array([valid for _value, _line, valid in answers], pa.bool_()),
            }
        ),
    )
    job.run("INSERT INTO parsed SELECT * FROM by_library")
    job.run("DROP TABLE numbers")
