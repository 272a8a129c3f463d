"""What the rows of a file say is owed, also of those that are not accepted: together they are the file's money."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from recobra.intake.load_context import LoadContext
from recobra.intake.mapping import Source
from recobra.intake.relations import CheckedRows, FileRows, StatedDebts
from recobra.tabular import amounts
from recobra.tabular.sql_text import literal
from recobra.tabular.workspace import Workspace
from recobra_core.money import EXPONENTS, from_minor

from .currencies import stated_currency_sql
from .rows import Notation

# Totals and repeated headers say once more what other rows say: their rows count, and they hold no money.
_NO_MONEY: Final = ("header", "total")
_LONGEST_CODE: Final = 4


@dataclass(frozen=True)
class Sums:
    """What some rows owe: by currency in major units, and how many of them have an amount that cannot be read."""

    rows: int
    amounts: dict[str, str]
    unread: int


def describe_money(
    context: LoadContext,
    duck: Workspace,
    file: FileRows,
    checked: CheckedRows,
    stated: StatedDebts,
    *,
    accepted: int,
    notation: Notation,
) -> list[dict[str, Any]]:
    """Return the file's money by what became of it: part, rows, amounts by currency, rows without a readable amount.

    The parts are `accepted`, `rejected` and each reason for setting aside; the last, `file`, is all of them together
    and has every row of the file.
    """
    (amount_minor,) = duck.fetch_row(f"SELECT coalesce(sum(amount_minor), 0)::BIGINT FROM {stated.accepted}")
    own = context.portfolio.currency
    amount = _write(from_minor(amount_minor, own), decimals=context.decimals)
    sums = {"accepted": Sums(accepted, {own: amount}, 0)}
    columns = ", ".join(f"c{at}" for at in range(len(file.headers)))
    rejected = Sums(0, {}, 0)
    # Planning the sum of no rows takes as long as that of a thousand.
    if duck.count(checked.wrong):
        rejected = sum_money(context, duck, file, notation, rows=f"SELECT {columns} FROM {checked.wrong}")
    # The cells of a broken row are not where the header has them, so none of them is surely its amount.
    broken = duck.count(file.broken)
    sums["rejected"] = Sums(rejected.rows + broken, rejected.amounts, rejected.unread + broken)
    codes = duck.fetch_all(f"SELECT code, count(*) FROM {file.aside} GROUP BY code ORDER BY code")
    for code, count in codes:
        if code in _NO_MONEY:
            sums[code] = Sums(count, {}, 0)
        else:
            cells = cells_of(file, f"SELECT cells FROM {file.aside} WHERE code = {literal(code)}")
            sums[code] = sum_money(context, duck, file, notation, rows=cells)
    given = {part: each for part, each in sums.items() if each.rows}
    given["file"] = _add_up(context, list(given.values()))
    return [
        {"part": part, "rows": each.rows, "amounts": each.amounts, "unread": each.unread}
        for part, each in given.items()
    ]


def _add_up(context: LoadContext, sums: list[Sums]) -> Sums:
    """Return the sums of all parts together."""
    totals: dict[str, Decimal] = {}
    for each in sums:
        for currency, amount in each.amounts.items():
            totals[currency] = totals.get(currency, Decimal(0)) + Decimal(amount)
    amounts_by_currency = {
        currency: _write(total, decimals=EXPONENTS.get(currency, context.decimals))
        for currency, total in totals.items()
    }
    return Sums(sum(each.rows for each in sums), amounts_by_currency, sum(each.unread for each in sums))


def cells_of(file: FileRows, query: str) -> str:
    """Return SQL for rows that are kept as JSON (`cells`) laid out in columns c0, c1, …."""
    cells = ", ".join(f"nullif(cells->>'$[{at}]', '') AS c{at}" for at in range(len(file.headers)))
    return f"SELECT {cells} FROM ({query})"


def sum_money(context: LoadContext, duck: Workspace, file: FileRows, notation: Notation, *, rows: str) -> Sums:
    """Return what rows say is owed; `rows` is a query of c0, c1, …, as `file.raw` has them."""
    document = context.document
    sources = list(document.amount_sources().values())
    owed = [_number(file, source, notation) for source in sources]
    paid = f" - coalesce({_number(file, document.paid, notation)}, 0)" if document.paid else ""
    amount = " + ".join(f"coalesce({number}, 0)" for number in owed) + paid
    texts = [file.columns.text(source) for source in sources]
    is_unread = " OR ".join(
        [
            *(f"({text} IS NOT NULL AND {number} IS NULL)" for text, number in zip(texts, owed, strict=True)),
            f"coalesce({', '.join(texts)}) IS NULL",
        ]
    )
    own = literal(context.portfolio.currency)
    stated = stated_currency_sql(context, file.columns)
    # What is longer than a code is another column's text, perhaps a name.
    currency = f"CASE WHEN length({stated}) > {_LONGEST_CODE} THEN '?' ELSE coalesce(nullif({stated}, ''), {own}) END"
    found = duck.fetch_all(
        f"SELECT {currency} AS currency, count(*), sum({amount}), count(*) FILTER (WHERE {is_unread}) FROM ({rows}) "
        "GROUP BY currency ORDER BY currency"
    )
    totals = {
        name: _write(total, decimals=EXPONENTS.get(name, context.decimals))
        for name, _count, total, unread in found
        if total or not unread
    }
    return Sums(sum(count for _name, count, *_rest in found), totals, sum(unread for *_rest, unread in found))


def _number(file: FileRows, source: Source, notation: Notation) -> str:
    number = amounts.number_sql(file.columns.text(source), notation.decimal_mark, is_typed=notation.is_typed)
    return f"TRY_CAST({number} AS DECIMAL(18, 4))"


def _write(amount: Decimal, *, decimals: int) -> str:
    """Return an amount with these decimals, or with all that it has where they are more."""
    rounded = round(amount, decimals)
    return f"{rounded if rounded == amount else amount.normalize():f}"
