"""Kinds of facts about incidents and the evidence of contacts."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from django.utils.translation import gettext_lazy as _
from pydantic import Field

from recobra.journal.facts import Fact, fact


@fact("incident.recorded", _("Incident entered in the register"))
class IncidentRecorded(Fact):
    """An attempt, a breach or a complaint is in the register."""

    incident_id: int
    incident_kind: Annotated[str, Field(alias="kind")]
    rule: str


@fact("incident.closed", _("Incident closed"))
class IncidentClosed(Fact):
    """Something was done about an incident."""

    incident_id: int


@fact("incident.cost_set", _("Cost of a breach set"))
class BreachCostSet(Fact):
    """The company says what a kind of breach may cost in a country, from a day on."""

    country: str
    breach: str
    amount_minor: int
    currency: str
    holds_from: date


@fact("evidence.exported", _("Evidence of contacts handed out"))
class EvidenceExported(Fact):
    """Signed evidence left the product; `digest` is that of its contents."""

    form: str
    digest: str
    masked: bool
    contacts: int


@fact("retention.period_set", _("Period of retention set"))
class RetentionPeriodSet(Fact):
    """A class of data stays for other days, from a day on; `country` '' is everywhere."""

    data_class: str
    country: str
    days: int
    holds_from: date


@fact("retention.erased", _("Personal data erased by schedule"))
class DataErased(Fact):
    """Classes of some debtors' data are gone; `rows` are counts by model.

    `digest` is the SHA-256 of the ids of the debtors, the classes and the counts, as canonical JSON.
    """

    data_classes: list[str]
    debtors: int
    rows: dict[str, int]
    digest: str


@fact("debtor.erased", _("Person anonymised"))
class DebtorErased(Fact):
    """Nothing points to the person behind a debtor any more; amounts and days stay."""


@fact("rights.asked", _("Request of a person about own data"))
class PersonRequestRecorded(Fact):
    """A person asked for a copy of the data, or for their erasure."""

    request_id: int
    request_kind: Annotated[str, Field(alias="kind")]
    asked_on: date


@fact("rights.answered", _("Request of a person answered"))
class PersonRequestAnswered(Fact):
    """A request was done and answered: `erased` and `kept` are classes of data, `kept` with the codes of why."""

    request_id: int
    request_kind: Annotated[str, Field(alias="kind")]
    erased: list[str]
    kept: dict[str, str]


@fact("rights.copied", _("Copy of a person's data handed out"))
class PersonDataCopied(Fact):
    """A copy of everything that is held on a person left the product; `digest` is that of its list of contents."""

    digest: str
    files: int
    rows: int
