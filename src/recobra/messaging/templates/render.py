"""Filling in of templates with a debtor's statement, money and dates as the debtor's country writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from jinja2 import Template as Compiled
from jinja2 import TemplateError

from recobra.messaging.models import Template
from recobra.messaging.templates.check import find_variables
from recobra.messaging.templates.facts import (
    NotRendered,
    RenderContext,
    collect_facts,
    refuse_missing_facts,
    resolve_locale,
)
from recobra.messaging.templates.sandbox import TemplateSandbox
from recobra.messaging.templates.selection import TemplatePool, load_template_pool
from recobra.messaging.templates.variables import NOTICES
from recobra.portfolio.models import Creditor
from recobra.portfolio.statement import Statement

__all__ = [
    "NotRendered",
    "RenderedMessage",
    "TemplatePool",
    "find_template_variables",
    "is_notice",
    "load_template_pool",
    "render",
    "resolve_locale",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedMessage:
    """A message as a person reads it. `parameters` fill the placeholders of a template that the provider keeps."""

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
) -> RenderedMessage:
    """Return one message. Raises NotRendered.

    `statement_url` is '' where the page could not check the identity of its debtor.
    """
    if day is None:
        raise NotRendered("The debtor's day is not known.")
    context = RenderContext(
        statement=statement,
        documents=statement.documents_for(notice=is_notice(template)),
        day=day,
        country=country,
        language=template.language,
        locale=resolve_locale(template.language, country),
        debtor_name=debtor_name,
        creditor=creditor,
        sender=sender,
        reference=reference,
        unsubscribe_url=unsubscribe_url,
        statement_url=statement_url,
    )
    names = find_template_variables(template) | set(template.parameters)
    refuse_missing_facts(context, names)
    facts = collect_facts(context, names)
    parts = _compile(template.subject, template.text, template.html)
    try:
        subject, text, html = (part.render(facts) for part in parts)
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        raise NotRendered(str(error)) from error
    return RenderedMessage(
        subject=" ".join(subject.split()),
        text=text.strip() + "\n",
        html=html.strip() + "\n" if html.strip() else "",
        parameters=tuple(" ".join(str(facts[name]).split()) for name in template.parameters),
    )


def is_notice(template: Template) -> bool:
    """Return whether a template may go before anything is overdue."""
    return not NOTICES.isdisjoint(_find_variables(template.text, "", ""))


def find_template_variables(template: Template) -> set[str]:
    """Return the variables that any part of a template uses."""
    return set(_find_variables(template.subject, template.text, template.html))


@lru_cache(maxsize=256)
def _find_variables(*parts: str) -> frozenset[str]:
    return frozenset().union(*map(find_variables, parts))


@lru_cache(maxsize=256)
def _compile(subject: str, text: str, html: str) -> tuple[Compiled, Compiled, Compiled]:
    """Return subject, text and HTML compiled; only the HTML escapes what is filled in."""
    text_sandbox = TemplateSandbox(autoescape=False)
    html_sandbox = TemplateSandbox(autoescape=True)
    return text_sandbox.from_string(subject), text_sandbox.from_string(text), html_sandbox.from_string(html)
