"""Files of the bench: half as many debtors as accounts, twelve columns of contact data, realistic arrears."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb

# Pseudo-random numbers, the same on every machine and version of the engine.
# The multipliers and the modulus are those of well-known linear congruential generators.
_RANDOM = "(({of} * 48271 + {salt}) * 69621 % 2147483647)"
# Days past due by a draw `r` of a hundred, spread within each range by a second draw `x`; negative before the due date.
_DAYS_LATE = """CASE WHEN r < 14 THEN -25 + x % 20 WHEN r < 26 THEN -5 + x % 6 WHEN r < 39 THEN 1 + x % 5
    WHEN r < 53 THEN 6 + x % 10 WHEN r < 66 THEN 16 + x % 15 WHEN r < 79 THEN 31 + x % 30
    WHEN r < 87 THEN 61 + x % 30 WHEN r < 95 THEN 91 + x % 90 ELSE 181 + x % 180 END"""


def write_day_file(path: Path, *, accounts: int, first_day: date, later: bool = False) -> Path:
    """Write the file of a day and return its path.

    Without `later` it is the first day's. The later day differs in 5 of 100 accounts: 3 paid a part, 1 is gone, 1 is
    replaced by a new one.
    """
    duckdb.connect().execute(_copy_statement(accounts, later=later), {"day": first_day, "file": str(path)})
    return path


def _random(of: str, salt: int) -> str:
    """Return the SQL of a number drawn by the value of a column; each salt makes an independent draw."""
    return _RANDOM.format(of=of, salt=salt)


def _copy_statement(accounts: int, *, later: bool) -> str:
    """Return the COPY statement of a day's file.

    An account is drawn by its number `a`, and its debtor, who has two of them, by `d`. `change` of an account, a draw
    of a hundred, says what becomes of it by the later day: below 3 it paid a half, 3 is gone, 4 is a new account. The
    other draws: `r` and `x` its arrears, `minor` its amount, `p` the debtor's telephones, `q` the e-mail addresses, `y`
    the rest.
    """
    number = f"CASE WHEN change = 4 THEN a + {accounts} ELSE a END" if later else "a"
    owed = "CASE WHEN change < 3 THEN minor // 2 ELSE minor END" if later else "minor"
    return f"""
    COPY (
        WITH account AS (SELECT range AS a, range // 2 AS d FROM range({accounts})),
        drawn AS (
            SELECT a, d, {_random("a", 1)} % 100 AS r, {_random("a", 2)} AS x, {_random("a", 3)} % 100 AS change,
                {_random("d", 4)} AS y, {_random("d", 5)} % 100 AS p, {_random("d", 6)} % 100 AS q
            FROM account),
        priced AS (SELECT *, 5000 + x % 195000 AS minor FROM drawn)
        SELECT printf('CR%09d', {number}) AS cuenta, printf('CL%08d', d) AS cliente,
            printf('%08d', 10000000 + d * 7) AS dni, 'Persona ' || d || ' Apellido ' || y % 9973 AS nombre,
            CAST($day AS DATE) - CAST({_DAYS_LATE} AS INTEGER) AS vencimiento,
            CAST($day AS DATE) - CAST(400 + x % 900 AS INTEGER) AS apertura,
            printf('%.2f', {owed} / 100.0) AS capital,
            printf('%.2f', minor // 10 / 100.0) AS interes,
            CASE WHEN p < 90 THEN printf('9%08d', d) END AS celular,
            CASE WHEN p % 4 = 0 THEN printf('01%07d', 2000000 + d) END AS telefono,
            CASE WHEN p % 10 = 3 THEN printf('01%07d', 5000000 + d) END AS trabajo,
            CASE WHEN p < 30 THEN printf('9%08d', d) END AS whatsapp,
            CASE WHEN q < 72 THEN 'persona.' || d || '@example.com' END AS correo,
            CASE WHEN q < 12 THEN 'persona.' || d || '@example.org' END AS correo_2,
            CASE WHEN q < 3 THEN 'persona.' || d || '@example.net' END AS correo_3,
            'Calle ' || y % 997 || ' ' || d % 900 AS direccion, 'Distrito ' || y % 43 AS distrito,
            'Ciudad ' || y % 25 AS ciudad, 'Region ' || y % 25 AS region, printf('%05d', y % 25000) AS postal
        FROM priced {"WHERE change <> 3" if later else ""} ORDER BY a
    ) TO $file (HEADER, DELIMITER ',')"""
