"""A portfolio as the mapping of its first file describes it."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from recobra.portfolio.models import Portfolio
from recobra_core.documents import DocumentModel, Expected, Text, Written, choice, one_of, refuse
from recobra_core.law import load_countries
from recobra_core.money import EXPONENTS


def _check_country(code: str) -> str:
    known = sorted(load_countries())
    if code not in known:
        raise refuse(one_of(known), options=known)
    return code


def _check_currency(code: str) -> str:
    if code not in EXPONENTS:
        raise refuse(Expected("a currency such as PEN", "una moneda como PEN"), options=EXPONENTS)
    return code


def _check_time_zone(name: str) -> str:
    zones = available_timezones()
    if name not in zones:
        # Hundreds of time zones would hide the message.
        raise refuse(Expected("a time zone such as America/Lima", "un huso horario como America/Lima"), options=zones)
    return name


TimeZone = Annotated[str, AfterValidator(_check_time_zone)]


class CreditorDescription(DocumentModel):
    """The company to whom the money is owed."""

    code: Annotated[Written, Field(min_length=1)]
    name: Text
    tax_id: Written = ""
    complaint_contact: str = ""
    payment_instructions: str = ""


class PortfolioSettings(DocumentModel):
    """What is said of a portfolio when it is opened: its name and trade, and where its debtors are."""

    name: Text
    industry: Annotated[str, choice(*Portfolio.Industry.values)]
    country: Annotated[str, AfterValidator(_check_country)]
    currency: Annotated[str, AfterValidator(_check_currency)]
    time_zone: TimeZone


class PortfolioDescription(PortfolioSettings):
    """Receivables of one creditor in one country and currency."""

    creditor: CreditorDescription
