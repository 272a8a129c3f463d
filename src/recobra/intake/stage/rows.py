"""Parsing of the changed rows: text becomes typed columns, NULL where it cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from recobra.intake.load_context import LoadContext
from recobra.intake.refusals import refuse_load
from recobra.intake.relations import FileChanges, FileRows
from recobra.tabular import amounts, dates, identity
from recobra.tabular.sql_text import fold, literal
from recobra.tabular.workspace import Relation, Workspace
from recobra_core.law import subdivisions
from recobra_core.money import AMOUNT_LIMIT

from . import debtor_keys, identities
from .columns import DATES

PRODUCTS: Final = {
    "LOAN": ("loan", "prestamo", "credito", "pre", "cred"),
    "CARD": ("card", "tarjeta", "tarjeta de credito", "tc", "tdc"),
    "SERVICE": ("service", "servicio", "suministro", "recibo", "linea"),
    "INVOICE": ("invoice", "factura", "boleta", "fac", "documento", "letra", "cheque"),
}
KINDS: Final = {
    "PERSON": (
        "person",
        "persona",
        "natural",
        "persona natural",
        "fisica",
        "persona fisica",
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
        "persona juridica",
        "moral",
        "persona moral",
        "pj",
        "pm",
        "j",
        "m",
        "e",
    ),
}
TRUE: Final = ("true", "1", "si", "s", "yes", "y", "verdadero", "x", "t")
FALSE: Final = ("false", "0", "no", "n", "falso", "f")
NUMBER_TYPES: Final = frozenset({"integer", "money", "number"})
INTEGER_LIMIT: Final = 10**10  # what a rule can still compute with exactly
_INDUSTRY_PRODUCT: Final = {"CONSUMER": "LOAN", "SERVICES": "SERVICE", "INVOICES": "INVOICE"}


@dataclass(frozen=True)
class Notation:
    """Notation of a file: the decimal mark, and the order of day and month by date column.

    Columns are the names of DATES, and `a_` with the name for attributes. `is_typed`: the file has numbers of its own.
    """

    decimal_mark: str
    date_orders: dict[str, str]
    is_typed: bool


def detect_notation(context: LoadContext, duck: Workspace, file: FileRows) -> Notation:
    """Return how the file writes amounts and dates. Raises LoadRefused where it cannot be told."""
    document = context.document
    columns = file.columns
    decimal_mark: str = document.options.decimal
    if decimal_mark == "auto":
        number_sources = [*document.amount_sources().values()]
        number_sources += [document.paid] if document.paid else []
        number_sources += [source for source in (document.fields.get("instalment.amount"),) if source]
        number_sources += [attribute for attribute in document.attributes.values() if attribute.type in NUMBER_TYPES]
        with refuse_load():
            decimal_mark = amounts.detect_decimal_mark(
                duck,
                file.raw,
                [(columns.label(source), columns.text(source)) for source in number_sources],
                decimals=context.decimals,
                is_typed=file.is_typed,
            )
    date_sources = {name: document.fields[target] for name, target in DATES.items() if target in document.fields}
    for name, attribute in document.attributes.items():
        if attribute.type == "date":
            date_sources[f"a_{name}"] = attribute
    date_orders: dict[str, str] = {}
    for name, source in date_sources.items():
        order: str = document.options.date_order
        if order == "auto":
            with refuse_load():
                order = dates.detect_order(
                    duck,
                    file.raw,
                    columns.text(source),
                    country=context.portfolio.country,
                    column=columns.label(source),
                )
        date_orders[name] = order
    return Notation(decimal_mark, date_orders, file.is_typed)


def parse_rows(
    context: LoadContext, duck: Workspace, file: FileRows, changes: FileChanges, notation: Notation
) -> Relation:
    """Return the changed rows with typed columns, beside each its text (`x_…`) for messages about it."""
    document = context.document
    portfolio = context.portfolio
    attributes = [
        f"{literal(name)}, {attribute_sql(context, n, attribute.type, name, notation)}"
        for n, (name, attribute) in enumerate(document.attributes.items())
    ]
    attributes_json = f"CAST(json_object({', '.join(attributes)}) AS VARCHAR)" if attributes else "'{}'"
    texts = _text_columns(context, file)
    # The columns that say nothing about ids are left out: DuckDB would plan them for nothing.
    id_texts = {name: texts[name] for name in texts if name.endswith(("_kind", "_national_id"))}
    ids_only = _kinded_sql(context, file, changes, texts=id_texts, typed=[])
    pairs = ["SELECT national_id_kind AS id_kind, national_id AS id_value FROM kinded"]
    pairs += [f"SELECT party_{n}_id_kind, party_{n}_bare_id FROM kinded" for n in range(len(document.parties))]
    judged = identities.judge_ids(context, duck, f"{ids_only} {' UNION ALL '.join(pairs)}")
    kinded = _kinded_sql(context, file, changes, texts=texts, typed=_typed_columns(context, notation))
    verdicts = ["judged.verdict"]
    joins = [_join_judged(judged, "judged", kind="national_id_kind", national_id="national_id")]
    for n in range(len(document.parties)):
        verdicts.append(f"judged_{n}.verdict AS party_{n}_verdict")
        joins.append(_join_judged(judged, f"judged_{n}", kind=f"party_{n}_id_kind", national_id=f"party_{n}_bare_id"))
    parsed = duck.create(
        "parsed_rows",
        f"""
        {kinded}, judged AS (SELECT kinded.*, {", ".join(verdicts)} FROM kinded {" ".join(joins)})
        SELECT
            *,
            {debtor_keys.debtor_key(portfolio.country, document.options.id_zeros)} AS debtor,
            {debtor_keys.old_debtor_key(document.options.id_zeros)} AS old_debtor,
            {", ".join([*_party_keys(context), f"{attributes_json} AS attributes"])}
        FROM judged
        """,
    )
    duck.drop(judged)
    return parsed


def _kinded_sql(
    context: LoadContext, file: FileRows, changes: FileChanges, *, texts: Mapping[str, str], typed: Sequence[str]
) -> str:
    """Return SQL for the common table `kinded`: the changed rows with texts, typed columns, ids and their kinds."""
    default_kind = "COMPANY" if context.portfolio.industry == "INVOICES" else "PERSON"
    # A kind that is stated and unknown stays NULL, which is an error of the row.
    stated_kind = f"CASE WHEN x_kind IS NULL THEN {literal(default_kind)} END"
    kind = f"coalesce({_code_sql('x_kind', KINDS)}, {stated_kind}) AS kind"
    return f"""
        WITH texts AS (
            SELECT line, {", ".join(f"{text} AS {name}" for name, text in texts.items())}
            FROM {file.raw} SEMI JOIN {changes.rows} USING (line)
        ), typed AS (
            SELECT *, {", ".join([kind, *typed])} FROM texts
        ), identified AS (
            SELECT *, {", ".join(_identity_columns(context))} FROM typed
        ), kinded AS (
            SELECT *, {", ".join(_id_kind_columns(context))} FROM identified
        )
        """


def _identity_columns(context: LoadContext) -> list[str]:
    """Return SQL expressions for the bare national ids of the debtor and of every other person of the row."""
    named = [("x_national_id", "national_id")]
    named += [(f"party_{n}_national_id", f"party_{n}_bare_id") for n in range(len(context.document.parties))]
    return [f"{identities.whole_sql(context, text)} AS {name}" for text, name in named]


def _id_kind_columns(context: LoadContext) -> list[str]:
    """Return SQL expressions for the kinds of those ids; NULL where one is stated and unknown."""
    country = context.portfolio.country
    stated = identities.kind_sql(context, "x_id_kind")
    kinds = [f"CASE WHEN x_id_kind IS NULL THEN {identity.kind_sql(country)} ELSE {stated} END AS national_id_kind"]
    for n in range(len(context.document.parties)):
        # The id of such a person is taken for that of a person, unless only a company's pattern fits.
        guessed = identity.kind_sql(country, kind="'PERSON'", national_id=f"party_{n}_bare_id")
        kinds.append(f"{guessed} AS party_{n}_id_kind")
    return kinds


def _join_judged(judged: Relation, alias: str, *, kind: str, national_id: str) -> str:
    """Return the SQL that joins what an id proves to the rows."""
    return f"LEFT JOIN {judged} {alias} ON {alias}.id_kind = kinded.{kind} AND {alias}.id_value = kinded.{national_id}"


def _party_keys(context: LoadContext) -> list[str]:
    """Return SQL for the keys of co-debtors and guarantors: the proved national id, else account and place.

    Never a customer number, which may be another person's: that of a debtor with the same figures.
    """
    keys = []
    for n in range(len(context.document.parties)):
        proved = debtor_keys.id_key(
            f"party_{n}_bare_id",
            kind=f"party_{n}_id_kind",
            verdict=f"party_{n}_verdict",
            name=f"party_{n}_name",
            zeros=context.document.options.id_zeros,
        )
        keys.append(f"coalesce({proved}, 'party:' || account || ':{n + 1}') AS party_{n}_key")
    return keys


def _text_columns(context: LoadContext, file: FileRows) -> dict[str, str]:
    """Return an SQL expression for each mapped value as trimmed text, by its name in `_typed_columns`.

    Values that will be parsed begin with `x_`; the others (`account`, `name`, `phone_0`, `attribute_0`…) stay text.
    """
    document = context.document
    text = file.columns.text
    named = {
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
        "x_document": "instalment.amount",
        "x_currency": "currency",
        "x_paid": "paid",
    }
    texts = {"account": file.columns.account(document)}
    texts |= {name: text(document.fields.get(target)) for name, target in named.items()}
    texts |= {f"x_{concept}": text(source) for concept, source in document.amount_sources().items()}
    texts |= {f"phone_{n}": text(source) for n, source in enumerate(document.phones)}
    texts |= {f"email_{n}": text(source) for n, source in enumerate(document.emails)}
    texts |= {f"attribute_{n}": text(attribute) for n, attribute in enumerate(document.attributes.values())}
    for n, party in enumerate(document.parties):
        for part in ("name", "national_id", "phone", "email"):
            texts[f"party_{n}_{part}"] = text(party.sources.get(part))
    texts["address"] = "NULL::VARCHAR"
    if document.address_sources:
        parts = ", ".join(text(source) for source in document.address_sources)
        texts["address"] = f"nullif(concat_ws(', ', {parts}), '')"
    return texts


def _typed_columns(context: LoadContext, notation: Notation) -> list[str]:
    """Return SQL expressions for the values that the texts stand for: dates, amounts, product, number, subdivision."""
    typed = [f"{dates.date_sql(f'x_{name}', notation.date_orders.get(name, 'dmy'))} AS {name}" for name in DATES]
    for concept in context.document.amount_sources():
        number = amounts.number_sql(f"x_{concept}", notation.decimal_mark, is_typed=notation.is_typed)
        # n_: whether it is a number at all; d_: NULL also where it has more digits than any amount.
        typed.append(f"{number} AS n_{concept}")
        amount = f"TRY_CAST({number} AS DECIMAL(18, 4))"
        if context.document.paid:
            paid = amounts.number_sql("x_paid", notation.decimal_mark, is_typed=notation.is_typed)
            typed.append(f"CASE WHEN x_paid IS NULL THEN 0 ELSE TRY_CAST({paid} AS DECIMAL(18, 4)) END AS d_paid")
            amount = f"{amount} - d_paid"
        typed.append(f"{amount} AS d_{concept}")
    document_amount = "NULL"
    if "instalment.amount" in context.document.fields:
        document_amount = amounts.number_sql("x_document", notation.decimal_mark, is_typed=notation.is_typed)
    typed.append(f"TRY_CAST({document_amount} AS DECIMAL(18, 4)) AS document_amount")
    default = _INDUSTRY_PRODUCT[context.portfolio.industry]
    typed.append(
        f"coalesce({_code_sql('x_product', PRODUCTS)}, CASE WHEN x_product IS NULL THEN '{default}' END) AS product"
    )
    typed.append("coalesce(x_number, '1') AS number")
    is_placed = "debtor.subdivision" in context.document.fields
    place = _subdivision_sql("x_subdivision", context.portfolio.country) if is_placed else "NULL::VARCHAR"
    typed.append(f"{place} AS subdivision")
    return typed


def _code_sql(column: str, table: Mapping[str, tuple[str, ...]]) -> str:
    """Return SQL for the code of which a column holds one of the words, accents aside; NULL where it holds none."""
    cases = []
    for code, words in table.items():
        listed = ", ".join(literal(word) for word in words)
        cases.append(f"WHEN {fold(column)} IN ({listed}) THEN {literal(code)}")
    return f"(CASE {' '.join(cases)} END)"


def folded_subdivision_sql(column: str) -> str:
    """Return SQL for the name or code of a subdivision as `subdivisions.fold_subdivision` compares it."""
    plain = f"trim(regexp_replace({fold(column)}, {literal(subdivisions.SIGNS)}, ' ', 'g'))"
    return f"regexp_replace({plain}, {literal(subdivisions.PREFIX)}, '')"


def _subdivision_sql(column: str, country: str) -> str:
    """Return SQL for the code of a state or province: as written where it is a code, else whole; NULL for no place."""
    codes = subdivisions.subdivision_codes(country)
    # Strategies may speak of «SP» or of «BR-SP»: whichever the file gives stays.
    parts = {code.partition("-")[2] for code in codes.values()}
    kept = {subdivisions.fold_subdivision(part): part for part in parts}
    values = ", ".join(f"({literal(form)}, {literal(kept.get(form, code))})" for form, code in codes.items())
    return (
        f"(SELECT any_value(code) FROM (VALUES {values}) AS places(form, code) "
        f"WHERE form = {folded_subdivision_sql(column)})"
    )


def attribute_sql(context: LoadContext, position: int, kind: str, name: str, notation: Notation) -> str:
    """Return SQL for an attribute's value in its declared type, NULL where it has none; amounts in minor units."""
    text = f"attribute_{position}"
    if kind in NUMBER_TYPES:
        number = amounts.number_sql(text, notation.decimal_mark, is_typed=notation.is_typed)
        if kind == "number":
            return f"TRY_CAST({number} AS DOUBLE)"
        minor_units = 1 if kind == "integer" else 10**context.decimals
        limit = INTEGER_LIMIT if kind == "integer" else AMOUNT_LIMIT * minor_units
        whole = f"TRY_CAST({number} AS DECIMAL(18, 4)) * {minor_units}"
        return f"(CASE WHEN {whole} = floor({whole}) AND abs({whole}) < {limit} THEN CAST({whole} AS BIGINT) END)"
    if kind == "date":
        return f"CAST({dates.date_sql(text, notation.date_orders.get(f'a_{name}', 'dmy'))} AS VARCHAR)"
    if kind == "boolean":
        true_words = ", ".join(literal(word) for word in TRUE)
        false_words = ", ".join(literal(word) for word in FALSE)
        return (
            f"(CASE WHEN {fold(text)} IN ({true_words}) THEN true WHEN {fold(text)} IN ({false_words}) THEN false END)"
        )
    return text
