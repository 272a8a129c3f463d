"""Fill in a template with a debtor's statement, money and dates written as the debtor's country writes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from email.utils import parseaddr
from functools import lru_cache
from importlib import resources

import yaml
from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import format_currency, get_currency_precision
from jinja2 import StrictUndefined, TemplateError
from jinja2 import Template as Compiled
from jinja2.sandbox import SandboxedEnvironment

from recobra.contact.models import Template
from recobra.portfolio.models import Creditor

from .check import names_used
from .statement import Document, Statement
from .variables import NOTICE


class NotRendered(Exception):
    """The template cannot be filled in; the text says why. Permanent until the template or the data change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A message as a person reads it."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A document as it is shown."""

    numero: str
    vencimiento: str
    importe: str
    dias: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The documents of one currency as they are shown."""

    moneda: str
    documentos: tuple[Line, ...]
    total: str


def render(
    template: Template,
    statement: Statement,
    *,
    day: date | None,
    country: str,
    debtor_name: str,
    creditor: Creditor,
    sender: str,
    reference: str,
    unsubscribe_url: str,
) -> Words:
    """Return the words of one message. Raises NotRendered."""
    if day is None:
        raise NotRendered("The debtor's day is not known.")
    locale = locale_of(template.language, country)
    overdue, upcoming = groups(statement.overdue, locale), groups(statement.upcoming, locale)
    phrases = {name: phrase.format(acreedor=creditor.name) for name, phrase in _phrases(template.language).items()}
    facts = {
        "nombre": debtor_name,
        "acreedor": creditor.name,
        "acreedor_identificacion": creditor.tax_id,
        "emisor": _readable(sender),
        "vencidos": overdue,
        "por_vencer": upcoming,
        "total_vencido": " + ".join(group.total for group in overdue),
        "total_por_vencer": " + ".join(group.total for group in upcoming),
        "como_pagar": creditor.payment_instructions.strip() or phrases["como_pagar"],
        "como_reclamar": creditor.complaint_contact.strip() or phrases["como_reclamar"],
        "fecha": format_date(day, "long", locale=locale),
        "referencia": reference,
        "enlace_baja": unsubscribe_url,
    }
    parts = _compiled(template.subject, template.text, template.html)
    try:
        subject, text, html = (part.render(facts) for part in parts)
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise NotRendered(str(error)) from error
    return Words(subject=" ".join(subject.split()), text=text.strip() + "\n", html=html.strip() + "\n")


def templates_in_force(wanted: set[tuple[str, str]], language: str = "es") -> dict[tuple[str, str], Template]:
    """Return the newest version in force of templates, by code and channel."""
    found = Template.objects.filter(
        code__in={code for code, _ in wanted}, language=language, retired_at__isnull=True
    ).order_by("version")
    return {(t.code, t.channel): t for t in found if (t.code, t.channel) in wanted}


def is_notice(template: Template) -> bool:
    """Return whether a template may go before anything is overdue."""
    return _is_notice(template.text)


def locale_of(language: str, country: str) -> Locale:
    """Return how a country writes money and dates, or the language's own way where that is not known."""
    try:
        return Locale.parse(f"{language}_{country}")
    except (UnknownLocaleError, ValueError):
        return Locale.parse("es_419" if language == "es" else language)


def money(amount_minor: int, currency: str, locale: Locale) -> str:
    """Return an amount in words of its country: 123450 PEN is `S/ 1,234.50` in Peru."""
    units = Decimal(amount_minor).scaleb(-get_currency_precision(currency))
    return format_currency(units, currency, locale=locale)


def groups(documents: Iterable[Document], locale: Locale) -> tuple[Group, ...]:
    """Return documents by currency, in the order in which the oldest of each falls due."""
    by_currency: dict[str, list[Document]] = {}
    for document in documents:
        by_currency.setdefault(document.currency, []).append(document)
    return tuple(
        Group(
            moneda=currency,
            documentos=tuple(_line(document, locale) for document in mine),
            total=money(sum(document.owed_minor for document in mine), currency, locale),
        )
        for currency, mine in by_currency.items()
    )


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


@lru_cache(maxsize=256)
def _is_notice(text: str) -> bool:
    return NOTICE in names_used(text)


@lru_cache(maxsize=256)
def _compiled(subject: str, text: str, html: str) -> tuple[Compiled, Compiled, Compiled]:
    plain = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
    marked = SandboxedEnvironment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return plain.from_string(subject), plain.from_string(text), marked.from_string(html)


@lru_cache
def _phrases(language: str) -> dict[str, str]:
    """What is said where a creditor left how to pay or to object empty."""
    path = resources.files("recobra.contact") / "library" / language / "_phrases.yaml"
    found: dict[str, str] = yaml.safe_load(path.read_text("utf-8"))
    return found
