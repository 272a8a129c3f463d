"""Fill in a template with a debtor's statement, money and dates written as the debtor's country writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from jinja2 import StrictUndefined, TemplateError
from jinja2 import Template as Compiled
from jinja2.sandbox import SandboxedEnvironment

from recobra.messaging.models import Template
from recobra.messaging.templates.check import names_used
from recobra.messaging.templates.facts import Case, NotRendered, check_known, facts_of, locale_of, money
from recobra.messaging.templates.selection import InForce, templates_in_force
from recobra.messaging.templates.variables import NOTICES
from recobra.portfolio.models import Creditor
from recobra.portfolio.statement import Statement

__all__ = [
    "InForce",
    "NotRendered",
    "Words",
    "is_notice",
    "locale_of",
    "money",
    "names_of",
    "render",
    "templates_in_force",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A message as a person reads it. `parameters` fill the numbered places of a template kept by the provider."""

    subject: str
    text: str
    html: str
    parameters: tuple[str, ...] = ()


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
    statement_url: str,
) -> Words:
    """Return the words of one message; `statement_url` is '' where that page could be shown to nobody.

    Raises NotRendered.
    """
    if day is None:
        raise NotRendered("The debtor's day is not known.")
    case = Case(
        statement=statement,
        asked=statement.speaks_of(notice=is_notice(template)),
        day=day,
        country=country,
        language=template.language,
        locale=locale_of(template.language, country),
        debtor_name=debtor_name,
        creditor=creditor,
        sender=sender,
        reference=reference,
        unsubscribe_url=unsubscribe_url,
        statement_url=statement_url,
    )
    names = names_of(template) | set(template.parameters)
    check_known(case, names)
    facts = facts_of(case, names)
    parts = _compiled(template.subject, template.text, template.html)
    try:
        subject, text, html = (part.render(facts) for part in parts)
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise NotRendered(str(error)) from error
    return Words(
        subject=" ".join(subject.split()),
        text=text.strip() + "\n",
        html=html.strip() + "\n" if html.strip() else "",
        parameters=tuple(" ".join(str(facts[name]).split()) for name in template.parameters),
    )


def is_notice(template: Template) -> bool:
    """Return whether a template may go before anything is overdue."""
    return not NOTICES.isdisjoint(_names(template.text, "", ""))


def names_of(template: Template) -> set[str]:
    """Return the variables that any part of a template speaks of."""
    return set(_names(template.subject, template.text, template.html))


@lru_cache(maxsize=256)
def _names(*parts: str) -> frozenset[str]:
    return frozenset().union(*map(names_used, parts))


@lru_cache(maxsize=256)
def _compiled(subject: str, text: str, html: str) -> tuple[Compiled, Compiled, Compiled]:
    plain = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True)
    marked = SandboxedEnvironment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return plain.from_string(subject), plain.from_string(text), marked.from_string(html)
