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

import yaml
from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, get_currency_precision
from django.utils.translation import gettext as _

from recobra.portfolio.models import Creditor
from recobra_core.law.content import files

from .statement import CONCEPTS, Document, Statement


class NotRendered(Exception):
    """The template cannot be filled in; the text says why. Permanent until the template or the data change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A document as it is shown."""

    numero: str
    vencimiento: str
    importe: str
    dias: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A concept of what is owed as it is shown."""

    nombre: str
    importe: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The documents of one currency as they are shown."""

    moneda: str
    documentos: tuple[Line, ...]
    conceptos: tuple[Part, ...]
    total: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
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

    @property
    def phrases(self) -> dict[str, Any]:
        """Return the language's own phrases."""
        return phrases_of(self.language)

    def said(self, name: str) -> str:
        """Return a phrase with the creditor's name in it."""
        return str(self.phrases[name]).format(acreedor=self.creditor.name)


INTEREST: Final = ("INTEREST", "LATE_INTEREST")
FEES: Final = ("FEE", "TAX")


def facts_of(case: Case) -> dict[str, Any]:
    """Return every variable with its value."""
    overdue, upcoming = (
        groups(part, case.locale, case.phrases["conceptos"])
        for part in (case.statement.overdue, case.statement.upcoming)
    )
    return {
        **_who(case),
        "vencidos": overdue,
        "por_vencer": upcoming,
        "total_vencido": " + ".join(group.total for group in overdue),
        "total_por_vencer": " + ".join(group.total for group in upcoming),
        **_amounts(case),
        "como_pagar": case.creditor.payment_instructions.strip() or case.said("como_pagar"),
        "como_reclamar": case.creditor.complaint_contact.strip() or case.said("como_reclamar"),
        "oficina_reclamos": case.creditor.complaint_office.strip() or case.phrases["oficinas"].get(case.country, ""),
        "derechos": _rights(case),
        "no_judicial": case.said("no_judicial"),
        "como_parar": case.said("como_parar"),
        "fecha": format_date(case.day, "long", locale=case.locale),
        "referencia": case.reference,
        "enlace_baja": case.unsubscribe_url,
    }


def check_known(case: Case, names: set[str]) -> None:
    """Raise NotRendered where the country wants a fact said that the template speaks of and nobody entered."""
    rules = files.content(case.country, on=case.day)
    asked = (
        {required.part: required.article for required in rules.required if required.level == "barred"} if rules else {}
    )
    for part, (variable, known) in _KNOWN.items():
        if part in asked and variable in names and not known(case):
            raise NotRendered(
                _("%(variable)s is not known, and must be said: %(article)s")
                % {"variable": variable, "article": asked[part]}
            )


_KNOWN: Final[dict[str, tuple[str, Callable[[Case], object]]]] = {
    "creditor_address": ("acreedor_domicilio", lambda case: case.creditor.address.strip()),
    "creditor_tax_id": ("acreedor_identificacion", lambda case: case.creditor.tax_id.strip()),
    "agency_address": ("agencia_domicilio", lambda case: _who(case)["agencia_domicilio"]),
    "agency_phone": ("agencia_telefono", lambda case: case.creditor.agency_phone.strip()),
    "complaint_office": (
        "oficina_reclamos", lambda case: case.creditor.complaint_office or case.phrases["oficinas"].get(case.country)
    ),
    "contract_date": ("contratos", lambda case: all(document.signed_on for document in case.asked)),
    "interest": (
        "liquidacion",
        lambda case: all(d.interest_terms or not _sum([d], INTEREST) for d in case.asked),
    ),
}  # fmt: skip
"""The part of a message, the variable that says it, and whether it is known."""


def locale_of(language: str, country: str) -> Locale:
    """Return how a country writes money and dates, or the language's own way where that is not known."""
    try:
        return Locale.parse(f"{language}_{country}")
    except (UnknownLocaleError, ValueError):
        return Locale.parse("es_419" if language == "es" else language)


@lru_cache(maxsize=4096)
def money(amount_minor: int, currency: str, locale: Locale) -> str:
    """Return an amount in words of its country: 123450 PEN is `S/ 1,234.50` in Peru."""
    units = Decimal(amount_minor).scaleb(-get_currency_precision(currency))
    return format_currency(units, currency, locale=locale)


def groups(documents: Iterable[Document], locale: Locale, names: dict[str, str]) -> tuple[Group, ...]:
    """Return documents by currency, in the order in which the oldest of each falls due."""
    return tuple(
        Group(
            moneda=currency,
            documentos=tuple(_line(document, locale) for document in mine),
            conceptos=tuple(
                Part(nombre=names[concept], importe=money(minor, currency, locale))
                for concept in CONCEPTS
                if (minor := _sum(mine, (concept,)))
            ),
            total=money(sum(document.owed_minor for document in mine), currency, locale),
        )
        for currency, mine in _by_currency(documents).items()
    )


@lru_cache
def phrases_of(language: str) -> dict[str, Any]:
    """Return what is said where a creditor left how to pay or to object empty, and what laws want said."""
    path = resources.files("recobra.contact") / "library" / language / "_phrases.yaml"
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


def _who(case: Case) -> dict[str, str]:
    creditor, itself = case.creditor, not case.creditor.agency_name.strip()
    reached = [creditor.agency_phone.strip(), parseaddr(case.sender)[1]]
    return {
        "nombre": case.debtor_name,
        "acreedor": creditor.name,
        "acreedor_identificacion": creditor.tax_id,
        "acreedor_domicilio": creditor.address.strip(),
        "agencia": creditor.agency_name.strip() or case.said("equipo"),
        "agencia_domicilio": creditor.agency_address.strip() or (creditor.address.strip() if itself else ""),
        "agencia_telefono": creditor.agency_phone.strip(),
        "emisor": _readable(case.sender),
        "contacto": " · ".join(way for way in reached if way),
    }


def _amounts(case: Case) -> dict[str, Any]:
    asked, names = case.asked, case.phrases["conceptos"]
    fees = [
        f"{part.nombre}: {part.importe}"
        for concept in FEES
        for group in groups(asked, case.locale, names)
        for part in group.conceptos
        if part.nombre == names[concept]
    ]
    return {
        "desglose": groups(asked, case.locale, names),
        "capital": _total(case, ("PRINCIPAL",)),
        "intereses": _total(case, INTEREST),
        "gastos": _total(case, FEES),
        "liquidacion": _interest(case),
        "gastos_detalle": "; ".join(fees) or case.said("sin_gastos"),
        "contratos": _contracts(case),
        "mora_desde": format_date(min(d.due_date for d in asked), "short", locale=case.locale) if asked else "",
        "origen": ", ".join(dict.fromkeys(case.phrases["productos"][document.product] for document in asked)),
    }


def _total(case: Case, concepts: tuple[str, ...]) -> str:
    """Return what is asked for under some concepts, one amount per currency, nought included."""
    return " + ".join(
        money(_sum(mine, concepts), currency, case.locale) for currency, mine in _by_currency(case.asked).items()
    )


def _interest(case: Case) -> str:
    charged = [document for document in case.asked if _sum([document], INTEREST)]
    if not charged:
        return case.said("sin_interes")
    terms = "; ".join(dict.fromkeys(document.interest_terms for document in charged if document.interest_terms))
    return str(case.phrases["interes"]).format(importe=_total(case, INTEREST), terminos=terms).strip()


def _contracts(case: Case) -> str:
    """Return each account's contract, with the day it was signed where that is known."""
    found = []
    for document in {d.account_id: d for d in case.asked}.values():
        signed = document.signed_on and format_date(document.signed_on, "short", locale=case.locale)
        said = str(case.phrases["suscrito"]).format(fecha=signed)
        found.append(f"{document.contract or document.account}{f' ({said})' if signed else ''}")
    return "; ".join(found)


def _rights(case: Case) -> str:
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


def _line(document: Document, locale: Locale) -> Line:
    return Line(
        numero=document.number,
        vencimiento=format_date(document.due_date, "short", locale=locale),
        importe=money(document.owed_minor, document.currency, locale),
        dias=abs(document.days),
    )
