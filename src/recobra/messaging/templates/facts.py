"""Values of the variables of templates, for one debtor on one day, from facts that have been read already.

A fact that the law requires and nobody has entered blocks the message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from email.utils import parseaddr
from functools import lru_cache
from importlib import resources
from typing import Any, Final, NamedTuple

from babel import Locale, UnknownLocaleError
from babel.lists import format_list
from babel.numbers import format_decimal
from django.utils.translation import gettext as _

from recobra.kit.date_format import format_date
from recobra.kit.money_format import format_minor
from recobra.messaging.templates.variables import OWN_PREFIX
from recobra.portfolio.models import Creditor
from recobra.portfolio.own_columns import read_value
from recobra.portfolio.statement import CONCEPTS, Document, Statement
from recobra_core import yaml_text
from recobra_core.law.content import files
from recobra_core.law.content.linter import STATEMENT_LINK


class NotRendered(Exception):
    """The template cannot be filled in, until it or the data change; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """A document in a template. The fields are the names that templates use."""

    numero: str
    vencimiento: str
    importe: str
    dias: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptLine:
    """A concept of what is owed, in a template."""

    nombre: str
    importe: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyGroup:
    """The documents of one currency, in a template."""

    moneda: str
    documentos: tuple[DocumentLine, ...]
    conceptos: tuple[ConceptLine, ...]
    total: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderContext:
    """All that a message is made from. `documents` are those that the message is about."""

    statement: Statement
    documents: tuple[Document, ...]
    day: date
    country: str
    language: str
    locale: Locale
    debtor_name: str
    creditor: Creditor
    sender: str
    reference: str
    unsubscribe_url: str
    statement_url: str

    @property
    def phrases(self) -> dict[str, Any]:
        """Return the phrases of the language."""
        return load_phrases(self.language)

    def phrase(self, name: str) -> str:
        """Return a phrase with the creditor's name filled in."""
        return str(self.phrases[name]).format(acreedor=self.creditor.name)


INTEREST: Final = ("INTEREST", "LATE_INTEREST")
FEES: Final = ("FEE", "TAX")


def collect_facts(context: RenderContext, names: Iterable[str]) -> dict[str, Any]:
    """Return the values of the variables among the names; no others are computed."""
    facts: dict[str, Any] = {}
    for name in names:
        if name in _FACTS:
            facts[name] = _FACTS[name](context)
        elif name.startswith(OWN_PREFIX):
            facts[name] = _format_own_value(context, name.removeprefix(OWN_PREFIX))
    return facts


_YES_NO: Final = {"es": ("sí", "no"), "en": ("yes", "no"), "pt": ("sim", "não")}


def _format_own_value(context: RenderContext, name: str) -> str:
    """Return the values of an own column of the accounts that the message is about, each once.

    Where one is not known the column's stand-in says so. Raises NotRendered where it has none.
    """
    values: list[str] = []
    for document in context.documents:
        column = document.own_columns.get(name)
        value = None if column is None or column.is_private else read_value(column, document.attributes)
        if column is None or value is None:
            if column is None or not column.stand_in or column.is_private:
                raise NotRendered(_("The own column «%(name)s» is not known of an account.") % {"name": name})
            values.append(column.stand_in)
        elif column.type == "money":
            values.append(format_minor(value, document.currency, context.locale))
        elif column.type == "date":
            values.append(format_date(value, "medium", context.locale))
        elif column.type == "boolean":
            values.append(_YES_NO.get(context.language, _YES_NO["es"])[0 if value else 1])
        else:
            values.append(value if isinstance(value, str) else str(format_decimal(value, locale=context.locale)))
    return ", ".join(dict.fromkeys(values))


def refuse_missing_facts(context: RenderContext, names: set[str]) -> None:
    """Raise NotRendered where the template uses a fact that the country requires and nobody has entered."""
    rules = files.find_content(context.country, on=context.day)
    required_parts = {rule.part: rule for rule in rules.required if rule.level == "barred"} if rules else {}
    has_link = STATEMENT_LINK in names
    if has_link and not context.statement_url:
        raise NotRendered(_("The linked page could not know its debtor: no identity document, no customer number."))
    for part, fact in _REQUIRED_FACTS.items():
        if part not in required_parts:
            continue
        rule = required_parts[part]
        # What a message leaves to the page that it links to must be known all the same: the page would not say it.
        is_used = fact.variable in names or (has_link and rule.link)
        if is_used and not fact.get_value(context):
            raise NotRendered(
                _("%(variable)s is not known, and must be said: %(article)s")
                % {"variable": fact.variable, "article": rule.article}
            )


def is_fact_known(context: RenderContext, part: str) -> bool:
    """Return whether a part that a law may require is known; True for parts that always are."""
    if part not in _REQUIRED_FACTS:
        return True
    return bool(_REQUIRED_FACTS[part].get_value(context))


@lru_cache(maxsize=256)
def resolve_locale(language: str, country: str) -> Locale:
    """Return the locale of a country, or of the language alone where that is unknown."""
    try:
        return Locale.parse(f"{language}_{country}")
    except (UnknownLocaleError, ValueError):
        # Plain `es` writes numbers as Spain does; 419 is Latin America.
        return Locale.parse("es_419" if language == "es" else language)


def group_documents(context: RenderContext, documents: Iterable[Document]) -> tuple[CurrencyGroup, ...]:
    """Return the documents by currency, in the order of the first document of each."""
    locale = context.locale
    concept_names = context.phrases["conceptos"]
    groups = []
    for currency, currency_documents in _split_by_currency(documents).items():
        concept_lines = []
        for concept in CONCEPTS:
            concept_minor = _sum_minor(currency_documents, (concept,))
            if concept_minor:
                amount = format_minor(concept_minor, currency, locale)
                concept_lines.append(ConceptLine(nombre=concept_names[concept], importe=amount))
        total_minor = sum(document.owed_minor for document in currency_documents)
        group = CurrencyGroup(
            moneda=currency,
            documentos=tuple(_format_document(document, locale) for document in currency_documents),
            conceptos=tuple(concept_lines),
            total=format_minor(total_minor, currency, locale),
        )
        groups.append(group)
    return tuple(groups)


@lru_cache
def load_phrases(language: str) -> dict[str, Any]:
    """Return the phrases of a language: those that laws require, and those for fields that a creditor left empty."""
    path = resources.files("recobra.messaging") / "library" / language / "_phrases.yaml"
    phrases: dict[str, Any] = yaml_text.load(path.read_text("utf-8"))
    return phrases


def _agency_address(context: RenderContext) -> str:
    """Return the address of who collects, '' where an agency's is not known."""
    creditor = context.creditor
    collects_itself = not creditor.agency_name.strip()
    if collects_itself and not creditor.agency_address.strip():
        return creditor.address.strip()
    return creditor.agency_address.strip()


def _format_contacts(context: RenderContext) -> str:
    """Return how to reach who collects: telephone and e-mail address, as far as they are known."""
    phone = context.creditor.agency_phone.strip()
    _name, email = _parse_sender(context.sender)
    return " · ".join(address for address in (phone, email) if address)


def _complaint_office(context: RenderContext) -> str:
    """Return the office that hears complaints: the creditor's own entry, else the country's; '' where none is known."""
    return context.creditor.complaint_office.strip() or str(context.phrases["oficinas"].get(context.country, ""))


def _format_owed(context: RenderContext, documents: Iterable[Document]) -> str:
    """Return what is owed on documents, one amount per currency."""
    amounts = []
    for currency, currency_documents in _split_by_currency(documents).items():
        owed_minor = sum(document.owed_minor for document in currency_documents)
        amounts.append(format_minor(owed_minor, currency, context.locale))
    return " + ".join(amounts)


def _format_fees(context: RenderContext) -> str:
    """Return the fees and taxes asked for, each with its amount, or the phrase that there are none."""
    charged = []
    for concept in FEES:
        if _sum_minor(context.documents, (concept,)):
            name = context.phrases["conceptos"][concept]
            charged.append(f"{name}: {_format_concepts(context, (concept,))}")
    return "; ".join(charged) or context.phrase("sin_gastos")


def _format_oldest_due(context: RenderContext) -> str:
    """Return the due date of the oldest document asked for, '' where there is none."""
    if not context.documents:
        return ""
    oldest = min(document.due_date for document in context.documents)
    return format_date(oldest, "short", context.locale)


def _format_concepts(context: RenderContext, concepts: tuple[str, ...]) -> str:
    """Return what is owed under some concepts, one amount per currency, zero included."""
    amounts = []
    for currency, currency_documents in _split_by_currency(context.documents).items():
        amount_minor = _sum_minor(currency_documents, concepts)
        amounts.append(format_minor(amount_minor, currency, context.locale))
    return " + ".join(amounts)


def _format_interest(context: RenderContext) -> str:
    """Return the interest asked for with its terms, or the phrase that there is none."""
    charged = [document for document in context.documents if _sum_minor([document], INTEREST)]
    if not charged:
        return context.phrase("sin_interes")
    terms = "; ".join(dict.fromkeys(document.interest_terms for document in charged if document.interest_terms))
    return str(context.phrases["interes"]).format(importe=_format_concepts(context, INTEREST), terminos=terms).strip()


def _format_contracts(context: RenderContext) -> str:
    """Return the contract of each account, with the day on which it was signed where that is known."""
    document_by_account = {document.account_id: document for document in context.documents}
    contracts = []
    for document in document_by_account.values():
        contract = document.contract or document.account
        if document.signed_on:
            signed_on = format_date(document.signed_on, "short", context.locale)
            phrase = str(context.phrases["suscrito"]).format(fecha=signed_on)
            contract = f"{contract} ({phrase})"
        contracts.append(contract)
    return "; ".join(contracts)


def _format_origin(context: RenderContext) -> str:
    """Return where the debt comes from: each kind of product once, «préstamo y tarjeta»."""
    products = dict.fromkeys(document.product for document in context.documents)
    names = [str(context.phrases["productos"][product]) for product in products]
    return format_list(names, locale=context.locale)


def _format_rights(context: RenderContext) -> str:
    """Return the debtor's rights in the country, or the general ones."""
    by_country = context.phrases["derechos"]
    return str(by_country.get(context.country, by_country["general"])).format(acreedor=context.creditor.name)


def _sum_minor(documents: Iterable[Document], concepts: tuple[str, ...]) -> int:
    """Return what is owed on documents under some concepts."""
    return sum(document.concepts_minor.get(concept, 0) for document in documents for concept in concepts)


def _split_by_currency(documents: Iterable[Document]) -> dict[str, list[Document]]:
    """Return the documents by currency, in the order of the first of each."""
    by_currency: dict[str, list[Document]] = {}
    for document in documents:
        by_currency.setdefault(document.currency, []).append(document)
    return by_currency


def _format_sender(sender: str) -> str:
    """Return `Cobranzas (cobranzas@sur.example)` for `Cobranzas <cobranzas@sur.example>`."""
    name, address = _parse_sender(sender)
    return f"{name} ({address})" if name else address


@lru_cache(maxsize=64)
def _parse_sender(sender: str) -> tuple[str, str]:
    """Return the name and the address of `Cobranzas <cobranzas@sur.example>`."""
    return parseaddr(sender)


def _format_document(document: Document, locale: Locale) -> DocumentLine:
    """Return a document as templates see it; `dias` counts without sign, whether late or left."""
    return DocumentLine(
        numero=document.number,
        vencimiento=format_date(document.due_date, "short", locale),
        importe=format_minor(document.owed_minor, document.currency, locale),
        dias=abs(document.days),
    )


_FACTS: Final[dict[str, Callable[[RenderContext], Any]]] = {
    "nombre": lambda context: context.debtor_name,
    "acreedor": lambda context: context.creditor.name,
    "acreedor_identificacion": lambda context: context.creditor.tax_id,
    "acreedor_domicilio": lambda context: context.creditor.address.strip(),
    "agencia": lambda context: context.creditor.agency_name.strip() or context.phrase("equipo"),
    "agencia_domicilio": _agency_address,
    "agencia_telefono": lambda context: context.creditor.agency_phone.strip(),
    "emisor": lambda context: _format_sender(context.sender),
    "contacto": _format_contacts,
    "vencidos": lambda context: group_documents(context, context.statement.overdue),
    "por_vencer": lambda context: group_documents(context, context.statement.upcoming),
    "total_vencido": lambda context: _format_owed(context, context.statement.overdue),
    "total_por_vencer": lambda context: _format_owed(context, context.statement.upcoming),
    "desglose": lambda context: group_documents(context, context.documents),
    "capital": lambda context: _format_concepts(context, ("PRINCIPAL",)),
    "intereses": lambda context: _format_concepts(context, INTEREST),
    "gastos": lambda context: _format_concepts(context, FEES),
    "liquidacion": _format_interest,
    "gastos_detalle": _format_fees,
    "contratos": _format_contracts,
    "mora_desde": _format_oldest_due,
    "origen": _format_origin,
    "como_pagar": lambda context: context.creditor.payment_instructions.strip() or context.phrase("como_pagar"),
    "como_reclamar": lambda context: context.creditor.complaint_contact.strip() or context.phrase("como_reclamar"),
    "oficina_reclamos": _complaint_office,
    "derechos": _format_rights,
    "no_judicial": lambda context: context.phrase("no_judicial"),
    "como_parar": lambda context: context.phrase("como_parar"),
    "fecha": lambda context: format_date(context.day, "long", context.locale),
    "referencia": lambda context: context.reference,
    "enlace_baja": lambda context: context.unsubscribe_url,
    STATEMENT_LINK: lambda context: context.statement_url,
}
"""How each variable is computed."""


class _RequiredFact(NamedTuple):
    """A fact that a law may require: the variable that says it, and its value, false if unknown."""

    variable: str
    get_value: Callable[[RenderContext], object]


def _has_interest_terms(context: RenderContext) -> bool:
    """Return whether the terms are known of every document that bears interest."""
    return all(document.interest_terms or not _sum_minor([document], INTEREST) for document in context.documents)


_REQUIRED_FACTS: Final[dict[str, _RequiredFact]] = {
    "creditor_address": _RequiredFact("acreedor_domicilio", lambda context: context.creditor.address.strip()),
    "creditor_tax_id": _RequiredFact("acreedor_identificacion", lambda context: context.creditor.tax_id.strip()),
    "agency_address": _RequiredFact("agencia_domicilio", _agency_address),
    "agency_phone": _RequiredFact("agencia_telefono", lambda context: context.creditor.agency_phone.strip()),
    "complaint_office": _RequiredFact("oficina_reclamos", _complaint_office),
    "contract_date": _RequiredFact(
        "contratos", lambda context: all(document.signed_on for document in context.documents)
    ),
    "interest": _RequiredFact("liquidacion", _has_interest_terms),
}
"""The required facts by the part of a message that a law names."""
