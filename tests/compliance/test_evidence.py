"""The evidence of a debtor: everything that was said and done, to the right eyes only, signed."""

import json
from datetime import timedelta

import pytest

from recobra.access.actors import actor_for
from recobra.access.permissions import NotAllowed, OutOfScope
from recobra.compliance.evidence.export import EvidenceRefused, export_evidence, export_evidence_by_number, own_identity
from recobra.compliance.evidence.verification import verify_file
from recobra.compliance.models import Incident
from recobra.consent.models import ConsentEntry
from recobra.conversations.models import Conversation, ConversationMessage
from recobra.journal import seal
from recobra.journal.operations import record_fact
from recobra.messaging.facts import ContactSent
from recobra.messaging.models import Contact, ContactItem, Letter, Receipt
from recobra.portfolio.models import Account, Creditor, Debtor, Portfolio
from recobra.workbench.models import Visit
from tests.messaging.letters.pdf_text import pages
from tests.people import acting


@pytest.fixture
def rosa(company):
    """Rosa owes and has a telephone."""
    debtor = Debtor.objects.create(
        creditor=company.creditor,
        external_id="D-77",
        name="Rosa Quispe",
        country="PE",
        national_id_kind="DNI",
        national_id="45678912",
    )
    Account.objects.create(portfolio=company, debtor=debtor, external_id="F-0001", product="INVOICE")
    debtor.points.create(kind="PHONE", value="+51987654321", valid=True)
    return debtor


@pytest.fixture
def told(rosa, company, now, db):
    """A WhatsApp message that was sent and read, answered, an opt-out and a complaint."""
    contact = Contact.objects.create(
        debtor=rosa,
        portfolio=company,
        point=rosa.points.get(),
        channel="whatsapp",
        template_code="recordatorio",
        status="SENT",
        planned_for=now.date(),
        planned_at=now,
        due_at=now,
        zones="America/Lima",
        handed_over_at=now,
        sent_at=now,
        judged_at=now,
        rule="PE/whatsapp/hours",
        article="Ley 29571 art. 62",
        address="+51987654321",
        body='Hola Rosa 😀, debe S/ 10.00. Llame al +51 1 555 0000. #panic("x")',
        verdict={
            "zone": "America/Lima",
            "local": "2026-11-23T10:00",
            "rules_version": "PE 2010-10-02",
            "facts": {"held": False},
        },
    )
    ContactItem.objects.create(contact=contact, account=rosa.accounts.get(), overdue_minor=1_000)
    Receipt.objects.create(contact=contact, kind="READ", at=now, received_at=now, event_key="e1")
    talk = Conversation.objects.create(
        channel="whatsapp", address="+51987654321", debtor=rosa, opened_at=now, last_at=now
    )
    ConversationMessage.objects.create(conversation=talk, direction="IN", text="BAJA", at=now, received_at=now)
    ConsentEntry.objects.create(
        at=now, kind="PHONE", value="+51987654321", act="OPTED_OUT", source="KEYWORD", said="BAJA", actor="debtor"
    )
    Incident.objects.create(
        kind="COMPLAINT",
        country="PE",
        happened_at=now,
        recorded_at=now,
        recorded_by="ana",
        debtor=rosa,
        description="Se quejó por escrito.",
    )
    sent = ContactSent(channel="sms", step="", reason="")
    record_fact(sent, actor=acting("dispatch", now=now), debtor_id=rosa.pk, contact_id=contact.pk)
    return contact


def document(evidence):
    return json.loads(evidence.content)["evidence"]


def text(evidence):
    return "".join(pages(evidence.content))


def test_all_that_was_said_is_in_it_word_for_word(rosa, told, cast, now):
    made = document(export_evidence(debtor_id=rosa.pk, form="json", actor=actor_for(cast["carla"], now=now)))
    (contact,) = made["contacts"]
    assert contact["content"] == told.body
    assert contact["recipient"] == "+51987654321"
    assert contact["local"] == "2026-11-23T10:00:00-05:00 (America/Lima)"
    assert contact["judgement"]["article"] == "Ley 29571 art. 62"
    assert contact["judgement"]["rules_version"] == "PE 2010-10-02"
    assert contact["items"] == [{"account": "F-0001", "overdue_minor": 1_000}]
    assert [receipt["kind"] for receipt in contact["receipts"]] == ["READ"]
    assert made["consent"][0]["act"] == "OPTED_OUT"
    assert made["conversations"][0]["messages"][0]["text"] == "BAJA"
    assert made["incidents"][0]["kind"] == "COMPLAINT"
    assert "contact.sent" in [fact["kind"] for fact in made["journal"]]


@pytest.mark.parametrize(("name", "sees"), [("hilda", False), ("carla", True)])
def test_a_document_that_is_a_number_is_masked_too(told, cast, now, name, sees):
    rosa = told.debtor
    Debtor.objects.filter(pk=rosa.pk).update(external_id="45678912")
    Account.objects.filter(debtor=rosa).update(external_id="45678912-1")
    for form in ("json", "pdf"):
        made = export_evidence(debtor_id=rosa.pk, form=form, actor=actor_for(cast[name], now=now))
        assert ("45678912" in (json.dumps(document(made)) if form == "json" else text(made))) == sees


def test_what_was_said_of_another_form_of_a_number_is_in_it(rosa, cast, now):
    rosa.points.create(kind="PHONE", value="+525512345678", valid=True)
    ConsentEntry.objects.create(
        at=now, kind="PHONE", value="+5215512345678", act="OPTED_OUT", source="KEYWORD", said="BAJA", actor="debtor"
    )
    made = document(export_evidence(debtor_id=rosa.pk, form="json", actor=actor_for(cast["carla"], now=now)))
    assert [entry["act"] for entry in made["consent"]] == ["OPTED_OUT"]


def test_the_pdf_says_the_same_and_reads_nothing_as_markup(rosa, told, cast, now):
    made = export_evidence(debtor_id=rosa.pk, form="pdf", actor=actor_for(cast["carla"], now=now))
    for part in (
        "Rosa Quispe",
        "45678912",
        "+51987654321",
        '#panic("x")',
        "[U+1F600 grinning face]",
        "art. 62",
        made.digest,
    ):
        assert part in text(made), part


def test_the_pdf_tells_hours_by_the_debtors_clock_and_says_all_in_words(rosa, told, cast, now):
    sent = now + timedelta(hours=13, seconds=2, microseconds=345_678)  # already the next day in UTC
    for contact in Contact.objects.all():
        contact.sent_at, contact.answer = sent, "kept in the mailbox"
        contact.save()
    made = export_evidence(debtor_id=rosa.pk, form="pdf", actor=actor_for(cast["carla"], now=sent))
    shown = text(made)
    for part in (
        "23 nov 2026, 23:00:02 (America/Lima)",
        "Cuándo (America/Lima)",
        "Perú",
        "Mensaje enviado",
        "el despachador",
        "guardado en el buzón",
        "Ninguno de estos hechos está sellado todavía.",
    ):
        assert " ".join(part.split()) in " ".join(shown.split()), part
    for code in ("contact.sent", "dispatch", "kept in", "345678", "2026-11-2", "aún no", "Sello del día anterior"):
        assert code not in shown, code
    assert made.name == f"constancia-{rosa.pk}-20261123-230002.pdf"
    exact = document(export_evidence(debtor_id=rosa.pk, form="json", actor=actor_for(cast["carla"], now=sent)))
    assert exact["contacts"][0]["sent_at"] == "2026-11-24T04:00:02.345678+00:00"
    assert exact["debtor"]["time_zone"] == "America/Lima"


@pytest.mark.parametrize(
    ("known", "zone"),
    [
        ({}, "America/Lima"),
        ({"country": "CL", "subdivision": "CL-MA"}, "America/Punta_Arenas"),
        ({"time_zone": "Mars/Base"}, "America/Lima"),
        ({"country": ""}, "America/Lima"),
    ],
)
def test_a_debtor_has_one_clock_and_the_portfolios_where_it_is_not_known(rosa, cast, now, known, zone):
    Debtor.objects.filter(pk=rosa.pk).update(**{"country": "PE", **known})
    made = document(export_evidence(debtor_id=rosa.pk, form="json", actor=actor_for(cast["carla"], now=now)))
    assert made["debtor"]["time_zone"] == zone


@pytest.mark.parametrize(
    ("judged_for", "said"),
    [
        ("America/Bogota", "10:00:00 (America/Bogota)"),
        ("America/Tijuana|America/Lima", "10:00:00 (America/Lima)"),
        ("America/Tijuana|America/Cancun", "07:00:00 (America/Tijuana)"),
        ("", "10:00:00 (America/Lima)"),
    ],
)
def test_a_contact_is_told_in_a_zone_that_it_was_judged_for(told, cast, now, judged_for, said):
    Contact.objects.update(zones=judged_for)
    shown = text(export_evidence(debtor_id=told.debtor_id, form="pdf", actor=actor_for(cast["carla"], now=now)))
    assert f"{said} · WhatsApp · Enviado" in " ".join(shown.split())


def test_both_forms_are_signed_by_the_installation(rosa, told, cast, now):
    for form in ("pdf", "json"):
        made = export_evidence(debtor_id=rosa.pk, form=form, actor=actor_for(cast["carla"], now=now))
        trusted = [own_identity(now=now).certificate]
        assert verify_file(made.content, trusted=trusted, now=now).ok
        altered = (
            made.content.replace(b"Rosa", b"Rita", 1)
            if form == "json"
            else made.content[:-9] + b"\n" + made.content[-8:]
        )
        assert not verify_file(altered, trusted=trusted, now=now).ok


def test_the_seal_that_covers_a_fact_is_named(rosa, told, cast, now):
    tomorrow = now + timedelta(days=1)
    seal.seal_journal(now=now)
    made = document(export_evidence(debtor_id=rosa.pk, form="json", actor=actor_for(cast["carla"], now=tomorrow)))
    (sent,) = [fact for fact in made["journal"] if fact["kind"] == "contact.sent"]
    assert sent["intact"]
    assert sent["sealed_on"] == now.date().isoformat()
    assert now.date().isoformat() in [each["day"] for each in made["seals"]]
    shown = text(export_evidence(debtor_id=rosa.pk, form="pdf", actor=actor_for(cast["carla"], now=tomorrow)))
    assert "Sello del día anterior" in shown
    assert "Ninguno de estos hechos" not in shown


def test_the_auditor_gets_it_masked_and_the_document_says_so(rosa, told, cast, now):
    made = export_evidence(debtor_id=rosa.pk, form="json", actor=actor_for(cast["hilda"], now=now))
    whole = made.content.decode()
    assert made.masked
    assert document(made)["about"]["masked"]
    for secret in ("987654321", "45678912", "555 0000"):
        assert secret not in whole
    pdf = export_evidence(debtor_id=rosa.pk, form="pdf", actor=actor_for(cast["hilda"], now=now))
    assert "987654321" not in text(pdf)


def test_a_gestor_may_not_and_an_outsider_does_not_find_the_debtor(rosa, told, cast, now):
    with pytest.raises(NotAllowed):
        export_evidence(debtor_id=rosa.pk, form="json", actor=actor_for(cast["ana"], now=now))
    with pytest.raises(NotAllowed):
        export_evidence(debtor_id=rosa.pk, form="json", actor=actor_for(cast["zoe"], now=now))
    cast["bruno"].scopes.all().delete()
    with pytest.raises(OutOfScope):
        export_evidence(debtor_id=rosa.pk, form="json", actor=actor_for(cast["bruno"], now=now))


def test_who_may_not_see_all_that_is_owed_may_not_export_it(rosa, told, cast, company, now):
    other = Portfolio.objects.create(
        creditor=company.creditor,
        code="PE-OTRA",
        name="Otra",
        industry="CONSUMER",
        country="PE",
        currency="PEN",
        time_zone="America/Lima",
    )
    Account.objects.create(portfolio=other, debtor=rosa, external_id="G-1", product="INVOICE")
    with pytest.raises(EvidenceRefused):
        export_evidence(debtor_id=rosa.pk, form="json", actor=actor_for(cast["bruno"], now=now))


def test_a_letter_says_how_it_went_and_a_visit_what_came_of_it(rosa, told, cast, now):
    Letter.objects.create(contact=told, reference="PE-77", tracking="OLVA-9", status="DELIVERED", changed_at=now)
    Visit.objects.create(
        contact=told, route_date=now.date(), result="ABSENT", note="Cerrado", noted_at=now, noted_by="ana"
    )
    (contact,) = document(export_evidence(debtor_id=rosa.pk, form="json", actor=actor_for(cast["carla"], now=now)))[
        "contacts"
    ]
    assert (contact["letter"]["status"], contact["visit"]["result"]) == ("DELIVERED", "ABSENT")
    assert contact["letter"]["tracking"] == "OLVA-9"
    shown = text(export_evidence(debtor_id=rosa.pk, form="pdf", actor=actor_for(cast["carla"], now=now)))
    assert "PE-77" in shown
    assert "OLVA-9" in shown


def test_that_it_was_handed_out_is_a_fact(rosa, told, cast, now):
    export_evidence(debtor_id=rosa.pk, form="json", actor=actor_for(cast["carla"], now=now))
    made = document(export_evidence(debtor_id=rosa.pk, form="json", actor=actor_for(cast["carla"], now=now)))
    assert "evidence.exported" in [fact["kind"] for fact in made["journal"]]


def test_the_command_asks_which_creditor_where_two_have_the_number(rosa, told, now):
    other = Creditor.objects.create(code="NORTE", name="Banco Norte")
    Debtor.objects.create(creditor=other, external_id="D-77", name="Otro", country="PE")
    with pytest.raises(EvidenceRefused, match="D-77"):
        export_evidence_by_number(creditor="", number="D-77", form="json", actor=acting("command", now=now))
    made = export_evidence_by_number(creditor="SUR", number="D-77", form="json", actor=acting("command", now=now))
    assert document(made)["debtor"]["name"] == "Rosa Quispe"
    with pytest.raises(EvidenceRefused, match="X-1"):
        export_evidence_by_number(creditor="SUR", number="X-1", form="json", actor=acting("command", now=now))
