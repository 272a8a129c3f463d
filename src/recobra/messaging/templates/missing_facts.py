"""Facts of a creditor that are missing before its messages may leave, by country."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from recobra.messaging.templates.facts import RenderContext, is_fact_known, resolve_locale
from recobra.portfolio.models import Creditor
from recobra.portfolio.statement import Statement
from recobra_core.law.content import files

_FIELDS: Final = {
    "creditor_address": "address",
    "creditor_tax_id": "tax_id",
    "agency_address": "agency_address",
    "agency_phone": "agency_phone",
    "complaint_office": "complaint_office",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingFact:
    """An empty field of the creditor that a country's law requires (`is_required`: messages wait for it) or advises."""

    country: str
    field: str
    article: str
    is_required: bool


def find_missing_facts(creditor: Creditor, *, on: date) -> list[MissingFact]:
    """Return the missing facts of a creditor, by country and field, in the countries where it is worked."""
    countries = {portfolio.country for portfolio in creditor.portfolios.all() if portfolio.disabled_at is None}
    facts: list[MissingFact] = []
    for country in sorted(countries):
        facts += _find_in_country(creditor, country, on)
    return facts


def _find_in_country(creditor: Creditor, country: str, on: date) -> list[MissingFact]:
    """Return the missing facts of a creditor under one country's law."""
    rules = files.find_content(country, on=on)
    context = RenderContext(
        statement=Statement(),
        documents=(),
        day=on,
        country=country,
        language="es",
        locale=resolve_locale("es", country),
        debtor_name="",
        creditor=creditor,
        sender="",
        reference="",
        unsubscribe_url="",
        statement_url="",
    )
    missing = []
    for rule in rules.required if rules else ():
        is_ours = rule.part in _FIELDS and rule.level in {"barred", "advice"}
        if is_ours and not is_fact_known(context, rule.part):
            fact = MissingFact(
                country=country,
                field=_FIELDS[rule.part],
                article=rule.article,
                is_required=rule.level == "barred",
            )
            missing.append(fact)
    return missing
