"""Checks of the parsed rows: one query per rule over the whole table; a row keeps all its errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

from recobra.intake.load_context import LoadContext
from recobra.intake.refusals import LoadRefused
from recobra.intake.relations import CheckedRows, FileChanges, FileRows, RowKeys
from recobra.intake.workspace import Relation, Workspace

from . import amounts, dates, rows
from .columns import literal
from .rows import Notation

# The file is refused whole where so large a share of its rows is rejected, and no fewer rows than these.
REFUSE_SHARE = 0.9
REFUSE_FROM_ROWS = 10
LONGEST_EXAMPLE = 60  # characters of a wrong value in the text of a refusal
LONGEST_VALUE = 200  # characters of a wrong value kept with its row
LONGEST_KEY = 200  # keys are indexed


@dataclass(frozen=True)
class Rule:
    """Parsed rows for which the SQL condition `wrong` is true have an error in a column.

    `column` is its name in the file, `value` the SQL of what is shown as wrong, `params` the facts of the message,
    `target` the place in the mapping.
    """

    column: str
    code: str
    wrong: str
    value: str
    params: dict[str, Any] = field(default_factory=dict)
    target: str = ""


def check_rows(
    context: LoadContext, duck: Workspace, file: FileRows, keys: RowKeys, parsed: Relation, *, notation: Notation
) -> CheckedRows:
    """Return the good rows, the rejected ones and their errors; `file.raw` and `parsed` are dropped."""
    queries = [
        f"SELECT line, {literal(rule.column)} AS col, {literal(rule.code)} AS code, "
        f"{literal(json.dumps(rule.params))} AS params, left({rule.value}, {LONGEST_VALUE}) AS value, "
        f"{literal(rule.target)} AS target FROM {parsed} WHERE {rule.wrong}"
        for rule in _list_rules(context, file, notation)
    ]
    errors = duck.create("row_errors", " UNION ALL ".join(queries))
    duck.execute(f"INSERT INTO {errors} SELECT line, col, code, params, value, '' FROM {file.broken}")
    duck.execute(
        f"INSERT INTO {errors} SELECT line, ?, 'duplicate', json_object('lines', lines), account, "
        f"'account.external_id' FROM {keys.duplicates} JOIN {keys.rows} USING (line)",
        [file.columns.label(context.document.fields["account.external_id"])],
    )
    if context.has_several_rows:
        duck.execute(
            f"""
            INSERT INTO {errors}
            SELECT line, ?, 'two_debtors', '{{}}', coalesce(x_debtor, national_id, account), 'debtor.external_id'
            FROM {parsed} SEMI JOIN (
                SELECT account FROM {parsed} GROUP BY account HAVING count(DISTINCT debtor) > 1
            ) of_several_debtors USING (account)
            """,
            [file.columns.label(context.document.fields.get("debtor.external_id"))],
        )
    rejected = duck.create("rejected_lines", f"SELECT DISTINCT line FROM {errors}")
    # Of a million rows only what the next steps need is kept: texts of the rejected ones, typed columns of the good.
    wrong = duck.create("wrong_rows", f"SELECT * FROM {file.raw} SEMI JOIN {rejected} USING (line)")
    duck.drop(file.raw)
    columns = [name for name, *_rest in duck.fetch_all(f"DESCRIBE {parsed}")]
    typed = ", ".join(name for name in columns if not name.startswith(("x_", "n_", "attribute_")))
    good = duck.create("good_rows", f"SELECT {typed} FROM {parsed} ANTI JOIN {rejected} USING (line)")
    duck.drop(parsed)
    return CheckedRows(good, wrong, rejected, errors)


def refuse_if_not_as_mapped(duck: Workspace, file: FileRows, changes: FileChanges, checked: CheckedRows) -> None:
    """Refuse the file whole where nearly no row is what the mapping says. Raises LoadRefused."""
    read = duck.count(changes.rows) + duck.count(file.broken)
    rejected = duck.count(checked.rejected)
    if rejected < max(REFUSE_FROM_ROWS, REFUSE_SHARE * read):
        return
    column, count, value = duck.fetch_row(
        f"SELECT col, count(*), min(value) FROM {checked.errors} GROUP BY col ORDER BY count(*) DESC, col LIMIT 1"
    )
    example = (value or "")[:LONGEST_EXAMPLE]
    raise LoadRefused("not_as_mapped", rejected=rejected, rows=read, count=count, column=column, value=example)


def _list_rules(context: LoadContext, file: FileRows, notation: Notation) -> Iterator[Rule]:
    """Yield every rule for the parsed rows of this file."""
    fields = context.document.fields
    label = file.columns.label
    yield Rule(
        label(fields["account.external_id"]), "missing", "account IS NULL", "account", target="account.external_id"
    )
    yield from _amount_rules(context, file, notation)
    yield from _date_rules(context, file, notation)
    yield from _code_rules(context, file)
    yield from _attribute_rules(context, file, notation)
    if "currency" in fields:
        wrong = f"x_currency IS NOT NULL AND upper(x_currency) <> {literal(context.portfolio.currency)}"
        yield Rule(
            label(fields["currency"]),
            "currency",
            wrong,
            "x_currency",
            {"currency": context.portfolio.currency},
            "currency",
        )


def _amount_rules(context: LoadContext, file: FileRows, notation: Notation) -> Iterator[Rule]:
    """Yield the rules for amounts: some amount given, readable, of a possible size, in the portfolio's currency."""
    sources = context.document.amounts()
    decimals = context.decimals
    nothing = " AND ".join(f"x_{concept} IS NULL" for concept in sources)
    first = next(iter(sources))
    yield Rule(file.columns.label(sources[first]), "missing", nothing, f"x_{first}", {}, "balance")
    for concept, source in sources.items():
        label = file.columns.label(source)
        text = f"x_{concept}"
        number = f"d_{concept}"
        plain_number = f"n_{concept}"
        # A number with more digits than any amount has no typed value.
        absurd = f"({number} IS NULL AND {plain_number} IS NOT NULL OR abs({number}) >= {amounts.ABSURD})"
        target = f"amounts.{concept.lower()}"
        example = {"example": amounts.example_amount(notation.decimal_mark)}
        yield Rule(label, "amount", f"{text} IS NOT NULL AND {plain_number} IS NULL", text, example, target)
        yield Rule(label, "amount_absurd", absurd, text, {"limit": f"{amounts.ABSURD}"}, target)
        yield Rule(label, "amount_negative", f"{number} < 0", text, {}, target)
        named_currency = amounts.currency_sql(text)
        # Most amounts are figures alone and need no search for a currency.
        has_words = f"(upper({text}) <> lower({text}) OR contains({text}, '€'))"
        foreign = f"{has_words} AND {named_currency} NOT IN ('', {literal(context.portfolio.currency)})"
        yield Rule(label, "currency", foreign, text, {"currency": context.portfolio.currency}, target)
        fraction = f"{number} <> round({number}, {decimals})"
        limits = {"decimals": decimals, "currency": context.portfolio.currency}
        yield Rule(label, "amount_decimals", fraction, text, limits, target)


def _date_rules(context: LoadContext, file: FileRows, notation: Notation) -> Iterator[Rule]:
    """Yield the rules for dates: readable, and in a century in which debts fall due."""
    for name, target in rows.DATES.items():
        if target not in context.document.fields:
            continue
        label = file.columns.label(context.document.fields[target])
        example = {"example": dates.example_date(notation.date_orders[name])}
        yield Rule(label, "date", f"x_{name} IS NOT NULL AND {name} IS NULL", f"x_{name}", example, target)
        yield Rule(label, "date_absurd", f"year({name}) NOT BETWEEN 1900 AND 2199", f"x_{name}", {}, target)


def _code_rules(context: LoadContext, file: FileRows) -> Iterator[Rule]:
    """Yield the rules for product, kind of debtor and time zone, and for the length of what is indexed."""
    fields = context.document.fields
    label = file.columns.label
    if "account.product" in fields:
        params = {"known": ", ".join(rows.PRODUCTS)}
        yield Rule(
            label(fields["account.product"]), "product", "product IS NULL", "x_product", params, "account.product"
        )
    if "debtor.kind" in fields:
        params = {"known": ", ".join(rows.KINDS)}
        yield Rule(label(fields["debtor.kind"]), "kind", "kind IS NULL", "x_kind", params, "debtor.kind")
    if "debtor.time_zone" in fields:
        zones = ", ".join(literal(zone) for zone in sorted(available_timezones()))
        wrong = f"time_zone IS NOT NULL AND time_zone NOT IN ({zones})"
        yield Rule(label(fields["debtor.time_zone"]), "time_zone", wrong, "time_zone", {}, "debtor.time_zone")
    account = label(fields["account.external_id"])
    lengths = (
        ("account", account, "account.external_id"),
        ("x_debtor", label(fields.get("debtor.external_id")), "debtor.external_id"),
        ("national_id", label(fields.get("debtor.national_id")), "debtor.national_id"),
        ("number", label(fields.get("instalment.number")), "instalment.number"),
    )
    for name, column, target in lengths:
        wrong = f"length({name}) > {LONGEST_KEY}"
        yield Rule(column or account, "length", wrong, name, {"limit": LONGEST_KEY}, target)


def _attribute_rules(context: LoadContext, file: FileRows, notation: Notation) -> Iterator[Rule]:
    """Yield a rule for each attribute that is not plain text: its value must be of the declared type."""
    for n, attribute in enumerate(context.document.attributes):
        if attribute.type == "text":
            continue
        typed = rows.attribute_sql(n, attribute.type, attribute.name, notation)
        wrong = f"attribute_{n} IS NOT NULL AND {typed} IS NULL"
        params = {"example": dates.example_date("ymd")} if attribute.type == "date" else {}
        yield Rule(
            file.columns.label(attribute.source),
            attribute.type,
            wrong,
            f"attribute_{n}",
            params,
            f"attributes.{attribute.name}",
        )
