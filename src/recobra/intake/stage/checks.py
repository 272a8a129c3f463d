"""What is wrong with the rows, as one query per rule over the whole table; a row keeps all its errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

from recobra.intake.refusals import LoadRefused
from recobra.intake.stage.load_context import Job

from . import amounts, dates, rows
from .columns import literal
from .keys import several
from .rows import Writing

REFUSE_SHARE = 0.9
REFUSE_FROM_ROWS = 10
LONGEST_KEY = 200  # keys are indexed


@dataclass(frozen=True)
class Rule:
    """Rows of `staged` for which `wrong` is true have an error in a column."""

    column: str
    code: str
    wrong: str
    value: str
    params: dict[str, Any] = field(default_factory=dict)
    target: str = ""


def check(job: Job, style: Writing) -> None:
    """Make `errors` (line, col, code, params, value, target), `rejected` (line) and `good`; `raw` is gone then."""
    unions = [_query(rule) for rule in _rules(job, style)]
    job.run(f"CREATE OR REPLACE TABLE errors AS {' UNION ALL '.join(unions)}")
    _add_broken(job)
    if several(job):
        _add_two_debtors(job)
    job.run("CREATE OR REPLACE TABLE rejected AS SELECT DISTINCT line FROM errors")
    _let_go(job)


def _let_go(job: Job) -> None:
    """Keep of a million rows only what the next steps need: `wrong` as delivered, `good` without its raw text."""
    job.run("CREATE OR REPLACE TABLE wrong AS SELECT * FROM raw SEMI JOIN rejected USING (line)")
    job.run("DROP TABLE raw")
    columns = [name for (name, *_rest) in job.connection.execute("DESCRIBE staged").fetchall()]
    kept = ", ".join(name for name in columns if not name.startswith(("x_", "n_", "attribute_")))
    job.run(f"CREATE OR REPLACE TABLE good AS SELECT {kept} FROM staged ANTI JOIN rejected USING (line)")
    job.run("DROP TABLE staged")


def refuse_if_not_as_mapped(job: Job) -> None:
    """Refuse the file whole where nearly no row is what the mapping says. Raises LoadRefused."""
    looked_at, rejected = job.count("hot") + job.count("broken"), job.count("rejected")
    if rejected < max(REFUSE_FROM_ROWS, REFUSE_SHARE * looked_at):
        return
    column, count, value = job.one(
        "SELECT col, count(*), min(value) FROM errors GROUP BY col ORDER BY count(*) DESC, col LIMIT 1"
    )
    raise LoadRefused(
        "not_as_mapped", rejected=rejected, rows=looked_at, count=count, column=column, value=(value or "")[:60]
    )


def _query(rule: Rule) -> str:
    return (
        f"SELECT line, {literal(rule.column)} AS col, {literal(rule.code)} AS code, "
        f"{literal(json.dumps(rule.params))} AS params, left({rule.value}, 200) AS value, "
        f"{literal(rule.target)} AS target "
        f"FROM staged WHERE {rule.wrong}"
    )


def _rules(job: Job, style: Writing) -> Iterator[Rule]:
    fields, label = job.document.fields, job.columns.label
    yield Rule(label(fields["account.external_id"]), "missing", "account IS NULL", "account", {}, "account.external_id")
    yield from _amount_rules(job, style)
    yield from _date_rules(job, style)
    yield from _code_rules(job)
    yield from _attribute_rules(job, style)
    if "currency" in fields:
        wrong = f"x_currency IS NOT NULL AND upper(x_currency) <> {literal(job.owner.currency)}"
        yield Rule(
            label(fields["currency"]), "currency", wrong, "x_currency", {"currency": job.owner.currency}, "currency"
        )


def _amount_rules(job: Job, style: Writing) -> Iterator[Rule]:
    known = job.document.amounts()
    decimals = job.owner.decimals
    nothing = " AND ".join(f"x_{concept} IS NULL" for concept in known)
    first = next(iter(known))
    yield Rule(job.columns.label(known[first]), "missing", nothing, f"x_{first}", {}, "balance")
    for concept, source in known.items():
        label, text, number = job.columns.label(source), f"x_{concept}", f"d_{concept}"
        plain = f"n_{concept}"
        absurd = f"({number} IS NULL AND {plain} IS NOT NULL OR abs({number}) >= {amounts.ABSURD})"
        target = f"amounts.{concept.lower()}"
        wanted = {"example": amounts.example(style.mark)}
        yield Rule(label, "amount", f"{text} IS NOT NULL AND {plain} IS NULL", text, wanted, target)
        yield Rule(label, "amount_absurd", absurd, text, {"limit": f"{amounts.ABSURD}"}, target)
        yield Rule(label, "amount_negative", f"{number} < 0", text, {}, target)
        told = amounts.told_currency(text)
        # Most amounts are figures alone and need no search for a currency.
        worded = f"(upper({text}) <> lower({text}) OR contains({text}, '€'))"
        foreign = f"{worded} AND {told} NOT IN ('', {literal(job.owner.currency)})"
        yield Rule(label, "currency", foreign, text, {"currency": job.owner.currency}, target)
        fraction = f"{number} <> round({number}, {decimals})"
        limits = {"decimals": decimals, "currency": job.owner.currency}
        yield Rule(label, "amount_decimals", fraction, text, limits, target)


def _date_rules(job: Job, style: Writing) -> Iterator[Rule]:
    for name, target in rows.DATES.items():
        if target not in job.document.fields:
            continue
        label = job.columns.label(job.document.fields[target])
        wanted = {"example": dates.example(style.orders[name])}
        yield Rule(label, "date", f"x_{name} IS NOT NULL AND {name} IS NULL", f"x_{name}", wanted, target)
        yield Rule(label, "date_absurd", f"year({name}) NOT BETWEEN 1900 AND 2199", f"x_{name}", {}, target)


def _code_rules(job: Job) -> Iterator[Rule]:
    fields, label = job.document.fields, job.columns.label
    if "account.product" in fields:
        known = {"known": ", ".join(rows.PRODUCTS)}
        yield Rule(
            label(fields["account.product"]), "product", "product IS NULL", "x_product", known, "account.product"
        )
    if "debtor.kind" in fields:
        known = {"known": ", ".join(rows.KINDS)}
        yield Rule(label(fields["debtor.kind"]), "kind", "kind IS NULL", "x_kind", known, "debtor.kind")
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


def _attribute_rules(job: Job, style: Writing) -> Iterator[Rule]:
    for n, attribute in enumerate(job.document.attributes):
        if attribute.type == "text":
            continue
        typed = rows.typed_attribute(n, attribute.type, attribute.name, style)
        wrong = f"attribute_{n} IS NOT NULL AND {typed} IS NULL"
        params = {"example": dates.example("ymd")} if attribute.type == "date" else {}
        yield Rule(
            job.columns.label(attribute.source),
            attribute.type,
            wrong,
            f"attribute_{n}",
            params,
            f"attributes.{attribute.name}",
        )


def _add_broken(job: Job) -> None:
    """Add the rows that could not be laid out in columns and those that share a key."""
    job.run("INSERT INTO errors SELECT line, col, code, params, value, '' FROM broken")
    column = job.columns.label(job.document.fields["account.external_id"])
    job.run(
        "INSERT INTO errors SELECT line, ?, 'duplicate', json_object('lines', lines), account, 'account.external_id' "
        "FROM twice JOIN keys USING (line)",
        [column],
    )


def _add_two_debtors(job: Job) -> None:
    job.run(
        "INSERT INTO errors SELECT s.line, ?, 'two_debtors', '{}', coalesce(s.x_debtor, s.national_id, s.account), "
        "'debtor.external_id' FROM staged s JOIN "
        "(SELECT account FROM staged GROUP BY account HAVING count(DISTINCT debtor) > 1) t USING (account)",
        [job.columns.label(job.document.fields.get("debtor.external_id"))],
    )
