"""Open creditors and portfolios, and list them for those who look after the whole installation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction

from recobra.journal.operations import record
from recobra.portfolio.models import Creditor, Portfolio
from recobra_core.law import load_countries
from recobra_core.money import EXPONENTS


class PortfolioUnknown(Exception):
    """No portfolio has this code; the text names those that exist."""


class PortfolioRefused(Exception):
    """The portfolio cannot be opened; `problems` says everything that is wrong with its description."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


@transaction.atomic
def open_from(document: Mapping[str, Any], *, code: str, actor: str, now: datetime) -> Portfolio:
    """Open a portfolio as a document describes it. Raises PortfolioRefused.

    Keys: name, industry (CONSUMER, SERVICES, INVOICES), country (ISO 3166), currency (ISO 4217), time_zone, and
    creditor with code, name and, for the messages, complaint_contact and payment_instructions.
    """
    creditor = document.get("creditor")
    problems = [*_faults(document, _PORTFOLIO_KEYS, "portfolio"), *_faults(creditor, _CREDITOR_KEYS, "creditor")]
    if not problems:
        problems = _unknown_values(document)
    if problems:
        raise PortfolioRefused(problems)
    assert isinstance(creditor, Mapping)
    owner = open_creditor(**{key: str(value) for key, value in creditor.items()}, actor=actor, now=now)
    details = {key: str(document[key]) for key in _PORTFOLIO_KEYS if key != "creditor"}
    return open_portfolio(creditor=owner, code=code, actor=actor, now=now, **details)


_PORTFOLIO_KEYS = {
    "name": True,
    "industry": True,
    "country": True,
    "currency": True,
    "time_zone": True,
    "creditor": True,
}
_CREDITOR_KEYS = {
    "code": True,
    "name": True,
    "tax_id": False,
    "complaint_contact": False,
    "payment_instructions": False,
}


def _faults(given: Any, keys: Mapping[str, bool], where: str) -> list[str]:
    if not isinstance(given, Mapping):
        return [f"{where}: a table of keys was expected, found {given!r}."]
    unknown = [f"{where}.{key} is not known; known are {', '.join(keys)}." for key in given if key not in keys]
    missing = [f"{where}.{key} is missing." for key, needed in keys.items() if needed and not given.get(key)]
    return unknown + missing


def _unknown_values(document: Mapping[str, Any]) -> list[str]:
    allowed = {
        "industry": sorted(Portfolio.Industry.values),
        "country": sorted(load_countries()),
        "currency": sorted(EXPONENTS),
        "time_zone": sorted(available_timezones()),
    }
    return [
        f"portfolio.{key} is «{document[key]}», which is not known"
        + (f"; known are {', '.join(known)}." if len(known) < _SHOWN else ".")
        for key, known in allowed.items()
        if str(document[key]) not in known
    ]


_SHOWN = 30


@transaction.atomic
def open_creditor(*, code: str, name: str, actor: str, now: datetime, **details: str) -> Creditor:
    """Open a creditor, or return the one that has the code. `details`: the model's own text fields."""
    creditor, made = Creditor.objects.get_or_create(code=code, defaults={"name": name, **details})
    if made:
        record("creditor.opened", at=now, actor=actor, payload={"creditor_id": creditor.pk, "code": code})
    return creditor


@transaction.atomic
def open_portfolio(
    *,
    creditor: Creditor,
    code: str,
    name: str,
    industry: str,
    country: str,
    currency: str,
    time_zone: str,
    actor: str,
    now: datetime,
    **settings: Any,
) -> Portfolio:
    """Open a portfolio, or return the one that has the code. `settings`: attributes, waterfall, limits, freshness."""
    given = {
        "creditor": creditor,
        "name": name,
        "industry": industry,
        "country": country,
        "currency": currency,
        "time_zone": time_zone,
        **settings,
    }
    portfolio, made = Portfolio.objects.get_or_create(code=code, defaults=given)
    if made:
        record("portfolio.opened", at=now, actor=actor, portfolio_id=portfolio.pk, payload={"code": code})
    return portfolio


def all_portfolios() -> list[Portfolio]:
    """Return every portfolio of the installation, by code."""
    return list(Portfolio.objects.select_related("creditor").order_by("code"))


def portfolio_of(*, code: str) -> Portfolio:
    """Return the portfolio that has a code. Raises PortfolioUnknown."""
    found = Portfolio.objects.filter(code=code).first()
    if found is None:
        known = ", ".join(Portfolio.objects.order_by("code").values_list("code", flat=True)) or "none yet"
        raise PortfolioUnknown(f"There is no portfolio «{code}»; there are: {known}.")
    return found
