"""Turn the text of the rows that must be looked at into typed columns; what cannot be turned stays NULL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from recobra.intake.stage.load_context import Job

from . import amounts, dates, identity
from .columns import literal

PRODUCTS: Final = {
    "LOAN": ("loan", "prestamo", "préstamo", "credito", "crédito", "pre", "cred"),
    "CARD": ("card", "tarjeta", "tarjeta de credito", "tarjeta de crédito", "tc", "tdc"),
    "SERVICE": ("service", "servicio", "suministro", "recibo", "linea", "línea"),
    "INVOICE": ("invoice", "factura", "boleta", "fac", "documento", "letra", "cheque"),
}
KINDS: Final = {
    "PERSON": (
        "person",
        "persona",
        "natural",
        "persona natural",
        "fisica",
        "física",
        "persona fisica",
        "persona física",
        "pn",
        "pf",
        "n",
        "f",
        "p",
    ),
    "COMPANY": (
        "company",
        "empresa",
        "juridica",
        "jurídica",
        "persona juridica",
        "persona jurídica",
        "moral",
        "persona moral",
        "pj",
        "pm",
        "j",
        "m",
        "e",
    ),
}
TRUE: Final = ("true", "1", "si", "sí", "s", "yes", "y", "verdadero", "x", "t")
FALSE: Final = ("false", "0", "no", "n", "falso", "f")
_INDUSTRY_PRODUCT: Final = {"CONSUMER": "LOAN", "SERVICES": "SERVICE", "INVOICES": "INVOICE"}
DATES: Final = {"opened": "account.opened_date", "due": "instalment.due_date", "issued": "instalment.issue_date"}


@dataclass(frozen=True)
class Writing:
    """How this file writes amounts and dates, by date column."""

    mark: str
    orders: dict[str, str]


def writing(job: Job) -> Writing:
    """Return how the file writes amounts and dates. Raises LoadRefused where it cannot be told."""
    given = job.document.options
    columns = job.columns
    sources = [*job.document.amounts().values(), *(a.source for a in job.document.attributes if a.type == "number")]
    mark = given.decimal
    if mark == "auto":
        texts = [(columns.label(source), columns.text(source)) for source in sources]
        typed = job.sheet.kind != "csv"
        mark = amounts.decimal_mark(job.connection, texts, decimals=job.owner.decimals, typed=typed)
    dated = {name: job.document.fields[target] for name, target in DATES.items() if target in job.document.fields}
    dated |= {f"a_{a.name}": a.source for a in job.document.attributes if a.type == "date"}
    orders = {
        name: dates.date_order(
            job.connection, columns.text(source), country=job.owner.country, column=columns.label(source)
        )
        if given.date_order == "auto"
        else given.date_order
        for name, source in dated.items()
    }
    return Writing(mark, orders)


def stage(job: Job, style: Writing) -> None:
    """Make `staged` from the rows of `raw` whose lines are in `hot`."""
    texts = f"(SELECT line, {', '.join(_texts(job))} FROM raw SEMI JOIN hot USING (line)) AS texts"
    kinds = f"{_coded('x_kind', KINDS)}"
    default_kind = "COMPANY" if job.owner.industry == "INVOICES" else "PERSON"
    job.run(
        f"CREATE OR REPLACE TABLE staged AS SELECT *, {identity.debtor_key(job.document.options.id_zeros)} AS debtor, "
        f"coalesce(x_id_kind, {identity.kind_sql(job.owner.country)}) AS national_id_kind, "
        f"{_json(job, style)} AS attributes FROM (SELECT *, "
        f"coalesce({kinds}, CASE WHEN x_kind IS NULL THEN {literal(default_kind)} END) AS kind, "
        "CASE WHEN regexp_full_match(x_national_id, '[0-9A-Z]+') THEN x_national_id "
        "ELSE nullif(regexp_replace(upper(x_national_id), '[^0-9A-ZÑ&]', '', 'g'), '') END AS national_id, "
        f"{', '.join(_typed(job, style))} FROM {texts})"
    )


def _texts(job: Job) -> list[str]:
    fields, text = job.document.fields, job.columns.text
    named = {
        "account": "account.external_id",
        "x_product": "account.product",
        "x_opened": "account.opened_date",
        "contract": "account.contract",
        "x_debtor": "debtor.external_id",
        "name": "debtor.name",
        "x_kind": "debtor.kind",
        "x_national_id": "debtor.national_id",
        "x_id_kind": "debtor.national_id_kind",
        "x_subdivision": "debtor.subdivision",
        "time_zone": "debtor.time_zone",
        "x_number": "instalment.number",
        "x_due": "instalment.due_date",
        "x_issued": "instalment.issue_date",
        "x_currency": "currency",
    }
    texts = [f"{text(fields.get(target))} AS {name}" for name, target in named.items()]
    texts += [f"{text(source)} AS x_{concept}" for concept, source in job.document.amounts().items()]
    texts += [f"{text(source)} AS phone_{n}" for n, source in enumerate(job.document.phones)]
    texts += [f"{text(source)} AS email_{n}" for n, source in enumerate(job.document.emails)]
    texts += [f"{text(a.source)} AS attribute_{n}" for n, a in enumerate(job.document.attributes)]
    for n, party in enumerate(job.document.parties):
        texts += [
            f"{text(party.fields.get(part))} AS party_{n}_{part}" for part in ("name", "national_id", "phone", "email")
        ]
    address = ", ".join(text(source) for source in job.document.address)
    return [*texts, f"nullif(concat_ws(', ', {address}), '') AS address" if address else "NULL::VARCHAR AS address"]


def _typed(job: Job, style: Writing) -> list[str]:
    typed = [f"{dates.parsed(f'x_{name}', style.orders.get(name, 'dmy'))} AS {name}" for name in DATES]
    for concept in job.document.amounts():
        number = amounts.plain_number(f"x_{concept}", style.mark)
        typed.append(f"{number} AS n_{concept}")
        typed.append(f"TRY_CAST({number} AS DECIMAL(18, 4)) AS d_{concept}")
    default = _INDUSTRY_PRODUCT[job.owner.industry]
    typed.append(
        f"coalesce({_coded('x_product', PRODUCTS)}, CASE WHEN x_product IS NULL THEN '{default}' END) AS product"
    )
    typed.append("coalesce(x_number, '1') AS number")
    typed.append(
        "CASE WHEN regexp_full_match(upper(x_subdivision), '[A-Z0-9-]{1,8}') THEN "
        "upper(x_subdivision) END AS subdivision"
    )
    return typed


def _coded(column: str, table: Mapping[str, tuple[str, ...]]) -> str:
    cases = " ".join(
        f"WHEN lower({column}) IN ({', '.join(map(literal, words))}) THEN {literal(code)}"
        for code, words in table.items()
    )
    return f"(CASE {cases} END)"


def typed_attribute(position: int, kind: str, name: str, style: Writing) -> str:
    """Return SQL for an attribute's value in its declared type, NULL where it has none."""
    text = f"attribute_{position}"
    if kind == "number":
        return f"TRY_CAST({amounts.plain_number(text, style.mark)} AS DOUBLE)"
    if kind == "date":
        return f"CAST({dates.parsed(text, style.orders.get(f'a_{name}', 'dmy'))} AS VARCHAR)"
    if kind == "boolean":
        words = {True: TRUE, False: FALSE}
        cases = " ".join(
            f"WHEN lower({text}) IN ({', '.join(map(literal, known))}) THEN {str(value).lower()}"
            for value, known in words.items()
        )
        return f"(CASE {cases} END)"
    return text


def _json(job: Job, style: Writing) -> str:
    pairs = [
        f"{literal(a.name)}, {typed_attribute(n, a.type, a.name, style)}" for n, a in enumerate(job.document.attributes)
    ]
    return f"CAST(json_object({', '.join(pairs)}) AS VARCHAR)" if pairs else "'{}'"
