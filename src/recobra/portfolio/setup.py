"""Opening of creditors and portfolios, and reads of all of them for the administrator of the installation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction

from recobra.access.actors import Actor
from recobra.access.permissions import requires
from recobra.access.roles import Right
from recobra.journal.operations import record_fact
from recobra.portfolio.facts import CreditorOpened, PortfolioOpened
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


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def open_described_portfolio(document: Mapping[str, Any], *, code: str, actor: Actor) -> Portfolio:
    """Open a portfolio as a document describes it. Raises PortfolioRefused.

    Keys: name, industry (CONSUMER, SERVICES, INVOICES), country (ISO 3166), currency (ISO 4217), time_zone, and
    creditor with code, name and, for the messages, complaint_contact and payment_instructions.
    """
    described_creditor = document.get("creditor")
    problems = [
        *_find_key_problems(document, _PORTFOLIO_KEYS, "portfolio"),
        *_find_key_problems(described_creditor, _CREDITOR_KEYS, "creditor"),
    ]
    if not problems:
        problems = _find_value_problems(document)
    if problems:
        raise PortfolioRefused(problems)
    assert isinstance(described_creditor, Mapping), "checked by _find_key_problems"
    creditor = open_creditor(**{key: str(value) for key, value in described_creditor.items()}, actor=actor)
    details = {key: str(document[key]) for key in _PORTFOLIO_KEYS if key != "creditor"}
    return open_portfolio(creditor=creditor, code=code, actor=actor, **details)


# By key: whether it must be given.
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


def _find_key_problems(table: Any, keys: Mapping[str, bool], where: str) -> list[str]:
    """Return what is wrong with the keys of a table; `keys` says of each known one whether it must be given."""
    if not isinstance(table, Mapping):
        return [f"{where}: a table of keys was expected, found {table!r}."]
    unknown = [f"{where}.{key} is not known; known are {', '.join(keys)}." for key in table if key not in keys]
    missing = [f"{where}.{key} is missing." for key, needed in keys.items() if needed and not table.get(key)]
    return unknown + missing


def _find_value_problems(document: Mapping[str, Any]) -> list[str]:
    """Return which values of a portfolio are none of those that the installation knows."""
    allowed = {
        "industry": sorted(Portfolio.Industry.values),
        "country": sorted(load_countries()),
        "currency": sorted(EXPONENTS),
        "time_zone": sorted(available_timezones()),
    }
    problems = []
    for key, known in allowed.items():
        if str(document[key]) in known:
            continue
        # Hundreds of time zones would hide the message.
        hint = f"; known are {', '.join(known)}" if len(known) < _LONGEST_LIST else ""
        problems.append(f"portfolio.{key} is «{document[key]}», which is not known{hint}.")
    return problems


_LONGEST_LIST = 30


@requires(Right.OPEN_PORTFOLIOS)
@transaction.atomic
def open_creditor(*, code: str, name: str, actor: Actor, **details: str) -> Creditor:
    """Open a creditor, or return the one that has the code. `details`: the model's own text fields."""
    creditor, is_new = Creditor.objects.get_or_create(code=code, defaults={"name": name, **details})
    if is_new:
        record_fact(CreditorOpened(creditor_id=creditor.pk, code=code), actor=actor)
    return creditor


@requires(Right.OPEN_PORTFOLIOS)
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
    actor: Actor,
) -> Portfolio:
    """Open a portfolio, or return the one that has the code. Its policy begins with the product's own."""
    fields = {
        "creditor": creditor,
        "name": name,
        "industry": industry,
        "country": country,
        "currency": currency,
        "time_zone": time_zone,
    }
    portfolio, is_new = Portfolio.objects.get_or_create(code=code, defaults=fields)
    if is_new:
        record_fact(PortfolioOpened(code=code), actor=actor, portfolio_id=portfolio.pk)
    return portfolio


def list_portfolios() -> list[Portfolio]:
    """Return every portfolio of the installation, by code."""
    return list(Portfolio.objects.select_related("creditor").order_by("code"))


def get_portfolio(*, code: str) -> Portfolio:
    """Return the portfolio that has a code. Raises PortfolioUnknown."""
    portfolio = Portfolio.objects.filter(code=code).first()
    if portfolio is None:
        known = ", ".join(Portfolio.objects.order_by("code").values_list("code", flat=True)) or "none yet"
        raise PortfolioUnknown(f"There is no portfolio «{code}»; there are: {known}.")
    return portfolio
