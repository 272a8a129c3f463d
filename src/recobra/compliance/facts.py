"""Kinds of facts about incidents and the evidence of contacts."""

from __future__ import annotations

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


@fact("evidence.exported", _("Evidence of contacts handed out"))
class EvidenceExported(Fact):
    """Signed evidence left the product; `digest` is that of its contents."""

    form: str
    digest: str
    masked: bool
    contacts: int
