"""SQL for the keys by which the rows of a file tell debtors apart."""

from __future__ import annotations


def debtor_key(zeros: str) -> str:
    """Return SQL for the key of a row's debtor: the customer number, else the national id, else the account.

    What the creditor did not call a customer number gets a prefix, so that it never meets a customer number.
    """
    number = _without_zeros_sql("x_debtor") if zeros == "strip" else "x_debtor"
    # Customer numbers that look like a prefixed key are prefixed too; the test for «:» spares most rows the pattern.
    looks_prefixed = "contains(x_debtor, ':') AND regexp_matches(x_debtor, '^(number|id|account|party):')"
    return (
        f"CASE WHEN {looks_prefixed} THEN 'number:' || {number} "
        f"WHEN x_debtor IS NOT NULL THEN {number} "
        f"ELSE coalesce({id_key('national_id', zeros)}, 'account:' || account) END"
    )


def id_key(national_id: str, zeros: str) -> str:
    """Return SQL for the key of a person known by a national id alone; NULL where there is none."""
    bare = _without_zeros_sql(national_id) if zeros == "strip" else national_id
    return f"'id:' || {bare}"


def _without_zeros_sql(text: str) -> str:
    """Return SQL for a text without its leading zeros; one of zeros alone stays."""
    return f"coalesce(nullif(ltrim({text}, '0'), ''), {text})"
