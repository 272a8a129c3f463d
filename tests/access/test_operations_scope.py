"""Each public operation that is given the id of something refuses what lies beyond the actor's portfolios itself."""

from __future__ import annotations

import inspect
from datetime import UTC, date, datetime

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.test import override_settings
from tests import receivables
from tests.access.test_operations import operations as operations  # noqa: PLC0414 - the fixture
from tests.worlds import Post

from recobra.access.actors import actor_for
from recobra.access.models import Role
from recobra.access.roles import RIGHTS
from recobra.agreements.operations import PromiseRefused
from recobra.approvals.models import Approval
from recobra.compliance.models import Incident
from recobra.conversations.models import Conversation
from recobra.conversations.reply import Draft
from recobra.demo.simulate_debtor import SimulationRefused
from recobra.intake.models import Load
from recobra.journal.models import Entry
from recobra.payments.models import Payment
from recobra.payments.operations import PaymentRefused
from recobra.portfolio.models import Creditor, DebtorJoin, Hold, Party, Portfolio
from recobra.strategy.models import Campaign
from recobra.strategy.operations.campaigns import CampaignDraft
from recobra.workbench.models import Task, Visit
from recobra.workbench.visits import VisitRefused

NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
TODAY = NOW.date()
OF_ALL = {"retire_canned", "save_canned", "weigh_template"}
"""They change what is for all portfolios, and scoped roles may do so."""
REFUSED = (ObjectDoesNotExist, VisitRefused, PaymentRefused, PromiseRefused, SimulationRefused)


@pytest.fixture
def theirs(company, cast):
    """A portfolio that only Carla, Darío and Hilda reach, with one of each thing that an operation may be given."""
    creditor = Creditor.objects.create(code="NORTE", name="Banco Norte")
    portfolio = Portfolio.objects.create(
        creditor=creditor, code="NORTE-PE", name="N", country="PE", currency="PEN", time_zone="America/Lima"
    )
    post = Post(portfolio, NOW)
    debtor = post.debtor("Otilia")
    debtor.points.create(kind="PHONE", value="+51987654321", valid=True)
    contact = post.sent(debtor, channel="visit", status="UNCERTAIN", reason="UNKNOWN_OUTCOME")
    stamp = {"portfolio": portfolio, "started_at": NOW, "as_of": TODAY, "actor": "carla"}
    payment = {"source": "SCREEN", "paid_date": TODAY, "reference": "OP-1", "actor": "ana", "received_at": NOW}
    task = {"kind": "call", "title": "Llamar", "due_date": TODAY, "created_at": NOW, "created_by": "cycle"}
    incident = {"kind": "COMPLAINT", "country": "PE", "happened_at": NOW, "recorded_at": NOW, "recorded_by": "ana"}
    hold = {"reason": "DISPUTE", "starts_on": TODAY, "author": "carla", "created_at": NOW}
    campaign = {"code": "norte", "name": "N", "starts_on": TODAY, "ends_on": TODAY, "created_at": NOW}
    talk = {"channel": "sms", "address": "+51987654321", "opened_at": NOW, "last_at": NOW, "unread": 1}
    join = {"reason": "OTHER", "joined_at": NOW, "joined_by": "carla"}
    approval = {"kind": "template", "subject": "1", "asked_at": NOW, "asked_by": "carla", "author": "carla"}
    return {
        "portfolio_id": portfolio.pk,
        "debtor_id": debtor.pk,
        "account_id": debtor.accounts.get().pk,
        "point_id": debtor.points.get(kind="PHONE").pk,
        "party_id": Party.objects.create(account=debtor.accounts.get(), debtor=post.debtor("Ada"), part="GUARANTOR").pk,
        "contact_id": contact.pk,
        "public_id": str(contact.public_id),
        "load": Load.objects.create(**stamp, file_name="n.csv", file_sha256="0" * 64, status="HELD"),
        "payment_id": Payment.objects.create(portfolio=portfolio, debtor=debtor, amount_minor=1, **payment).pk,
        "task_id": Task.objects.create(portfolio=portfolio, debtor=debtor, **task).pk,
        "incident_id": Incident.objects.create(portfolio=portfolio, debtor=debtor, description="d", **incident).pk,
        "hold_id": Hold.objects.create(debtor=debtor, **hold).pk,
        "campaign_id": Campaign.objects.create(portfolio=portfolio, rule="dpd > 0", channels=["sms"], **campaign).pk,
        "conversation": Conversation.objects.create(debtor=debtor, **talk),
        "approval_id": Approval.objects.create(portfolio_code=portfolio.code, **approval).pk,
        "join_id": DebtorJoin.objects.create(kept=debtor, joined=post.debtor("Olga"), **join).pk,
        "visit_id": Visit.objects.create(contact=contact, route_date=TODAY).pk,
    }


def _calls(company, own_debtor, theirs):
    """Return by operation what it may be called with beyond the reach of who works for the company alone."""
    draft = {
        "code": "mia",
        "name": "M",
        "portfolio_id": theirs["portfolio_id"],
        "rule": "dpd > 0",
        "template_code": "recordatorio",
        "channels": ("sms",),
        "starts_on": TODAY,
        "ends_on": TODAY,
    }
    own = {"portfolio_id": company.pk, "debtor_id": own_debtor.pk}
    promise = {"promised_on": date(2026, 11, 25), "today": TODAY, "channel": "sms", "amount_minor": 100}
    payment = {"amount_minor": 100, "paid_date": TODAY, "reference": "OP-2"}
    incident = {"kind": "COMPLAINT", "country": "PE", "happened_at": NOW, "description": "Se quejó."}
    first = {name: theirs[name] for name in ("debtor_id", "point_id")} | {"channel": "sms", "draft": Draft(text="Hola")}
    campaign = {"campaign_id": theirs["campaign_id"]}
    conversation = {"conversation_id": theirs["conversation"].pk}
    load = {"load_id": theirs["load"].pk}
    consent = [{"channel": "sms", "source": "STAFF"} | {name: theirs[name]} for name in ("point_id", "public_id")]
    message = {"public_id": theirs["public_id"]}
    return {
        "register_promise": [
            own | promise | {name: theirs[name]} for name in ("portfolio_id", "debtor_id", "contact_id")
        ]
        + [own | promise | {"shares": {theirs["account_id"]: 100}}],
        "record_payment": [
            own | payment | {name: theirs[name]} for name in ("portfolio_id", "debtor_id", "account_id")
        ],
        "reverse_payment": [{"payment_id": theirs["payment_id"], "reason": "Rebotó."}],
        "approve": [{"approval_id": theirs["approval_id"]}],
        "reject": [{"approval_id": theirs["approval_id"], "reason": "No."}],
        "withdraw": [{"approval_id": theirs["approval_id"]}],
        "export_evidence": [{"debtor_id": theirs["debtor_id"], "form": "json"}],
        "record_incident": [incident | {name: theirs[name]} for name in ("debtor_id", "portfolio_id", "contact_id")],
        "close_incident": [{"incident_id": theirs["incident_id"], "corrective_action": "Se habló."}],
        "grant_consent": consent,
        "withdraw_consent": consent,
        "record_opt_out": consent,
        "record_wrong_person": consent,
        "resume_messages": [consent[1]],
        "take_over": [conversation | {"to_id": 1}],
        "give_to_bot": [conversation],
        "close_conversation": [conversation],
        "add_note": [conversation | {"text": "Hola"}],
        "mark_read": [{"conversation": theirs["conversation"]}],
        "assign_debtor": [conversation | {"debtor_id": own_debtor.pk}],
        "silence_conversation": [conversation | {"wrong_person": False}],
        "send_reply": [conversation | {"text": "Hola"}],
        "preview_reply": [conversation | {"draft": Draft(text="Hola")}],
        "send_first_message": [first],
        "preview_first_message": [first],
        "answer_as_debtor": [message | {"text": "Hola", "key": "1"}],
        "simulate_receipt": [message | {"kind": "DELIVERED"}],
        "queue_confirmation": [{"load": theirs["load"]}],
        "confirm_load": [load],
        "discard_load": [load],
        "save_mapping": [{"portfolio_id": theirs["portfolio_id"], "document": {}}],
        "save_payment_mapping": [{"portfolio_id": theirs["portfolio_id"], "document": {}}],
        "settle_uncertain": [{"contact_id": theirs["contact_id"], "outcome": "SENT"}],
        "place_hold": [
            {"debtor_id": theirs["debtor_id"], "reason": "DISPUTE", "starts_on": TODAY},
            {
                "debtor_id": own_debtor.pk,
                "account_id": theirs["account_id"],
                "reason": "DISPUTE",
                "starts_on": TODAY,
            },
        ],
        "add_contact_point": [
            {"debtor_id": theirs["debtor_id"], "kind": "PHONE", "value": "955666777", "note": "Lo dio ella"}
        ],
        "correct_contact_point": [{"point_id": theirs["point_id"], "value": "955666777", "note": "Estaba mal"}],
        "retire_contact_point": [{"point_id": theirs["point_id"], "reason": "NO_LONGER"}],
        "place_contact_point": [{"point_id": theirs["point_id"], "place": "work"}],
        "add_party": [
            {"account_id": theirs["account_id"], "part": "GUARANTOR", "name": "Aval Uno", "note": "Contrato"}
        ],
        "retire_party": [{"party_id": theirs["party_id"], "note": "Error"}],
        "add_debtor_note": [{"debtor_id": theirs["debtor_id"], "text": "Llamar de tarde"}],
        "set_preferences": [
            {
                "debtor_id": theirs["debtor_id"],
                "language": "es",
                "channel": "",
                "hours_from": None,
                "hours_to": None,
                "note": "",
            }
        ],
        "join_debtors": [
            {"kept_id": kept_id, "joined_id": joined_id, "reason": "OTHER"}
            for kept_id, joined_id in ((own_debtor.pk, theirs["debtor_id"]), (theirs["debtor_id"], own_debtor.pk))
        ],
        "part_debtors": [{"join_id": theirs["join_id"], "reason": "MISTAKE"}],
        "find_different": [
            {"first_id": one, "second_id": other}
            for one, other in ((own_debtor.pk, theirs["debtor_id"]), (theirs["debtor_id"], own_debtor.pk))
        ],
        "lift_hold": [{"hold_id": theirs["hold_id"]}],
        "save_draft": [{"draft": CampaignDraft(**draft)}, {"draft": CampaignDraft(**draft), **campaign}],
        "launch": [campaign],
        "pause": [campaign],
        "resume": [campaign],
        "end": [campaign],
        "close_task": [{"task_id": theirs["task_id"], "outcome": "Hecho."}],
        "record_visit_result": [{"visit_id": theirs["visit_id"], "result": "ABSENT"}],
    }


def _takes_an_id(operation):
    names = set(inspect.signature(operation.function).parameters)
    return any(name.endswith("_id") for name in names - {"user_id", "to_id"}) or bool(names & {"load", "conversation"})


def test_what_lies_beyond_the_portfolios_of_a_scoped_role_is_refused(operations, theirs, company, cast):
    own_debtor = receivables.debtor(company, "Rosa")
    receivables.account(company, own_debtor, "PR-1", (date(2026, 11, 20), 45_050))
    calls = _calls(company, own_debtor, theirs)
    bruno = actor_for(cast["bruno"], now=NOW)
    # Gestores may do nothing that supervisors may not.
    assert RIGHTS[Role.GESTOR] <= RIGHTS[Role.SUPERVISOR]
    asked = {each.name.rpartition(".")[2]: each for each in operations if each.right in bruno.rights}
    with_ids = {name for name, operation in asked.items() if _takes_an_id(operation)}
    assert with_ids - OF_ALL == set(calls), "an operation that takes an id belongs here"
    before = Entry.objects.count()
    open_ones = []
    with override_settings(DEMO=True):
        for name, each_given in calls.items():
            for given in each_given:
                try:
                    with transaction.atomic():
                        asked[name].function(**given, actor=bruno)
                except REFUSED:
                    continue
                except Exception as other:  # noqa: BLE001 - named below
                    open_ones.append(f"{name} {sorted(given)}: {other!r}")
                else:
                    open_ones.append(f"{name} {sorted(given)} was done")
    assert not open_ones, "\n".join(open_ones)
    assert Entry.objects.count() == before
