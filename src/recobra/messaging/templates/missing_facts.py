"""What is still missing of a creditor before messages may leave in the countries that it works in."""

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
    """A field of the creditor that a country's law wants said: its messages wait for it, or it advises it."""

    country: str
    field: str
    article: str
    waits: bool


def find_missing_facts(creditor: Creditor, *, on: date) -> list[MissingFact]:
    """Return what messages of a creditor wait for, by country and field."""
    countries = creditor.portfolios.order_by("country").values_list("country", flat=True).distinct()
    return [each for country in countries for each in _missing(creditor, country, on)]


def _missing(creditor: Creditor, country: str, on: date) -> list[MissingFact]:
    rules = files.find_content(country, on=on)
    case = RenderContext(
        statement=Statement(),
        asked=(),
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
    return [
        MissingFact(country=country, field=_FIELDS[asked.part], article=asked.article, waits=asked.level == "barred")
        for asked in (rules.required if rules else ())
        if asked.part in _FIELDS and asked.level in {"barred", "advice"} and not is_fact_known(case, asked.part)
    ]
