"""What earlier versions wrote into the journal reads back as the types of today."""

from __future__ import annotations

import pytest

from recobra.compliance.facts import IncidentRecorded
from recobra.conversations.facts import DisputeOpened, IdentityRefused, PersonAsked
from recobra.journal import facts
from recobra.messaging.facts import ProviderTested
from recobra.portfolio.facts import HoldPlaced
from recobra.strategy.facts import CampaignLaunched, StageChanged
from recobra.workbench.facts import TaskCreated, VisitsAssigned

WRITTEN = {
    '{"hold_id": 3}': HoldPlaced(hold_id=3),
    '{"incident_id": 5, "kind": "BREACH", "rule": ""}': IncidentRecorded(
        incident_id=5, incident_kind="BREACH", rule=""
    ),
    '{"provider_id": 1, "provider": "twilio-pe", "kind": "twilio_sms", "ok": true}': ProviderTested(
        provider_id=1, provider="twilio-pe", provider_kind="twilio_sms", ok=True
    ),
    '{"task_id": 7, "kind": "call"}': TaskCreated(task_id=7, task_kind="call"),
    '{"from": null, "to": "EARLY", "dpd": 3}': StageChanged(from_stage=None, to_stage="EARLY", dpd=3),
    '{"campaign": "marzo", "resumed": true}': CampaignLaunched(campaign="marzo", resumed=True),
    '{"campaign": "marzo", "members": 40}': CampaignLaunched(campaign="marzo", members=40),
    '{"channel": "ivr", "reason": "asked"}': PersonAsked(reason="asked", channel="ivr"),
    '{"conversation_id": 1, "message_id": 2, "reason": "plan", "verified": true}': PersonAsked(
        reason="plan", verified=True, conversation_id=1, message_id=2
    ),
    '{"conversation_id": 1, "message_id": 2, "verified": false}': DisputeOpened(
        conversation_id=1, message_id=2, verified=False
    ),
    '{"channel": "whatsapp", "turn": ""}': IdentityRefused(channel="whatsapp"),
}


@pytest.mark.parametrize(("payload", "fact"), WRITTEN.items(), ids=[type(fact).__name__ for fact in WRITTEN.values()])
def test_an_entry_of_an_earlier_version_is_read(payload, fact):
    assert facts.load(type(fact).kind, payload) == fact


def test_a_field_is_written_under_its_name_in_the_journal():
    assigned = facts.load("visit.assigned", '{"date": "2026-03-02", "user_id": 4, "visits": 9}')
    assert isinstance(assigned, VisitsAssigned)
    assert facts.dump(assigned) == '{"date":"2026-03-02","user_id":4,"visits":9}'
