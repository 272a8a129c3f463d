"""What a template may speak of, for one debtor on one day. A fact that the law wants said and nobody knows blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from email.utils import parseaddr
from functools import lru_cache
from importlib import resources
from typing import Any, Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, get_currency_precision
from django.utils.translation import gettext as _

from recobra.portfolio.models import Creditor
from recobra.portfolio.statement import CONCEPTS, Document, Statement
from recobra_core import yaml_text
from recobra_core.law.content import files
from recobra_core.law.content.linter import STATEMENT_LINK


class NotRendered(Exception):
    """The template cannot be filled in; the text says why. Permanent until the template or the data change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentLine:
    """A document as it is shown."""

    numero: str
    vencimiento: str
    importe: str
    dias: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConceptLine:
    """A concept of what is owed as it is shown."""

    nombre: str
    importe: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyGroup:
    """The documents of one currency as they are shown."""

    moneda: str
    documentos: tuple[DocumentLine, ...]
    conceptos: tuple[ConceptLine, ...]
    total: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderContext:
    """All that a message is made from. `asked` are the documents it is about."""

    statement: Statement
    asked: tuple[Document, ...]
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
        """Return the language's own phrases."""
        return load_phrases(self.language)

    def said(self, name: str) -> str:
        """Return a phrase with the creditor's name in it."""
        return str(self.phrases[name]).format(acreedor=self.creditor.name)


INTEREST: Final = ("INTEREST", "LATE_INTEREST")
FEES: Final = ("FEE", "TAX")


def collect_facts(case: RenderContext, names: Iterable[str]) -> dict[str, Any]:
    """Return the values of those variables among the names; what a template does not speak of is not worked out."""
    return {name: _FACTS[name](case) for name in names if name in _FACTS}


def refuse_missing_facts(case: RenderContext, names: set[str]) -> None:
    """Raise NotRendered where the country wants a fact said that the template speaks of and nobody entered."""
    rules = files.find_content(case.country, on=case.day)
    asked = {required.part: required for required in rules.required if required.level == "barred"} if rules else {}
    linked = STATEMENT_LINK in names
    if linked and not case.statement_url:
        raise NotRendered(_("The linked page could not know its debtor: no identity document, no customer number."))
    for part, (variable, known) in _KNOWN.items():
        # What a message leaves to the page that it links to must be known all the same: the page would not say it.
        meant = part in asked and (variable in names or (linked and asked[part].link))
        if meant and not known(case):
            raise NotRendered(
                _("%(variable)s is not known, and must be said: %(article)s")
                % {"variable": variable, "article": asked[part].article}
            )


def is_fact_known(case: RenderContext, part: str) -> bool:
    """Return whether a part that the law may want said can be said; parts that are always known are."""
    return part not in _KNOWN or bool(_KNOWN[part][1](case))


def resolve_locale(language: str, country: str) -> Locale:
    """Return how a country writes money and dates, or the language's own way where that is not known."""
    try:
        return Locale.parse(f"{language}_{country}")
    except (UnknownLocaleError, ValueError):
        return Locale.parse("es_419" if language == "es" else language)


@lru_cache(maxsize=4096)
def format_money(amount_minor: int, currency: str, locale: Locale) -> str:
    """Return an amount in words of its country: 123450 PEN is `S/ 1,234.50` in Peru."""
    units = Decimal(amount_minor).scaleb(-get_currency_precision(currency))
    return format_currency(units, currency, locale=locale)


def group_documents(documents: Iterable[Document], locale: Locale, names: dict[str, str]) -> tuple[CurrencyGroup, ...]:
    """Return documents by currency, in the order in which the oldest of each falls due."""
    return tuple(
        CurrencyGroup(
            moneda=currency,
            documentos=tuple(_line(document, locale) for document in mine),
            conceptos=tuple(
                ConceptLine(nombre=names[concept], importe=format_money(minor, currency, locale))
                for concept in CONCEPTS
                if (minor := _sum(mine, (concept,)))
            ),
            total=format_money(sum(document.owed_minor for document in mine), currency, locale),
        )
        for currency, mine in _by_currency(documents).items()
    )


@lru_cache
def load_phrases(language: str) -> dict[str, Any]:
    """Return what is said where a creditor left how to pay or to object empty, and what laws want said."""
    path = resources.files("recobra.messaging") / "library" / language / "_phrases.yaml"
    found: dict[str, Any] = yaml_text.load(path.read_text("utf-8"))
    return found


def _agency_address(case: RenderContext) -> str:
    itself = not case.creditor.agency_name.strip()
    return case.creditor.agency_address.strip() or (case.creditor.address.strip() if itself else "")


def _contact(case: RenderContext) -> str:
    ways = (case.creditor.agency_phone.strip(), parseaddr(case.sender)[1])
    return " · ".join(way for way in ways if way)


def _complaint_office(case: RenderContext) -> str:
    return case.creditor.complaint_office.strip() or str(case.phrases["oficinas"].get(case.country, ""))


def _groups(case: RenderContext, documents: Iterable[Document]) -> tuple[CurrencyGroup, ...]:
    return group_documents(documents, case.locale, case.phrases["conceptos"])


def _sums(case: RenderContext, documents: Iterable[Document]) -> str:
    """Return what is owed on documents, one amount per currency."""
    by_currency = _by_currency(documents)
    return " + ".join(
        format_money(sum(d.owed_minor for d in mine), currency, case.locale) for currency, mine in by_currency.items()
    )


def _fees(case: RenderContext) -> str:
    charged = [
        f"{case.phrases['conceptos'][concept]}: {_total(case, (concept,))}"
        for concept in FEES
        if _sum(case.asked, (concept,))
    ]
    return "; ".join(charged) or case.said("sin_gastos")


def _since(case: RenderContext) -> str:
    return format_date(min(d.due_date for d in case.asked), "short", locale=case.locale) if case.asked else ""


def _total(case: RenderContext, concepts: tuple[str, ...]) -> str:
    """Return what is asked for under some concepts, one amount per currency, nought included."""
    return " + ".join(
        format_money(_sum(mine, concepts), currency, case.locale) for currency, mine in _by_currency(case.asked).items()
    )


def _interest(case: RenderContext) -> str:
    charged = [document for document in case.asked if _sum([document], INTEREST)]
    if not charged:
        return case.said("sin_interes")
    terms = "; ".join(dict.fromkeys(document.interest_terms for document in charged if document.interest_terms))
    return str(case.phrases["interes"]).format(importe=_total(case, INTEREST), terminos=terms).strip()


def _contracts(case: RenderContext) -> str:
    """Return each account's contract, with the day it was signed where that is known."""
    found = []
    for document in {d.account_id: d for d in case.asked}.values():
        signed = document.signed_on and format_date(document.signed_on, "short", locale=case.locale)
        said = str(case.phrases["suscrito"]).format(fecha=signed)
        found.append(f"{document.contract or document.account}{f' ({said})' if signed else ''}")
    return "; ".join(found)


def _rights(case: RenderContext) -> str:
    by_country = case.phrases["derechos"]
    return str(by_country.get(case.country, by_country["general"])).format(acreedor=case.creditor.name)


def _sum(documents: Iterable[Document], concepts: tuple[str, ...]) -> int:
    return sum(document.concepts_minor.get(concept, 0) for document in documents for concept in concepts)


def _by_currency(documents: Iterable[Document]) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = {}
    for document in documents:
        found.setdefault(document.currency, []).append(document)
    return found


def _readable(sender: str) -> str:
    """`Cobranzas <cobranzas@sur.example>` becomes `Cobranzas (cobranzas@sur.example)`."""
    name, address = parseaddr(sender)
    return f"{name} ({address})" if name else address


def _line(document: Document, locale: Locale) -> DocumentLine:
    return DocumentLine(
        numero=document.number,
        vencimiento=format_date(document.due_date, "short", locale=locale),
        importe=format_money(document.owed_minor, document.currency, locale),
        dias=abs(document.days),
    )


_FACTS: Final[dict[str, Callable[[RenderContext], Any]]] = {
    "nombre": lambda case: case.debtor_name,
    "acreedor": lambda case: case.creditor.name,
    "acreedor_identificacion": lambda case: case.creditor.tax_id,
    "acreedor_domicilio": lambda case: case.creditor.address.strip(),
    "agencia": lambda case: case.creditor.agency_name.strip() or case.said("equipo"),
    "agencia_domicilio": _agency_address,
    "agencia_telefono": lambda case: case.creditor.agency_phone.strip(),
    "emisor": lambda case: _readable(case.sender),
    "contacto": _contact,
    "vencidos": lambda case: _groups(case, case.statement.overdue),
    "por_vencer": lambda case: _groups(case, case.statement.upcoming),
    "total_vencido": lambda case: _sums(case, case.statement.overdue),
    "total_por_vencer": lambda case: _sums(case, case.statement.upcoming),
    "desglose": lambda case: _groups(case, case.asked),
    "capital": lambda case: _total(case, ("PRINCIPAL",)),
    "intereses": lambda case: _total(case, INTEREST),
    "gastos": lambda case: _total(case, FEES),
    "liquidacion": _interest,
    "gastos_detalle": _fees,
    "contratos": _contracts,
    "mora_desde": _since,
    "origen": lambda case: ", ".join(dict.fromkeys(case.phrases["productos"][d.product] for d in case.asked)),
    "como_pagar": lambda case: case.creditor.payment_instructions.strip() or case.said("como_pagar"),
    "como_reclamar": lambda case: case.creditor.complaint_contact.strip() or case.said("como_reclamar"),
    "oficina_reclamos": _complaint_office,
    "derechos": _rights,
    "no_judicial": lambda case: case.said("no_judicial"),
    "como_parar": lambda case: case.said("como_parar"),
    "fecha": lambda case: format_date(case.day, "long", locale=case.locale),
    "referencia": lambda case: case.reference,
    "enlace_baja": lambda case: case.unsubscribe_url,
    STATEMENT_LINK: lambda case: case.statement_url,
}
"""How each variable is worked out."""

_KNOWN: Final[dict[str, tuple[str, Callable[[RenderContext], object]]]] = {
    "creditor_address": ("acreedor_domicilio", lambda case: case.creditor.address.strip()),
    "creditor_tax_id": ("acreedor_identificacion", lambda case: case.creditor.tax_id.strip()),
    "agency_address": ("agencia_domicilio", _agency_address),
    "agency_phone": ("agencia_telefono", lambda case: case.creditor.agency_phone.strip()),
    "complaint_office": ("oficina_reclamos", _complaint_office),
    "contract_date": ("contratos", lambda case: all(document.signed_on for document in case.asked)),
    "interest": (
        "liquidacion",
        lambda case: all(d.interest_terms or not _sum([d], INTEREST) for d in case.asked),
    ),
}
"""The part of a message, the variable that says it, and whether it is known."""
