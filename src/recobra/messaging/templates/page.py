"""The debtor's statement page: every document with its concepts, and what the law requires beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from babel import Locale

from recobra.kit.date_format import format_date
from recobra.kit.money_format import format_minor
from recobra.messaging.templates.facts import (
    ConceptLine,
    RenderContext,
    collect_facts,
    load_phrases,
    resolve_locale,
)
from recobra.portfolio.models import Creditor
from recobra.portfolio.statement import CONCEPTS, Document, Statement

LANGUAGE: Final = "es"
_VARIABLES: Final = (
    "acreedor",
    "acreedor_identificacion",
    "acreedor_domicilio",
    "agencia",
    "agencia_domicilio",
    "agencia_telefono",
    "contacto",
    "total_vencido",
    "total_por_vencer",
    "liquidacion",
    "gastos_detalle",
    "como_pagar",
    "como_reclamar",
    "oficina_reclamos",
    "derechos",
    "no_judicial",
    "fecha",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRow:
    """A document on the page; `days` past due, negative before."""

    number: str
    due: str
    days: int
    parts: tuple[ConceptLine, ...]
    total: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """An account on the page; `held` where it is not collected at present."""

    contract: str
    product: str
    signed: str
    terms: str
    held: bool
    rows: tuple[DocumentRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The statement page. `facts` are variables of templates by name; held accounts count in none of their sums."""

    facts: Mapping[str, Any]
    debts: tuple[AccountRow, ...]
    on_hold: bool


def build_page(*, statement: Statement, day: date, country: str, creditor: Creditor, sender: str) -> Page:
    """Return the page of what a debtor owes on a day, money and dates written as the country writes them."""
    locale = resolve_locale(LANGUAGE, country)
    without_held = statement.without_held()
    context = RenderContext(
        statement=without_held,
        documents=(*without_held.overdue, *without_held.upcoming),
        day=day,
        country=country,
        language=LANGUAGE,
        locale=locale,
        debtor_name="",
        creditor=creditor,
        sender=sender,
        reference="",
        unsubscribe_url="",
        statement_url="",
    )
    return Page(
        facts=collect_facts(context, _VARIABLES),
        debts=tuple(_build_accounts((*statement.overdue, *statement.upcoming), locale)),
        on_hold=bool(statement.hold_reason),
    )


def _build_accounts(documents: Iterable[Document], locale: Locale) -> Iterable[AccountRow]:
    """Yield the accounts of documents in the order in which they appear."""
    by_account: dict[int, list[Document]] = {}
    for document in documents:
        by_account.setdefault(document.account_id, []).append(document)
    phrases = load_phrases(LANGUAGE)
    for account_documents in by_account.values():
        first = account_documents[0]
        yield AccountRow(
            contract=first.contract or first.account,
            product=phrases["productos"].get(first.product, ""),
            signed=format_date(first.signed_on, "short", locale) if first.signed_on else "",
            terms=first.interest_terms,
            held=first.held,
            rows=tuple(_build_row(document, locale, phrases["conceptos"]) for document in account_documents),
        )


def _build_row(document: Document, locale: Locale, names: Mapping[str, str]) -> DocumentRow:
    """Return a document with its concepts; `names` are the words for the concepts."""
    parts = []
    for concept in CONCEPTS:
        concept_minor = document.concepts_minor.get(concept)
        if concept_minor:
            amount = format_minor(concept_minor, document.currency, locale)
            parts.append(ConceptLine(nombre=names[concept], importe=amount))
    return DocumentRow(
        number=document.number,
        due=format_date(document.due_date, "short", locale),
        days=document.days,
        parts=tuple(parts),
        total=format_minor(document.owed_minor, document.currency, locale),
    )
