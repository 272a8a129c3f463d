"""A template goes out only when the law lets it and a second person approved it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.db import transaction
from django.utils import translation

from recobra.access.models import Role, User
from recobra.approvals import operations as approvals
from recobra.approvals.models import Approval
from recobra.journal.models import Entry
from recobra.messaging import operations as messaging
from recobra.messaging import queries
from recobra.messaging.models import Template
from recobra.messaging.templates import render, selection
from recobra.messaging.templates.approval import TEMPLATE
from recobra.portfolio.models import LegalDecision
from tests import extent
from tests.people import acting

TODAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
WORDS = "{{ acreedor }} {{ total_vencido }} {{ desglose }} {{ como_pagar }} {{ como_reclamar }} {{ enlace_baja }}"


def draft(**changes):
    given = {
        "code": "saludo",
        "channel": "email",
        "name": "Saludo",
        "subject": "{{ acreedor }}",
        "text": WORDS,
        "html": WORDS,
        "actor": acting("carla", user_id=7, now=NOW),
    }
    return messaging.save_template(**given | changes)


@pytest.fixture
def two(db):
    """Carla, who writes, and Darío, who may approve."""
    for name, pk in (("carla", 7), ("dario", 9)):
        User.objects.create(pk=pk, username=name, role=Role.ADMINISTRATOR)


def submit(template, name="carla", user_id=7):
    return messaging.submit_template(template_id=template.pk, actor=acting(name, user_id=user_id, now=NOW))


def decide(operation, template, name="dario", user_id=9, reason=""):
    waiting = Approval.objects.filter(subject=template.pk).latest("pk")
    operation(approval_id=waiting.pk, reason=reason, actor=acting(name, user_id=user_id, now=NOW))
    template.refresh_from_db()
    return template


def approved(**changes):
    """A version in force: nobody but its author could decide."""
    template = submit(draft(**changes))
    assert template.status == "APPROVED"
    return template


def picked(**changes):
    given = {"code": "saludo", "channel": "email", "country": "PE", "language": "es", "debtor_id": 1, "on": TODAY}
    wanted = given | changes
    return render.load_template_pool({(wanted["code"], wanted["channel"])}).pick_template(**wanted)


def test_a_draft_is_not_in_force(db):
    draft()
    assert not queries.template_versions().exists()
    assert picked() is None


def test_a_second_person_puts_it_in_force_and_the_journal_says_so(two):
    template = submit(draft())
    assert (template.status, picked()) == ("SUBMITTED", None)
    decide(approvals.approve, template)
    assert queries.template_versions().get() == template
    assert picked() == template
    kinds = Entry.objects.filter(payload__template_id=template.pk).order_by("pk").values_list("kind", "actor")
    assert list(kinds) == [
        ("template.saved", "carla"),
        ("template.submitted", "carla"),
        ("template.approved", "dario"),
    ]


@pytest.mark.parametrize(("actor", "actor_id"), [("carla", 9), ("otra", 7)])
def test_nobody_approves_what_he_or_she_wrote(two, actor, actor_id):
    template = submit(draft())
    with pytest.raises(approvals.OwnChange):
        decide(approvals.approve, template, actor, actor_id)
    assert not queries.template_versions().exists()


def test_each_step_begins_where_the_one_before_ended(two):
    template = submit(draft())
    with pytest.raises(messaging.WrongStatus):
        submit(template)
    with pytest.raises(approvals.ApprovalRefused):
        decide(approvals.reject, template, reason=" ")
    sent_back = decide(approvals.reject, template, reason="Más corto")
    assert (sent_back.status, Approval.objects.get().reason) == ("REJECTED", "Más corto")
    with pytest.raises(approvals.AlreadyDecided):
        decide(approvals.approve, template)
    with pytest.raises(messaging.WrongStatus):
        submit(template)
    assert not queries.template_versions().exists()


def test_a_version_that_is_taken_back_is_a_draft_again_and_one_that_is_retired_waits_no_more(two):
    template = submit(draft())
    assert decide(approvals.withdraw, template, "carla", 7).status == "DRAFT"
    submit(template)
    messaging.retire_template(template_id=template.pk, actor=acting("dario", user_id=9, now=NOW))
    assert [each.decision for each in Approval.objects.order_by("pk")] == ["WITHDRAWN", "WITHDRAWN"]
    assert not queries.template_versions().exists()


def test_what_the_law_has_come_to_bar_is_not_put_in_force(two):
    template = submit(draft())
    template.text = f"{WORDS} Lo llevaremos a la cárcel."
    template.save(update_fields=["text"])
    with pytest.raises(messaging.TemplateBlocked), transaction.atomic():
        decide(approvals.approve, template)
    assert Approval.objects.get().decision == "WAITING"


def test_what_the_law_bars_is_kept_as_a_draft_with_its_findings_but_not_put_forward(db):
    template = draft(text=f"{WORDS} Lo llevaremos a la cárcel.")
    (finding,) = [each for each in template.findings if each["code"] == "threat"]
    assert (finding["severity"], finding["excerpt"], finding["part"]) == ("block", "cárcel", "text")
    with translation.override("es"), pytest.raises(messaging.TemplateBlocked, match="Amenaza"):
        submit(template)
    assert Template.objects.get(pk=template.pk).status == "DRAFT"


def test_a_template_for_all_is_not_used_where_the_law_asks_for_more(db):
    approved()
    assert picked(country="PE")
    assert picked(country="CL") is None
    assert picked(country="MX") is None
    assert picked(country="XX") is None


def test_the_countrys_own_goes_first_and_the_tone_that_was_asked_for(db):
    general, firm = approved(), approved(tone="FIRM")
    peru = approved(country="PE")
    assert picked() == peru
    assert picked(country="EC") == general
    assert picked(country="EC", tone="FIRM") == firm
    assert picked(country="EC", tone="EMPATHETIC") == general


def test_a_legal_template_leaves_only_on_a_decided_case_and_never_in_chile(world):
    words = f"{WORDS} {{{{ acreedor }}}} puede ejercer acciones legales."
    legal = approved(text=words, html=words, legal=True)
    assert picked() is None
    assert picked(legal_decision=True) == legal
    assert picked(country="CL", legal_decision=True) is None
    with pytest.raises(messaging.TemplateBlocked):
        approved(code="otro", text=words, html=words)
    account = world.owes(world.debtor())
    assert selection.accounts_with_legal_decision([account.pk]) == frozenset()
    decision = LegalDecision.objects.create(
        account=account, proposed_by="bruno", approved_by="fabian", approved_at=NOW, grounds="Pagaré"
    )
    assert selection.accounts_with_legal_decision([account.pk]) == {account.pk}
    decision.revoked_at = NOW
    decision.save()
    assert selection.accounts_with_legal_decision([account.pk]) == frozenset()


def test_variants_share_debtors_by_weight_and_each_debtor_keeps_the_same(db):
    first, second = approved(variant="A", weight=3), approved(variant="B", weight=1)
    drawn = {debtor: picked(debtor_id=debtor) for debtor in range(1, extent.choose(daily=501, whole=2_001))}
    assert set(drawn.values()) == {first, second}
    assert 0.71 < sum(template == first for template in drawn.values()) / len(drawn) < 0.79
    assert all(picked(debtor_id=debtor) == drawn[debtor] for debtor in range(1, 50))
    messaging.weigh_template(template_id=second.pk, weight=0, actor=acting("dario", now=NOW))
    assert {picked(debtor_id=debtor) for debtor in range(1, 50)} == {first}
    with pytest.raises(messaging.WrongStatus):
        messaging.weigh_template(template_id=second.pk, weight=101, actor=acting("dario", now=NOW))


def test_a_new_version_takes_the_place_of_the_one_in_force_only_when_approved(db):
    old = approved()
    new = draft(name="Saludo nuevo")
    assert (new.version, picked()) == (2, old)
    for name, pk in (("carla", 7), ("dario", 9)):
        User.objects.create(pk=pk, username=name, role=Role.ADMINISTRATOR)
    submit(new)
    assert picked() == old
    compared = {part.label: (part.old, part.new) for part in TEMPLATE.parts(Approval.objects.latest("pk"))}
    assert compared["Nombre"] == ("Saludo", "Saludo nuevo")
    decide(approvals.approve, new)
    assert picked() == new
    messaging.retire_template(template_id=new.pk, actor=acting("dario", user_id=9, now=NOW))
    assert picked() == old


def test_a_fact_that_the_law_wants_said_and_nobody_entered_keeps_the_message_back(world):
    creditor = world.company.creditor
    debtor = world.debtor()
    world.owes(debtor)
    mexico = messaging.preview_message
    template = Template.objects.get(code="recordatorio", channel="email", country="MX", tone="")
    debtor.country = "MX"
    debtor.save()
    with pytest.raises(render.NotRendered, match="agencia_domicilio"):
        mexico(template=template, debtor_id=debtor.pk, now=world.now)
    creditor.agency_name, creditor.agency_address, creditor.agency_phone = "Gama", "Av. Sur 1, CDMX", "55 1234 5678"
    creditor.save()
    letter = mexico(template=template, debtor_id=debtor.pk, now=world.now)
    for told in ("Gama", "Av. Sur 1, CDMX", "55 1234 5678", "CONDUSEF", "Capital", "Pague únicamente"):
        assert told in letter.text, told


def test_a_chilean_letter_tells_all_that_article_37_asks(world):
    debtor = world.debtor()
    account = world.owes(debtor, number="F-77")
    template = Template.objects.get(code="recordatorio", channel="letter", country="CL", tone="")
    debtor.country = "CL"
    debtor.save()
    with pytest.raises(render.NotRendered, match="contratos"):
        messaging.preview_message(template=template, debtor_id=debtor.pk, now=world.now)
    account.opened_date, account.contract = date(2025, 3, 4), "C-900"
    account.save()
    letter = messaging.preview_message(template=template, debtor_id=debtor.pk, now=world.now)
    for told in (
        "Acreedor: Banco Sur",
        "C-900 (suscrito el 04-03-25)",
        "En mora desde el 13-11-26",
        "Capital",
        "No se cobran intereses",
        "No se cobran gastos de cobranza",
        "Pague en bancosur.example",
        "copia escrita",
        "cobranzas@localhost",
        "no constituye un procedimiento destinado a embargar",
    ):
        assert told in letter.text, told
    assert letter.html == ""
