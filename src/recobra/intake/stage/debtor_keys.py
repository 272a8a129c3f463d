"""SQL for the keys by which the rows of a file tell debtors apart.

Two rows are of one debtor only where something proves it: the creditor's customer number, or a valid national id. An
id that stands in for none, or is not valid, proves nobody, so those rows have the account for a key.
"""

from __future__ import annotations

from recobra.tabular import identity, stand_ins
from recobra.tabular.sql_text import fold, literal

from . import identities


def debtor_key(country: str, zeros: str) -> str:
    """Return SQL for the key of a row's debtor: the customer number, else the proved national id, else the account.

    What the creditor did not call a customer number gets a prefix, so that it never meets a customer number. The row
    has `verdict` beside `national_id` and `national_id_kind`.
    """
    proved = id_key("national_id", kind="national_id_kind", verdict="verdict", name="name", zeros=zeros)
    # Most numbers are figures that do not begin with a zero and need no pattern.
    is_number = "regexp_full_match(x_debtor, '[1-9][0-9]*')"
    no_number = f"NOT {is_number} AND regexp_full_match(upper(x_debtor), {literal(stand_ins.number_pattern(country))})"
    # Where the document is mapped as the number, what stands for no document is no number either.
    is_document = f"verdict = '{identity.STAND_IN}' AND {identities.bare_sql('x_debtor')} = national_id"
    return (
        f"CASE WHEN x_debtor IS NOT NULL AND NOT ({no_number}) AND ({is_document}) IS DISTINCT FROM true "
        f"THEN {_number_key(zeros)} ELSE coalesce({proved}, 'account:' || account) END"
    )


def old_debtor_key(zeros: str) -> str:
    """Return SQL for the key that the row had in earlier versions, whatever its number or id proved."""
    old_id = old_id_key("national_id", zeros)
    return (
        f"CASE WHEN x_debtor IS NOT NULL THEN {_number_key(zeros)} ELSE coalesce({old_id}, 'account:' || account) END"
    )


def _number_key(zeros: str) -> str:
    """Return SQL for the key that a customer number makes."""
    number = _without_zeros_sql("x_debtor") if zeros == "strip" else "x_debtor"
    # Customer numbers that look like a prefixed key are prefixed too; the test for «:» spares most rows the pattern.
    looks_prefixed = "contains(x_debtor, ':') AND regexp_matches(x_debtor, '^(number|id|account|party)(@[0-9]+)?:')"
    return f"CASE WHEN {looks_prefixed} THEN 'number:' || {number} ELSE {number} END"


def id_key(national_id: str, *, kind: str, verdict: str, name: str, zeros: str) -> str:
    """Return SQL for the key of a person known by a national id alone; NULL where it proves nobody.

    A doubtful id needs the same name as a second proof.
    """
    key = old_id_key(national_id, zeros)
    bare_name = f"regexp_replace({fold(name)}, '[^a-z0-9]', '', 'g')"
    shared = ", ".join(literal(code) for code in sorted(identity.SHARED))
    return (
        f"CASE WHEN {verdict} = '{identity.PROOF}' AND {kind} IN ({shared}) THEN 'id:' || {kind} || substr({key}, 3) "
        f"WHEN {verdict} = '{identity.PROOF}' THEN {key} "
        f"WHEN {verdict} = '{identity.DOUBTFUL}' AND {bare_name} <> '' "
        f"THEN {key} || ':' || md5({bare_name}) END"
    )


def old_id_key(national_id: str, zeros: str) -> str:
    """Return SQL for the key that any national id made, whatever it proved, in earlier versions."""
    bare = _without_zeros_sql(national_id) if zeros == "strip" else national_id
    return f"'id:' || {bare}"


def _without_zeros_sql(text: str) -> str:
    """Return SQL for a text without its leading zeros; one of zeros alone stays."""
    return f"coalesce(nullif(ltrim({text}, '0'), ''), {text})"
