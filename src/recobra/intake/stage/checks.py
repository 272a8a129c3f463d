"""Checks of the parsed rows: one query per rule over the whole table; a row keeps all its errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from zoneinfo import available_timezones

from recobra.intake.load_context import LoadContext
from recobra.intake.refusals import LoadRefused
from recobra.intake.relations import AlikeNumbers, CheckedRows, FileRows, RowKeys
from recobra.tabular import amounts, dates, identifiers, identity
from recobra.tabular.sql_text import literal
from recobra.tabular.workspace import Relation, Workspace
from recobra_core.law import list_subdivisions
from recobra_core.money import largest_minor

from . import rows, warnings
from .columns import DATES
from .currencies import named_currency_sql
from .rows import Notation

# The file is refused whole where so large a share of its rows is rejected, and no fewer rows than these.
REFUSE_SHARE = 0.9
REFUSE_FROM_ROWS = 10
LONGEST_EXAMPLE = 60  # characters of a wrong value in the text of a refusal
LONGEST_VALUE = 200  # characters of a wrong value kept with its row
LONGEST_KEY = 200  # keys are indexed
_TURNING_SIGNS = r"[\x{202A}-\x{202E}\x{2066}-\x{2069}]"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A condition that makes a parsed row wrong, and what its error says.

    `column` is the name in the file, `target` the place in the mapping, `wrong` the SQL of the condition, `value` the
    SQL of what is shown, `params` the facts of the message of `code`.
    """

    column: str
    target: str
    code: str
    wrong: str
    value: str
    params: dict[str, Any] = field(default_factory=dict)


def check_rows(
    context: LoadContext,
    duck: Workspace,
    file: FileRows,
    keys: RowKeys,
    parsed: Relation,
    *,
    notation: Notation,
    alike: AlikeNumbers,
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
    _add_cell_faults(context, duck, file, parsed, errors)
    duck.execute(
        f"INSERT INTO {errors} SELECT line, ?, 'duplicate', json_object('lines', lines), account, "
        f"'account.external_id' FROM {keys.duplicates} JOIN {keys.rows} USING (line)",
        [file.columns.label(context.document.fields["account.external_id"])],
    )
    if context.alike == "join":
        # A number that is like several cannot be joined with one.
        duck.execute(f"INSERT INTO {errors} FROM {alike.rows}")
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
    if context.has_item_rows:
        _reject_other_items(context, duck, file, parsed, errors)
    rejected = duck.create("rejected_lines", f"SELECT DISTINCT line FROM {errors}")
    warned = warnings.find_text_warnings(context, duck, file, parsed, rejected, notation=notation)
    # Of a million rows only what the next steps need is kept: texts of the rejected ones, typed columns of the good.
    wrong = duck.create("wrong_rows", f"SELECT * FROM {file.raw} SEMI JOIN {rejected} USING (line)")
    duck.drop(file.raw)
    columns = [name for name, *_rest in duck.fetch_all(f"DESCRIBE {parsed}")]
    typed = ", ".join(name for name in columns if not name.startswith(("x_", "n_", "attribute_")))
    good = duck.create("good_rows", f"SELECT {typed} FROM {parsed} ANTI JOIN {rejected} USING (line)")
    duck.drop(parsed)
    if context.has_item_rows:
        good = _gather_items(context, duck, good)
    return CheckedRows(good, wrong, rejected, errors, warned)


def _reject_other_items(
    context: LoadContext, duck: Workspace, file: FileRows, parsed: Relation, errors: Relation
) -> None:
    """Reject every item of what is due where one of them was rejected: without it they are not the whole."""
    duck.execute(
        f"""
        INSERT INTO {errors}
        SELECT line, ?, 'gathered', json_object('line', first_wrong), account, 'account.external_id'
        FROM {parsed} JOIN (
            SELECT account, number, min(line) AS first_wrong
            FROM {parsed} SEMI JOIN {errors} USING (line) GROUP BY account, number
        ) of_rejected USING (account, number)
        WHERE line NOT IN (SELECT line FROM {errors})
        """,
        [file.columns.label(context.document.fields["account.external_id"])],
    )


def _gather_items(context: LoadContext, duck: Workspace, good: Relation) -> Relation:
    """Return one row for what is due at once, with the sums of its items; all else is said by its first row."""
    sums = {f"d_{concept}" for concept in context.document.amount_sources()}
    names = [name for name, *_rest in duck.fetch_all(f"DESCRIBE {good}") if name not in {"line", "account", "number"}]
    columns = [
        f"{f'sum({name})::DECIMAL(18, 4)' if name in sums else f'arg_min({name}, line)'} AS {name}" for name in names
    ]
    return duck.create(
        good,
        f"SELECT min(line) AS line, account, number, {', '.join(columns)} FROM {good} GROUP BY account, number",
    )


def _add_cell_faults(context: LoadContext, duck: Workspace, file: FileRows, parsed: Relation, errors: Relation) -> None:
    """Add the faults of the cells that the mapping reads; what else was found wrong with such a cell follows."""
    document = context.document
    amounts_at = [at for source in document.amount_sources().values() for at in file.columns.positions_of(source)]
    names = ", ".join(f"({file.columns.positions[name]}, {literal(name)})" for name in document.columns())
    faults = duck.create(
        "read_faults",
        f"""
        SELECT line, col, code, params, value
        FROM {file.faults} JOIN (VALUES {names}) read (position, col) USING (position)
        SEMI JOIN {parsed} USING (line)
        -- What is said of several rows at once is one value for each of them, but for an amount.
        WHERE code <> 'merged' OR position IN ({", ".join(map(str, amounts_at)) or "-1"})
        """,
    )
    duck.execute(f"DELETE FROM {errors} WHERE (line, col) IN (SELECT (line, col) FROM {faults})")
    duck.execute(f"INSERT INTO {errors} SELECT line, col, code, params, value, '' FROM {faults}")


def refuse_if_not_as_mapped(duck: Workspace, file: FileRows, keys: RowKeys, checked: CheckedRows) -> None:
    """Refuse the file whole where nearly no row is what the mapping says. Raises LoadRefused."""
    # Rows that did not change count too: the day after, those that are still wrong may be all that is read.
    read = duck.count(keys.rows) + duck.count(file.broken)
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
    yield Rule(
        column=file.columns.label(fields["account.external_id"]),
        target="account.external_id",
        code="missing",
        wrong="account IS NULL",
        value="account",
    )
    yield from _amount_rules(context, file, notation)
    yield from _date_rules(context, file, notation)
    yield from _code_rules(context, file)
    yield from _identifier_rules(context, file)
    yield from _name_rules(context, file)
    if "currency" in fields:
        currency = context.portfolio.currency
        yield Rule(
            column=file.columns.label(fields["currency"]),
            target="currency",
            code="currency",
            wrong=f"x_currency IS NOT NULL AND {named_currency_sql(context, 'x_currency')} <> {literal(currency)}",
            value="x_currency",
            params={"currency": currency},
        )


def _amount_rules(context: LoadContext, file: FileRows, notation: Notation) -> Iterator[Rule]:
    """Yield the rules for amounts: some amount given, readable, of a possible size, in the portfolio's currency."""
    sources = context.document.amount_sources()
    first = next(iter(sources))
    yield Rule(
        column=file.columns.label(sources[first]),
        target="balance",
        code="missing",
        wrong=" AND ".join(f"x_{concept} IS NULL" for concept in sources),
        value=f"x_{first}",
    )
    if context.document.paid:
        yield Rule(
            column=file.columns.label(context.document.paid),
            target="paid",
            code="paid",
            wrong="d_paid IS NULL OR d_paid < 0 OR d_PRINCIPAL < 0 AND d_PRINCIPAL + d_paid >= 0",
            value="x_paid",
        )
    for concept, source in sources.items():
        rule = partial(
            Rule, column=file.columns.label(source), target=f"amounts.{concept.lower()}", value=f"x_{concept}"
        )
        yield from _concept_rules(context, rule, concept, notation)


def _concept_rules(context: LoadContext, rule: Callable[..., Rule], concept: str, notation: Notation) -> Iterator[Rule]:
    """Yield the rules for the amounts of one concept; `rule` makes a rule about its column."""
    text = f"x_{concept}"
    plain_number = f"n_{concept}"
    number = f"d_{concept}"
    currency = context.portfolio.currency
    limit = (largest_minor(currency) + 1) // 10**context.decimals  # in whole units
    yield rule(
        code="amount",
        wrong=f"{text} IS NOT NULL AND {plain_number} IS NULL",
        params={"example": amounts.example_amount(notation.decimal_mark)},
    )
    # A number with more digits than any amount has no typed value.
    yield rule(
        code="amount_absurd",
        wrong=f"({number} IS NULL AND {plain_number} IS NOT NULL OR abs({number}) >= {limit})",
        params={"limit": f"{limit}"},
    )
    # What was paid beyond the amount is the fault of that.
    before = f"{number} + d_paid" if context.document.paid else number
    yield rule(code="amount_negative", wrong=f"{before} < 0")
    # Most amounts are figures alone and need no search for a currency.
    has_words = f"(upper({text}) <> lower({text}) OR regexp_matches({text}, '[{amounts.CURRENCY_SIGNS}]'))"
    yield rule(
        code="currency",
        wrong=f"{has_words} AND {amounts.currency_sql(text)} NOT IN ('', {literal(currency)})",
        params={"currency": currency},
    )
    yield rule(
        code="amount_decimals",
        wrong=f"{number} <> round({number}, {context.decimals})",
        params={"decimals": context.decimals, "currency": currency},
    )


def _date_rules(context: LoadContext, file: FileRows, notation: Notation) -> Iterator[Rule]:
    """Yield the rules for dates: readable, and in a century in which debts fall due."""
    for name, target in DATES.items():
        if target not in context.document.fields:
            continue
        column = file.columns.label(context.document.fields[target])
        text = f"x_{name}"
        yield Rule(
            column=column,
            target=target,
            code="date",
            wrong=f"{text} IS NOT NULL AND {name} IS NULL",
            value=text,
            params={"example": dates.example_date(notation.date_orders[name])},
        )
        yield Rule(
            column=column,
            target=target,
            code="date_absurd",
            wrong=f"year({name}) NOT BETWEEN 1900 AND 2199",
            value=text,
        )


def _code_rules(context: LoadContext, file: FileRows) -> Iterator[Rule]:
    """Yield the rules for values from a list: product, kind of debtor and time zone."""
    fields = context.document.fields
    if "account.product" in fields:
        yield Rule(
            column=file.columns.label(fields["account.product"]),
            target="account.product",
            code="product",
            wrong="product IS NULL",
            value="x_product",
            params={"known": ", ".join(rows.PRODUCTS)},
        )
    if "debtor.kind" in fields:
        yield Rule(
            column=file.columns.label(fields["debtor.kind"]),
            target="debtor.kind",
            code="kind",
            wrong="kind IS NULL",
            value="x_kind",
            params={"known": ", ".join(rows.KINDS)},
        )
    if "debtor.national_id_kind" in fields:
        yield Rule(
            column=file.columns.label(fields["debtor.national_id_kind"]),
            target="debtor.national_id_kind",
            code="kind",
            wrong="national_id IS NOT NULL AND x_id_kind IS NOT NULL AND national_id_kind IS NULL",
            value="x_id_kind",
            params={"known": ", ".join(sorted(identity.kind_names(context.portfolio.country)))},
        )
    if "debtor.subdivision" in fields:
        yield _place_rule(context, file)
    if "debtor.time_zone" in fields:
        zones = ", ".join(literal(zone) for zone in sorted(available_timezones()))
        yield Rule(
            column=file.columns.label(fields["debtor.time_zone"]),
            target="debtor.time_zone",
            code="time_zone",
            wrong=f"time_zone IS NOT NULL AND time_zone NOT IN ({zones})",
            value="time_zone",
        )


def _place_rule(context: LoadContext, file: FileRows) -> Rule:
    """Return the rule for the state or province of a debtor: one that the country has, for its holidays and hours."""
    country = context.portfolio.country
    code, name = next(iter(list_subdivisions(country).items()))
    # A dash or a dot says that it is not known.
    is_named = f"{rows.folded_subdivision_sql('x_subdivision')} <> ''"
    return Rule(
        column=file.columns.label(context.document.fields["debtor.subdivision"]),
        target="debtor.subdivision",
        code="place",
        wrong=f"x_subdivision IS NOT NULL AND subdivision IS NULL AND {is_named}",
        value="x_subdivision",
        params={"country": country, "example": f"{name} ({code})"},
    )


def _identifier_rules(context: LoadContext, file: FileRows) -> Iterator[Rule]:
    """Yield the rules for texts by which something is known: no longer than an index takes, and with all figures."""
    fields = context.document.fields
    indexed = {
        "account": "account.external_id",
        "x_debtor": "debtor.external_id",
        "national_id": "debtor.national_id",
        "number": "instalment.number",
    }
    texts = {**indexed, "x_national_id": "debtor.national_id", "contract": "account.contract"}
    del texts["national_id"]
    sources = {value: (target, fields[target]) for value, target in texts.items() if target in fields}
    for position, party in enumerate(context.document.parties):
        if "national_id" in party.sources:
            name = f"party_{position}_national_id"
            sources[name] = (f"parties.{position}.national_id", party.sources["national_id"])
    for value, (target, source) in sources.items():
        yield Rule(
            column=file.columns.label(source),
            target=target,
            code="scientific",
            wrong=identifiers.scientific_sql(value),
            value=value,
        )
    for value, target in indexed.items():
        # Without a column of its own the value comes from the account's.
        column = file.columns.label(fields.get(target)) or file.columns.label(fields["account.external_id"])
        yield Rule(
            column=column,
            target=target,
            code="length",
            wrong=f"length({value}) > {LONGEST_KEY}",
            value=value,
            params={"limit": LONGEST_KEY},
        )


def _name_rules(context: LoadContext, file: FileRows) -> Iterator[Rule]:
    """Yield the rules for names: none holds signs that turn the text around.

    Whoever reads such a name on a screen or in a letter reads another one.
    """
    named = {"name": ("debtor.name", context.document.fields.get("debtor.name"))}
    for position, party in enumerate(context.document.parties):
        named[f"party_{position}_name"] = (f"parties.{position}.name", party.sources.get("name"))
    for value, (target, source) in named.items():
        if source is not None:
            yield Rule(
                column=file.columns.label(source),
                target=target,
                code="signs",
                wrong=f"regexp_matches({value}, '{_TURNING_SIGNS}')",
                value=value,
            )
